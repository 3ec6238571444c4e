import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import type { Client, CredentialSource, TraceEvent } from '@stowage/client'
import { firstOf } from '@stowage/client'
import { defaultCredentials, dockerConfig, staticCredential } from '@stowage/client/credentials'
import { createClient, type NodeHostOptions, type TlsOptions } from '@stowage/client/node'
import { StowageError } from '../failure.ts'
import { version } from '../version.ts'
import type { RegistrySettings, SharedSettings } from './common-options.ts'
import type { Environment } from './context.ts'
import { givenCredential, type PasswordPrompt } from './credentials.ts'
import { isLoopback, type NamedRegistry, type Place, registryOf } from './places.ts'
import { speaksTls } from './speaks-tls.ts'

export interface ConnectOptions {
  readonly settings: RegistrySettings
  readonly shared: SharedSettings
  readonly environment: Environment
  readonly onWarning: (text: string, registry?: string) => void
  readonly onTrace: ((event: TraceEvent) => void) | undefined
  readonly prompt: PasswordPrompt
  /** In place of those that the command line gives, or that are kept. */
  readonly credentials: CredentialSource | undefined
}

/**
 * A client as the command line wants it. The registries have to be named: plain HTTP is spoken only where it is said to be, and
 * a password that was given is for them and no other.
 */
export const connectTo = async (places: readonly Place[], options: ConnectOptions): Promise<Client> => {
  const { settings, onWarning, onTrace } = options
  const named = places.flatMap((place) => registryOf(place) ?? [])
  const base = await hostOptions(options)
  const hosts: Record<string, NodeHostOptions> = { '*': base }
  // An option says how; else https:// in the text; else it is plain HTTP where nobody else can listen. What http:// in the text says
  // of other machines is for the client to judge: it shows nobody's credentials there.
  const saidHow = settings.plainHttp !== undefined || base.tls !== undefined
  for (const { registry, plainHttp } of named) {
    const isOpen = !saidHow && plainHttp !== false && isLoopback(registry)
    if (isOpen || (await fallsBack(settings, { registry, plainHttp }))) hosts[registry] = { ...base, plainHttp: true }
  }

  return createClient({
    hosts,
    credentials: options.credentials ?? (await usualCredentials(named, options)),
    userAgent: `stowage/${version}`,
    onWarning: ({ text, registry }) => onWarning(text, registry),
    ...(onTrace === undefined ? {} : { onTrace }),
  })
}

/** `--tls-verify=false` as skopeo has it: TLS, or plain HTTP where there is none. Only on this machine, where nobody can listen. */
const fallsBack = async (settings: RegistrySettings, { registry, plainHttp }: NamedRegistry): Promise<boolean> => {
  const { tlsVerify, insecure, plainHttp: told, caFile, certFile } = settings
  const isOther =
    tlsVerify !== false || insecure || told !== undefined || caFile !== undefined || certFile !== undefined
  if (isOther || !isLoopback(registry) || plainHttp === false) return false
  return plainHttp === true || !(await speaksTls(registry))
}

/** What the command line gives, then what is kept: in the files that it names, or else in the usual places. */
const usualCredentials = async (
  named: readonly NamedRegistry[],
  { settings, environment, onWarning, prompt }: ConnectOptions,
): Promise<CredentialSource> => {
  const credential = await givenCredential(settings, prompt)
  const given = credential === undefined ? [] : named.map(({ registry }) => staticCredential(registry, credential))
  const common = { environment, onWarning: (text: string): void => onWarning(text) }
  for (const path of settings.registryConfigs) {
    // As with every other program it is no error: a command that needs none goes on.
    if (!existsSync(path)) onWarning(`There is no file ${path} with credentials.`)
  }
  const kept = settings.registryConfigs.map((path) => dockerConfig({ ...common, path }))
  return firstOf(...given, ...(kept.length > 0 ? kept : [defaultCredentials(common)]))
}

const hostOptions = async ({ settings, shared }: ConnectOptions): Promise<NodeHostOptions> => {
  const { concurrency, timeout, retries, tokenServers, distributionSpec } = shared
  const tls = await tlsOptions(settings)
  return {
    ...(settings.plainHttp === true ? { plainHttp: true } : {}),
    ...(tls === undefined ? {} : { tls }),
    ...(concurrency === undefined ? {} : { concurrency }),
    ...(timeout === undefined ? {} : { timeouts: { idle: timeout, answer: timeout } }),
    ...(retries === undefined ? {} : { retry: { attempts: retries + 1 } }),
    ...(tokenServers.length === 0 ? {} : { tokenServers }),
    ...(distributionSpec === undefined ? {} : { referrers: distributionSpec === 'v1.1-referrers-api' ? 'api' : 'tag' }),
  }
}

const tlsOptions = async (settings: RegistrySettings): Promise<TlsOptions | undefined> => {
  const { insecure, tlsVerify, caFile, certFile, keyFile } = settings
  if ((certFile === undefined) !== (keyFile === undefined)) {
    throw new StowageError('usage', 'A certificate needs its key: give both --cert-file and --key-file.')
  }
  const tls = {
    ...(insecure || tlsVerify === false ? { insecure: true } : {}),
    ...(caFile === undefined ? {} : { ca: await readPem('--ca-file', caFile) }),
    ...(certFile === undefined ? {} : { cert: await readPem('--cert-file', certFile) }),
    ...(keyFile === undefined ? {} : { key: await readPem('--key-file', keyFile) }),
  }
  return Object.keys(tls).length === 0 ? undefined : tls
}

const readPem = async (option: string, path: string): Promise<string> => {
  let content: string
  try {
    content = await readFile(path, 'utf8')
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new StowageError('usage', `${option} ${path} cannot be read: ${reason}.`, { cause: error })
  }
  if (content.includes('-----BEGIN ')) return content
  throw new StowageError('usage', `${option} ${path} is not PEM: it has no line -----BEGIN ….`)
}
