import { isIPv4, isIPv6 } from 'node:net'

/** Where to listen. `host` is empty for every interface. */
export interface Address {
  readonly host: string
  readonly port: number
}

const defaultPort = 5000

/**
 * Reads `5000`, `:5000`, `127.0.0.1:8000`, `localhost:8000`, `[::1]:5000`, `0.0.0.0`, `::1`. A number alone means this
 * machine only; a colon before it means every interface, as in other registries. Port 0 takes a free one.
 *
 * @returns undefined when it is no address.
 */
export const parseAddress = (text: string): Address | undefined => {
  if (/^\d+$/.test(text)) return withPort('127.0.0.1', text)
  if (isIPv6(text)) return { host: text, port: defaultPort }
  const bracketed = /^\[([^\]]*)\](?::(\d+))?$/.exec(text)
  if (bracketed !== null) {
    const [, host = '', port] = bracketed
    return isIPv6(host) ? withPort(host, port) : undefined
  }
  const plain = /^([^:]*)(?::(\d+))?$/.exec(text)
  if (plain === null) return undefined
  const [, host = '', port] = plain
  if (host === '') return port === undefined ? undefined : withPort('', port)
  if (/^[\d.]+$/.test(host) ? !isIPv4(host) : !hostName.test(host)) return undefined
  return withPort(host, port)
}

const hostName = /^(?=.{1,253}$)[a-z0-9_](?:[a-z0-9_-]*[a-z0-9])?(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9])?)*$/i

const withPort = (host: string, port: string | undefined): Address | undefined => {
  const number = port === undefined ? defaultPort : Number(port)
  return number <= 65_535 ? { host, port: number } : undefined
}

/** 127.0.0.0/8 and ::1, also as IPv6 writes IPv4. */
export const isLoopback = (ip: string): boolean =>
  isIPv4(ip) ? ip.startsWith('127.') : ip === '::1' || /^::ffff:127\.\d+\.\d+\.\d+$/i.test(ip)

/** `host:port` as URLs and references write it. */
export const formatAddress = ({ host, port }: Address): string =>
  isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`
