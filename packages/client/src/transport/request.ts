import { ClientError } from '../errors.ts'
import type { Host } from './hosts.ts'
import { parseDestination, requireSameOrigin } from './origin.ts'
import type { Call } from './call.ts'

/** Checked here, at the one way out: a URL that was stored, or came from a header, is of the registry's own origin or not sent. */
export const urlOf = (host: Host, { target, query = {} }: Pick<Call, 'target' | 'query'>): string => {
  const url = target.startsWith('/')
    ? new URL(`${host.endpoint}${target}`)
    : parseDestination(target, host.endpoint, 'URL')
  requireSameOrigin(host.endpoint, url, 'URL')
  // The URL parser has walked up by then, and what is asked for would be something else than was checked.
  if (/(?:^|\/)(?:\.|%2e){1,2}(?:[/?#]|$)|\\/i.test(target.replace(/[?#].*$/, ''))) {
    throw new ClientError('usage', `${JSON.stringify(target.slice(0, 200))} has steps like ".." in it.`)
  }
  // Behind what there is, as it is: it may be signed.
  const added = new URLSearchParams(query).toString()
  if (added !== '') url.search = url.search === '' ? added : `${url.search}&${added}`
  return url.href
}

/** The headers of a call, with those that every request has. */
export const headersOf = (
  host: Host,
  { headers: own, content, length, offset = 0 }: Call,
  userAgent: string,
): Headers => {
  const headers = new Headers({ ...host.headers, ...own })
  if (!headers.has('user-agent')) headers.set('user-agent', userAgent)
  // Inflated bytes would not be those of the digest.
  if (!headers.has('accept-encoding')) headers.set('accept-encoding', 'identity')
  if (content === undefined) return headers
  const size = length ?? (content.size === undefined ? undefined : content.size - offset)
  // "chunked" is refused by registries in front of object stores.
  if (size !== undefined) headers.set('content-length', String(size))
  return headers
}

/** Headers that may go to another origin than they were meant for. */
const harmless = ['accept', 'accept-encoding', 'range', 'user-agent']

export const withoutSecrets = (headers: Headers): Headers => {
  const kept = new Headers()
  for (const name of harmless) {
    const value = headers.get(name)
    if (value !== null) kept.set(name, value)
  }
  return kept
}
