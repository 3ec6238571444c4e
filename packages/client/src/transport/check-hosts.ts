import { safeParseReference } from '@stowage/oci'
import { ClientError } from '../errors.ts'
import { canonicalRegistry, type HostOptions, type Hosts } from './hosts.ts'

const known = {
  '': [
    'plainHttp',
    'endpoint',
    'mirrors',
    'concurrency',
    'retry',
    'timeouts',
    'headers',
    'tokenServers',
    'referrers',
    'uploads',
  ],
  retry: ['attempts', 'maxDelay'],
  timeouts: ['idle', 'answer'],
  uploads: ['chunkSize', 'singlePostUpTo'],
} as const satisfies Record<string, readonly string[]>

type Report = (path: string, problem: string) => void

/** @throws {ClientError} `usage`, with every problem */
export const checkHosts = (hosts: Hosts): void => {
  const problems: string[] = []
  if (!isObject(hosts)) throw new ClientError('usage', 'The client cannot be made: hosts must be an object.')
  const names = new Map<string, string>()
  for (const [name, options] of Object.entries(hosts)) {
    const report: Report = (path, problem) => void problems.push(`hosts["${name}"]${path} ${problem}`)
    if (name !== '*' && !isRegistry(name)) report('', 'is not the name of a registry as references have it')
    const other = names.get(canonicalRegistry(name))
    if (other !== undefined) report('', `is the registry of hosts["${other}"] again`)
    names.set(canonicalRegistry(name), name)
    if (isObject(options)) checkHost(options, report)
    else report('', 'must be an object')
  }
  if (problems.length > 0) throw new ClientError('usage', `The client cannot be made: ${problems.join('; ')}.`)
}

const checkHost = (options: HostOptions, report: Report): void => {
  for (const [section, keys] of Object.entries(known)) {
    const value: unknown = section === '' ? options : options[section as keyof HostOptions]
    const path = section === '' ? '' : `.${section}`
    if (value === undefined) continue
    if (!isObject(value)) {
      report(path, 'must be an object')
      continue
    }
    for (const key of Object.keys(value)) {
      if ((keys as readonly string[]).includes(key)) continue
      report(`${path}.${key}`, `is not an option; there are ${keys.join(', ')}`)
    }
  }
  checkNumbers(options, report)
  const { plainHttp, endpoint, mirrors, tokenServers, headers, referrers } = options
  if (plainHttp !== undefined && typeof plainHttp !== 'boolean') report('.plainHttp', 'must be true or false')
  if (endpoint !== undefined && !isEndpoint(endpoint)) {
    report('.endpoint', 'must be an http or https URL without query and credentials')
  }
  checkList('.mirrors', mirrors, isMirror, 'a registry, or one with a prefix: mirror.example/prefix', report)
  checkList('.tokenServers', tokenServers, isHost, 'a host, with its port where it is not the usual one', report)
  checkHeaders(headers, report)
  if (!['auto', 'api', 'tag', undefined].includes(referrers)) report('.referrers', 'must be "auto", "api" or "tag"')
}

/** What a timer can wait for: with more it would not wait at all. */
const longest = 2 ** 31 - 1

const checkNumbers = ({ concurrency, retry, timeouts, uploads }: HostOptions, report: Report): void => {
  const rows: [string, number | undefined, number, number?][] = [
    ['.concurrency', concurrency, 1],
    ['.retry.attempts', retry?.attempts, 1],
    ['.retry.maxDelay', retry?.maxDelay, 0, longest],
    ['.timeouts.idle', timeouts?.idle, 1, longest],
    ['.timeouts.answer', timeouts?.answer, 1, longest],
    ['.uploads.chunkSize', uploads?.chunkSize, 1],
    ['.uploads.singlePostUpTo', uploads?.singlePostUpTo, 0],
  ]
  for (const [path, value, least, most = Number.MAX_SAFE_INTEGER] of rows) {
    if (value === undefined || (Number.isSafeInteger(value) && value >= least && value <= most)) continue
    report(path, `must be a whole number of ${least} or more${most === longest ? `, and of ${longest} at most` : ''}`)
  }
}

const checkList = (
  path: string,
  list: readonly string[] | undefined,
  isRight: (item: string) => boolean,
  what: string,
  report: Report,
): void => {
  if (list === undefined) return
  if (!Array.isArray(list)) {
    report(path, 'must be a list')
    return
  }
  for (const [index, item] of list.entries()) {
    if (typeof item !== 'string' || !isRight(item)) report(`${path}[${index}]`, `must be ${what}`)
  }
}

/** Their values may be secrets, so no message has them. */
const checkHeaders = (headers: HostOptions['headers'], report: Report): void => {
  if (headers === undefined) return
  if (!isObject(headers)) {
    report('.headers', 'must be an object')
    return
  }
  for (const [name, value] of Object.entries(headers)) {
    try {
      if (typeof value === 'string') new Headers().set(name, value)
      else report(`.headers["${name}"]`, 'must be a string')
    } catch {
      report(`.headers["${name}"]`, 'is no header, or has a value that none can have')
    }
  }
}

const isEndpoint = (text: string): boolean => {
  // An empty query or fragment would swallow the path that is put behind it.
  if (typeof text !== 'string' || /[?#]/.test(text) || !URL.canParse(text)) return false
  const { protocol, username, password } = new URL(text)
  return /^https?:$/.test(protocol) && `${username}${password}` === ''
}

const isRegistry = (text: string): boolean => {
  const parsed = safeParseReference(`${text}/x`, { rules: 'oci' })
  return parsed.ok && parsed.value.registry === text
}

const isMirror = (text: string): boolean => {
  const parsed = safeParseReference(text.includes('/') ? text : `${text}/x`, { rules: 'oci' })
  if (!parsed.ok) return false
  const { registry, tag, digest } = parsed.value
  return registry !== undefined && tag === undefined && digest === undefined
}

/** As URLs have it, for it is compared with theirs. */
const isHost = (text: string): boolean => URL.canParse(`https://${text}`) && new URL(`https://${text}`).host === text

const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
