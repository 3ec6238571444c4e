import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { createSecureContext } from 'node:tls'
import { type AccountOptions, fileProblems } from '@stowage/registry'
import { accountOptions } from '../account-options.ts'
import { type Address, isLoopback, parseAddress } from '../config/address.ts'
import type { Settings } from '../config/settings.ts'
import { show } from '../config/show.ts'
import { configurationError, type Problem, StowageError } from '../failure.ts'
import { readSettingFile } from './setting-file.ts'
import { withoutAuth } from './without-auth.ts'

/** What a server needs to know before it listens, once everything that forbids it was ruled out. */
export interface Permit {
  /** `host` is an IP address, or empty for every interface. */
  readonly listen: Address
  readonly tls: { readonly cert: Buffer; readonly key: Buffer } | undefined
  readonly accounts: AccountOptions
}

/**
 * Decides whether these settings may be served.
 *
 * @throws StowageError that lists everything that forbids it.
 */
export const permit = async (settings: Settings): Promise<Permit> => {
  const problems: Problem[] = []
  const listen = await resolveAddress(settings.address)
  if (settings.auth !== true) problems.push(...withoutAuth(settings))
  if (settings.auth !== true && beyondLoopback(listen) && !settings.allowAnonymous) {
    problems.push({
      key: 'address',
      message:
        `${show(settings.address)} can be reached from other machines, and everyone there could push, pull and delete, ` +
        'for auth is not on. Turn it on (--auth), listen on 127.0.0.1, or say --allow-anonymous if that is what you want.',
    })
  }
  const tls = loadTls(settings, problems)
  const accounts = accountOptions(settings, problems)
  if (accounts.secret === undefined) {
    const message = await fileProblems.secretFile(settings.data)
    if (message !== undefined) problems.push({ key: 'data', message })
  }
  if (problems.length > 0) throw configurationError(problems)
  return { listen, tls, accounts }
}

/** Whether somebody on another machine may reach it. @param listen with an IP address, or an empty host for every interface */
export const beyondLoopback = (listen: Address): boolean => listen.host === '' || !isLoopback(listen.host)

/**
 * A host name is looked up once, and what was found is both judged and listened on. `localhost` is 127.0.0.1: looked up, it
 * may be `::1`, where a client that was told 127.0.0.1 finds nobody.
 */
const resolveAddress = async (text: string): Promise<Address> => {
  const { host, port } = parseAddress(text) ?? { host: '127.0.0.1', port: 0 }
  if (host.toLowerCase() === 'localhost') return { host: '127.0.0.1', port }
  if (host === '' || host === '::') return { host: '', port }
  if (isIP(host) !== 0) return { host, port }
  try {
    const found = await lookup(host, { all: true })
    const beyond = found.find(({ address }) => !isLoopback(address))
    return { host: (beyond ?? found[0])?.address ?? '', port }
  } catch (cause) {
    throw new StowageError(
      'unavailable',
      `The address ${show(text)} cannot be listened on: there is no host of this name.`,
      {
        cause,
      },
    )
  }
}

const loadTls = (settings: Settings, problems: Problem[]): Permit['tls'] => {
  const { 'tls.cert': certFile, 'tls.key': keyFile } = settings
  if (certFile === undefined && keyFile === undefined) return undefined
  if (certFile === undefined || keyFile === undefined) {
    const [given, missing] =
      certFile === undefined ? (['tls.key', 'tls.cert'] as const) : (['tls.cert', 'tls.key'] as const)
    problems.push({ key: given, message: `${given} needs ${missing} beside it` })
    return undefined
  }
  const cert = readSettingFile('tls.cert', certFile, problems)
  const key = readSettingFile('tls.key', keyFile, problems)
  if (cert === undefined || key === undefined) return undefined
  try {
    createSecureContext({ cert, key })
    return { cert, key }
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    problems.push({ key: 'tls.cert', message: `tls.cert and tls.key are not a certificate with its key: ${why}` })
    return undefined
  }
}
