/**
 * Where this client lets itself be sent. A registry names other addresses in redirects, token realms, Locations and Links; each
 * of them could lead credentials to a stranger, or the client into the network it runs in (GHSA-jxpm-75mh-9fp7 and its like).
 */
import { ClientError } from '../errors.ts'

/** An absolute http or https URL without credentials in it; relative ones are resolved. @throws {ClientError} `refused` */
export const parseDestination = (text: string, base: string, what: string): URL => {
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
  const start = new URL(from)
  if (start.protocol === 'https:' && to.protocol === 'http:') {
    throw new ClientError(
      'refused',
      `The registry at ${start.origin} sent a ${what} from https down to http: ${to.origin}.`,
    )
  }
  if (start.hostname !== to.hostname && isInternal(to.hostname) && !isInternal(start.hostname)) {
    throw new ClientError(
      'refused',
      `The registry at ${start.origin} sent a ${what} into a private network: ${to.origin}. It is not followed.`,
    )
  }
}

/** Addresses of this machine, of private networks (RFC 1918, 4193, 6598) and of the link (RFC 3927, 4291), written as numbers. */
export const isInternal = (hostname: string): boolean => {
  const host = hostname.toLowerCase().replace(/\.$/, '')
  if (host === 'localhost' || host.endsWith('.localhost')) return true
  if (host.startsWith('[')) return isInternalIpv6(host.slice(1, -1))
  // The URL parser has written every form of an IPv4 address (octal, one number) as four.
  const parts = /^(\d+)\.(\d+)\.\d+\.\d+$/.exec(host)
  return parts !== null && isInternalIpv4(Number(parts[1]), Number(parts[2]))
}

const isInternalIpv4 = (first: number, second: number): boolean =>
  first === 0 ||
  first === 10 ||
  first === 127 ||
  (first === 100 && second >= 64 && second < 128) ||
  (first === 169 && second === 254) ||
  (first === 172 && second >= 16 && second < 32) ||
  (first === 192 && second === 168)

const isInternalIpv6 = (address: string): boolean => {
  if (address === '::' || address === '::1') return true
  // An IPv4 address within: the URL parser writes its two halves in hex.
  const mapped = /^::ffff:([0-9a-f]{1,4}):[0-9a-f]{1,4}$/.exec(address)
  if (mapped !== null) {
    const high = Number.parseInt(mapped[1] ?? '', 16)
    return isInternalIpv4(high >> 8, high & 0xff)
  }
  return /^f[cd]/.test(address) || /^fe[89ab]/.test(address)
}

/** A name that a loopback address has: what stays on this machine. */
export const isLoopback = (hostname: string): boolean => {
  const host = hostname.toLowerCase()
  return host === 'localhost' || host.endsWith('.localhost') || host === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(host)
}

/**
 * Whether two hosts are plainly of one owner: the same, or siblings under a name that is more than a public suffix
 * (`registry.example.com` and `auth.example.com`, `registry-1.docker.io` and `auth.docker.io`). Without the list of public
 * suffixes this is careful: under names like `co.uk` only the same host counts.
 */
export const isSameSite = (one: string, other: string): boolean => {
  if (one === other) return true
  if (isInternal(one) || isInternal(other) || /^[\d.]+$|^\[/.test(one)) return false
  const parent = one.split('.').slice(1)
  const [domain = '', suffix = ''] = parent.slice(-2)
  const looksPublic = parent.length < 2 || (parent.length === 2 && suffix.length === 2 && domain.length <= 3)
  const name = parent.join('.')
  return !looksPublic && (other === name || other.endsWith(`.${name}`))
}

const shown = (text: string): string => JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}…` : text)
