/**
 * Where this client lets itself be sent. A registry names other addresses in redirects, token realms, Locations and Links; each
 * of them could lead credentials to a stranger, or the client into the network it runs in (GHSA-jxpm-75mh-9fp7 and its like).
 */
import { ClientError } from '../errors.ts'

/**
 * An absolute http or https URL without credentials in it; relative ones are resolved, where there is a base.
 *
 * @throws {ClientError} `refused`, `invalid-response`
 */
export const parseDestination = (text: string, base: string | undefined, what: string): URL => {
  if (!URL.canParse(text, base)) {
    throw new ClientError('invalid-response', `The registry sent a ${what} that is not a URL: ${shown(text)}.`)
  }
  const url = new URL(text, base)
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    throw new ClientError('refused', `The registry sent a ${what} that is neither http nor https: ${shown(text)}.`)
  }
  if (url.username !== '' || url.password !== '') {
    throw new ClientError('refused', `The registry sent a ${what} with credentials in it. They are not used.`)
  }
  return url
}

/** The part of a URL that a person may see: its query may hold signatures. */
export const withoutQuery = (url: string | URL): string => {
  const parsed = new URL(url)
  return `${parsed.origin}${parsed.pathname}`
}

export const isSameOrigin = (one: string | URL, other: string | URL): boolean =>
  new URL(one).origin === new URL(other).origin

/** @throws {ClientError} `refused` unless both are of one origin: scheme, host and port. */
export const requireSameOrigin = (from: string, to: URL, what: string): void => {
  if (new URL(from).origin === to.origin) return
  throw new ClientError(
    'refused',
    `The registry at ${new URL(from).origin} sent a ${what} on another origin, ${to.origin}. It is not followed.`,
    { hint: 'Have the registry send relative ones, or correct its public URL.' },
  )
}

/** @throws {ClientError} `refused` for a step from https down to http, or into a private network on another host. */
export const requireSafeStep = (from: string, to: URL, what: string): void => {
  requireNoDowngrade(from, to, what)
  requireNoDescent(from, to, what)
}

/** @throws {ClientError} `refused` for a step from https to http */
export const requireNoDowngrade = (from: string, to: URL, what: string): void => {
  const start = new URL(from)
  if (start.protocol !== 'https:' || to.protocol !== 'http:') return
  throw new ClientError(
    'refused',
    `The registry at ${start.origin} sent a ${what} from https down to http: ${to.origin}.`,
  )
}

/** @throws {ClientError} `refused` for a step into a private network, to another host and from outside */
export const requireNoDescent = (from: string, to: URL, what: string): void => {
  const start = new URL(from)
  if (start.hostname === to.hostname || !isInternal(to.hostname) || isInternal(start.hostname)) return
  throw new ClientError(
    'refused',
    `The registry at ${start.origin} sent a ${what} into a private network: ${to.origin}. It is not followed.`,
  )
}

/**
 * Addresses that mean nothing on the open internet, written as numbers: of this machine, of private networks (RFC 1918, 4193,
 * 6598), of the link (RFC 3927, 4291), and those reserved for other things than hosts (RFC 6890).
 */
export const isInternal = (hostname: string): boolean => {
  const host = hostname.toLowerCase().replace(/\.$/, '')
  if (host === 'localhost' || host.endsWith('.localhost')) return true
  if (host.startsWith('[')) return isInternalIpv6(groupsOf(host.slice(1, -1)))
  // The URL parser has written every form of an IPv4 address (octal, one number) as four.
  const parts = /^(\d+)\.(\d+)\.(\d+)\.\d+$/.exec(host)
  return parts !== null && isInternalIpv4(Number(parts[1]), Number(parts[2]), Number(parts[3]))
}

const isInternalIpv4 = (first: number, second: number, third: number): boolean =>
  first === 0 ||
  first === 10 ||
  first === 127 ||
  (first === 100 && second >= 64 && second < 128) ||
  (first === 169 && second === 254) ||
  (first === 172 && second >= 16 && second < 32) ||
  (first === 192 && second === 168) ||
  (first === 192 && second === 0 && third === 0) ||
  (first === 198 && (second === 18 || second === 19)) ||
  first >= 224

/** The eight numbers of an IPv6 address, as the URL parser writes it: hex only, without a zone. */
const groupsOf = (address: string): readonly number[] => {
  const [front = [], back = []] = address
    .split('::')
    .map((half) => half.split(':').flatMap((group) => (group === '' ? [] : [Number.parseInt(group, 16)])))
  return [...front, ...Array.from({ length: 8 - front.length - back.length }, () => 0), ...back]
}

const isInternalIpv6 = (groups: readonly number[]): boolean => {
  const [first = 0, second = 0, third = 0] = groups
  // Unique local, of the link, of the site (as it once was), multicast, and what a translator of this network keeps to itself.
  if ((first & 0xfe00) === 0xfc00 || (first & 0xff80) === 0xfe80 || first >= 0xff00) return true
  if (first === 0x64 && second === 0xff9b && third === 1) return true
  const embedded = ipv4In(groups)
  return embedded !== undefined && isInternalIpv4(embedded.high >> 8, embedded.high & 0xff, embedded.low >> 8)
}

/** Prefixes behind which the last four bytes are an IPv4 address: compatible (also `::` and `::1`), mapped, translated, NAT64. */
const carriers: ReadonlySet<string> = new Set([
  '0,0,0,0,0,0',
  '0,0,0,0,0,65535',
  '0,0,0,0,65535,0',
  '100,65435,0,0,0,0',
])

/** The IPv4 address that is reached by this IPv6 address: another way to write it, or the far end of a tunnel (RFC 3056). */
const ipv4In = (groups: readonly number[]): { readonly high: number; readonly low: number } | undefined => {
  if (groups[0] === 0x2002) return { high: groups[1] ?? 0, low: groups[2] ?? 0 }
  if (carriers.has(groups.slice(0, 6).join())) return { high: groups[6] ?? 0, low: groups[7] ?? 0 }
  return undefined
}

/** Whether it is this machine: what is said to it is on no wire. */
export const isLoopback = (hostname: string): boolean =>
  /^(?:localhost|.*\.localhost|127\.\d+\.\d+\.\d+|\[::1\])\.?$/.test(hostname.toLowerCase())

const shown = (text: string): string => JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}…` : text)
