import type { Client } from './client.ts'
import { addVary, type Incoming, type Reply, type ReplyHeaders } from './exchange.ts'

/** Which pages of other origins may call the registry from a browser. Off unless given. */
export interface Cors {
  /** Exact origins (`https://app.example`), or `*` for every origin; credentials in cookies are never allowed. */
  readonly origins: readonly string[] | '*'
}

/** Everything a client reads that browsers hide unless it is named. */
const exposed = [
  'Accept-Ranges',
  'Content-Length',
  'Content-Range',
  'Docker-Content-Digest',
  'Docker-Distribution-API-Version',
  'Docker-Upload-UUID',
  'ETag',
  'Link',
  'Location',
  'OCI-Chunk-Min-Length',
  'OCI-Filters-Applied',
  'OCI-Subject',
  'OCI-Tag',
  'Range',
  'Retry-After',
  'Warning',
  'WWW-Authenticate',
].join(', ')

export const withCors = (cors: Cors, incoming: Incoming, headers: ReplyHeaders): void => {
  const origin = allowed(cors, incoming)
  // An answer that depends on the origin must say so to caches, also when it was refused.
  if (cors.origins !== '*') addVary(headers, 'Origin')
  if (origin === undefined) return
  headers['access-control-allow-origin'] = origin
  headers['access-control-expose-headers'] = exposed
  headers['cross-origin-resource-policy'] = 'cross-origin'
}

export const preflight = (cors: Cors, incoming: Incoming): Reply => {
  if (allowed(cors, incoming) === undefined) return { status: 204, headers: {}, body: null }
  const requested = incoming.header('access-control-request-headers')
  return {
    status: 204,
    headers: {
      'access-control-allow-methods': 'GET, HEAD, POST, PUT, PATCH, DELETE',
      // `Authorization` is not covered by `*`; what the browser asks for is repeated.
      ...(requested === null ? {} : { 'access-control-allow-headers': requested }),
      'access-control-max-age': '600',
    },
    body: null,
  }
}

/**
 * Whether a page of another origin, which was not let in, makes its visitor's browser write. For a POST without unusual headers
 * browsers ask nobody first, so that every page on the Web could fill a registry that listens on its visitor's machine.
 *
 * `Sec-Fetch-Site` is set by browsers alone and cannot be forged by a page (Fetch Metadata Request Headers, section 2.4), but
 * old ones do not know it and others send it only where the connection is safe. All send `Origin` with what writes; clients
 * that are no browsers send neither.
 */
export const isForeignWrite = (
  cors: Cors | undefined,
  incoming: Incoming,
  client: Client,
  publicUrl: string,
): boolean => {
  if (incoming.method === 'GET' || incoming.method === 'HEAD' || incoming.method === 'OPTIONS') return false
  const site = incoming.header('sec-fetch-site')
  if (site === null ? isOwnOrigin(incoming.header('origin'), client, publicUrl) : ownSites.has(site)) return false
  return cors === undefined || allowed(cors, incoming) === undefined
}

/** `none`: the visitor's own doing. A page of the same site is another's: neighbours under one domain need not be friends. */
const ownSites: ReadonlySet<string> = new Set(['same-origin', 'none'])

const isOwnOrigin = (origin: string | null, { scheme, authority }: Client, publicUrl: string): boolean => {
  if (origin === null) return true
  // `null` is any sandboxed page there is.
  if (!URL.canParse(origin)) return false
  const page = new URL(origin)
  if (publicUrl !== '' && page.origin === new URL(publicUrl).origin) return true
  if (authority === undefined) return false
  // What came without TLS as far as can be seen here may have come with it to a proxy. The other way round there is no doubt.
  if (scheme === 'https' && page.protocol !== 'https:') return false
  return URL.canParse(`${page.protocol}//${authority}`) && new URL(`${page.protocol}//${authority}`).host === page.host
}

const allowed = (cors: Cors, incoming: Incoming): string | undefined => {
  const origin = incoming.header('origin')
  if (origin === null) return undefined
  if (cors.origins === '*') return '*'
  // By type a list; where no types are checked, a string would let in every origin that is a part of it.
  return [cors.origins].flat().includes(origin) ? origin : undefined
}
