import { plainAddress } from './network.ts'

/** What one proxy says of who sent the request to it. */
export interface Hop {
  readonly address: string
  readonly scheme?: 'http' | 'https'
  readonly host?: string
}

/** A value of `X-Forwarded-For`; some proxies add the port. Undefined for anything that is not an address. */
export const hopOf = (value: string): Hop | undefined => {
  const address = addressOf(value.trim())
  return address === undefined ? undefined : { address }
}

/**
 * An element of `Forwarded` (RFC 7239 section 4). Undefined when it is malformed, or when `for` is missing, `unknown` or a
 * name that the proxy made up.
 */
export const forwardedHopOf = (element: string): Hop | undefined => {
  const said = new Map<string, string>()
  for (const pair of element.split(';')) {
    const match = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+)=(?:([!#$%&'*+.^_`|~0-9A-Za-z-]+)|"([^"\\]*)")$/.exec(pair.trim())
    if (match === null) return undefined
    const name = (match[1] ?? '').toLowerCase()
    // "Each parameter MUST NOT occur more than once per field-value."
    if (said.has(name)) return undefined
    said.set(name, match[2] ?? match[3] ?? '')
  }
  const address = addressOf(said.get('for') ?? '')
  const scheme = schemeOf(said.get('proto'))
  const host = hostOf(said.get('host'))
  return address === undefined ? undefined : { address, ...(scheme && { scheme }), ...(host && { host }) }
}

export const schemeOf = (value: string | undefined): 'http' | 'https' | undefined => {
  const scheme = value?.trim().toLowerCase()
  return scheme === 'http' || scheme === 'https' ? scheme : undefined
}

/** `host[:port]`, of which URLs may be made. Undefined for anything else: no path, no user, no quotes, nothing escaped. */
export const hostOf = (value: string | undefined): string | undefined => {
  const text = value?.trim() ?? ''
  const match = text.length > 262 ? null : /^([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::([0-9]{1,5}))?$/.exec(text)
  if (match === null) return undefined
  const [, , port] = match
  if (port !== undefined && Number(port) === 0) return undefined
  // IPv4 in brackets, numbers that are no address: what looks like a host and is none to whoever reads URLs.
  return URL.canParse(`http://${text}`) ? text.toLowerCase() : undefined
}

/** An address, alone or with a port: `192.0.2.1:80`, `[2001:db8::1]:80`. */
const addressOf = (text: string): string | undefined => {
  if (text.length > 64) return undefined
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([0-9.]+))(?::[0-9]{1,5})?$/.exec(text)
  return plainAddress(match?.[1] ?? match?.[2] ?? text)?.address
}
