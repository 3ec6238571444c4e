import { BlockList, isIP } from 'node:net'
import { OptionsError } from '../errors.ts'
import { forwardedHopOf, type Hop, hopOf, hostOf, schemeOf } from './forwarded.ts'
import { plainAddress } from './network.ts'

/** Who sends a request, and where he thinks he sends it. */
export interface Client {
  /** In one spelling; undefined where the connection has none (a Unix socket, a host that does not say). */
  readonly address: string | undefined
  /** Only when a trusted proxy says so. */
  readonly scheme?: 'http' | 'https'
  /** `host[:port]`, only when a trusted proxy says so. */
  readonly host?: string
}

/** @param header Its lines joined by `, `; null when it is not there. */
export type ClientAddress = (peer: string | undefined, header: (name: string) => string | null) => Client

/** More proxies than this stand before no registry. */
const mostHops = 32

/**
 * Says who the client is where proxies stand before the registry. `X-Forwarded-For` is read from the right, where the
 * nearest proxy wrote: each hop is believed as long as the one that names it is trusted, and the first that is not trusted is
 * the client. What stands further left anybody can have written. A value that is no address ends the walk at the last good
 * hop. `Forwarded` (RFC 7239) is read the same way where it stands instead.
 *
 * A proxy sets one of the two and hands the other one on as the client sent it. Which of them it is cannot be known, so when
 * both are there and name different clients, neither is believed.
 *
 * @param options.trusted Addresses and networks (`10.0.0.0/8`) of the proxies. Empty: nobody is believed.
 * @throws Error that names what is neither.
 */
export const createClientAddress = (options: { readonly trusted: readonly string[] }): ClientAddress => {
  const proxies = blockListOf(options.trusted)
  const isTrusted = (address: string): boolean => {
    const plain = plainAddress(address)
    return plain !== undefined && proxies.check(plain.address, plain.family)
  }

  /** The hops that are believed, the client last. */
  const walk = (header: string | null, parse: (value: string) => Hop | undefined): Hop[] => {
    const hops: Hop[] = []
    for (const value of header?.split(',').slice(-mostHops).toReversed() ?? []) {
      const hop = parse(value)
      if (hop === undefined) break
      hops.push(hop)
      if (!isTrusted(hop.address)) break
    }
    return hops
  }

  return (peer, header) => {
    const address = peer === undefined ? undefined : (plainAddress(peer)?.address ?? peer)
    if (address === undefined || !isTrusted(address)) return { address }
    const [listed, standard] = [header('x-forwarded-for'), header('forwarded')]
    const hops = walk(listed, hopOf)
    const standardHops = walk(standard, forwardedHopOf)
    if (listed === null && standard !== null) return { ...(standardHops.at(-1) ?? { address }) }
    const client = hops.at(-1)?.address ?? address
    if (standard !== null && client !== (standardHops.at(-1)?.address ?? address)) return { address }
    const scheme = schemeOf(writtenBy(hops.length, header('x-forwarded-proto')))
    const host = hostOf(writtenBy(hops.length, header('x-forwarded-host')))
    return { address: client, ...(scheme && { scheme }), ...(host && { host }) }
  }
}

/**
 * What the proxy wrote that the client spoke to. Each proxy adds a value on the right, or sets the only one; there are as
 * many proxies as hops.
 */
const writtenBy = (hops: number, header: string | null): string | undefined => {
  const values = header?.split(',') ?? []
  return values[Math.max(0, values.length - Math.max(1, hops))]
}

const blockListOf = (trusted: readonly string[]): BlockList => {
  const list = new BlockList()
  for (const entry of trusted) {
    const [address = '', prefix, ...rest] = entry.trim().split('/')
    const family = isIP(address)
    // A zone is of one machine's interfaces, and no list of addresses knows it.
    if (family === 0 || address.includes('%') || rest.length > 0) throw noNetwork(entry)
    const bits = family === 4 ? 32 : 128
    const length = prefix === undefined ? bits : /^[0-9]{1,3}$/.test(prefix) ? Number(prefix) : Infinity
    if (length > bits) throw noNetwork(entry)
    // Peers are compared as IPv4 where they are.
    const plain = plainAddress(address)
    if (plain === undefined || (family === 6 && plain.family === 'ipv4' && length < 96)) throw noNetwork(entry)
    list.addSubnet(plain.address, family === 6 && plain.family === 'ipv4' ? length - 96 : length, plain.family)
  }
  return list
}

const noNetwork = (entry: string): OptionsError =>
  new OptionsError(
    `${JSON.stringify(entry)} is not an address or a network of trusted proxies; write 10.0.0.7, 10.0.0.0/8 or fd00::/8`,
  )
