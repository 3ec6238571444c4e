import { lookup } from 'node:dns/promises'
import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { createSecureContext } from 'node:tls'
import { type Address, isLoopback, parseAddress } from '../config/address.ts'
import type { Settings } from '../config/settings.ts'
import { show } from '../config/show.ts'
import { configurationError, type Problem, StowageError } from '../failure.ts'

/** What a server needs to know before it listens, once everything that forbids it was ruled out. */
export interface Permit {
  /** `host` is an IP address, or empty for every interface. */
  readonly listen: Address
  readonly tls: { readonly cert: Buffer; readonly key: Buffer } | undefined
}

/**
 * Decides whether these settings may be served.
 *
 * @throws StowageError that lists everything that forbids it.
 */
export const permit = async (settings: Settings): Promise<Permit> => {
  const problems: Problem[] = []
  if (settings['authentication.disabled'] === false) {
    problems.push({
      key: 'authentication.disabled',
      message:
        'authentication is asked for, and this version has none. Nothing is served, so that nobody relies on it: leave ' +
        'the setting away to serve this machine only, or put a proxy that authenticates in front.',
    })
  }
  const listen = await resolveAddress(settings.address)
  if (!(listen.host !== '' && isLoopback(listen.host)) && !settings.allowAnonymous) {
    problems.push({
      key: 'address',
      message:
        `${show(settings.address)} can be reached from other machines, and everyone there could push, pull and delete, ` +
        'for there is no authentication yet. Listen on 127.0.0.1, or say --allow-anonymous if that is what you want.',
    })
  }
  const tls = loadTls(settings, problems)
  if (problems.length > 0) throw configurationError(problems)
  return { listen, tls }
}

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
  const cert = readPem('tls.cert', certFile, problems)
  const key = readPem('tls.key', keyFile, problems)
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

const readPem = (key: 'tls.cert' | 'tls.key', path: string, problems: Problem[]): Buffer | undefined => {
  try {
    return readFileSync(path)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
    const why =
      { ENOENT: 'it does not exist', EACCES: 'this user may not read it', EISDIR: 'it is a directory' }[code] ?? code
    problems.push({ key, message: `${key}: ${path} cannot be read: ${why}` })
    return undefined
  }
}
