import type { ClientAddress } from '../limits/proxies.ts'
import type { Incoming } from './exchange.ts'

/** Who is at the other end, and under which name it reached the registry. */
export interface Client {
  /** Undefined where the door cannot see it. */
  readonly address: string | undefined
  readonly scheme: 'http' | 'https'
  /** `host` or `host:port`; undefined when what was sent cannot be one. */
  readonly authority: string | undefined
}

/** @param forwarded Asks the headers of proxies. Without it nothing but the socket and the request itself is believed. */
export const clientOf = (incoming: Incoming, forwarded: ClientAddress | undefined): Client => {
  const said = forwarded?.(incoming.remoteAddress, (name) => incoming.header(name))
  return {
    address: said === undefined ? incoming.remoteAddress : said.address,
    scheme: said?.scheme ?? (incoming.secure ? 'https' : 'http'),
    authority: checked(said?.host ?? incoming.authority),
  }
}

/** A name or an IPv4 address, or an IPv6 address in brackets; and a port. Without user, as every browser sends it. */
const authority = /^(?:[a-z0-9][a-z0-9._-]*|\[[0-9a-f:.]+\])(?::\d{1,5})?$/i

/** The longest name and its port. */
const longest = 253 + 1 + 5

/** It is put into headers: what is more than a name and a port would say something there. */
const checked = (value: string | undefined): string | undefined =>
  value !== undefined && value.length <= longest && authority.test(value) ? value : undefined
