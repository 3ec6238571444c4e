import { createServer, type Server, type ServerOptions } from 'node:http'
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { type Address, formatAddress } from '../config/address.ts'
import type { Settings } from '../config/settings.ts'
import { StowageError } from '../failure.ts'
import type { Permit } from './policy.ts'

/** A server that does not listen yet. */
export const createHttpServer = (settings: Settings, tls: Permit['tls']): Server | TlsServer => {
  const options: ServerOptions = {
    // The time for a whole request depends on its size and the line: `watchConnections` looks at progress instead.
    requestTimeout: 0,
    // Must be said: when `requestTimeout` is 0 its default is 0 too, and whoever sends half a head stays for ever.
    headersTimeout: 15_000,
    keepAliveTimeout: settings['limits.keepAlive'] * 1000,
    connectionsCheckingInterval: 5000,
    maxHeaderSize: 16 * 1024,
  }
  if (tls === undefined) return createServer(options)
  return createTlsServer({ ...options, ...tls, minVersion: 'TLSv1.2', handshakeTimeout: 15_000 })
}

/** @throws StowageError that says why the address cannot be had. */
export const listen = async (server: Server | TlsServer, address: Address): Promise<Address> => {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.once('error', reject)
  server.listen({ port: address.port, ...(address.host === '' ? {} : { host: address.host }) }, resolve)
  try {
    await promise
  } catch (cause) {
    throw new StowageError('unavailable', explain(address, cause), { cause })
  } finally {
    server.removeListener('error', reject)
  }
  return { host: address.host, port: (server.address() as AddressInfo).port }
}

const explain = (address: Address, cause: unknown): string => {
  const where = address.host === '' ? `port ${address.port}` : formatAddress(address)
  switch (cause instanceof Error && 'code' in cause ? cause.code : undefined) {
    case 'EADDRINUSE':
      return `Another program listens on ${where} already. Stop it, or choose another port, as in: stowage serve 5001`
    case 'EADDRNOTAVAIL':
      return `This machine has no network interface with the address ${address.host}.`
    case 'EACCES':
      return `This user may not listen on ${where}. Ports below 1024 are often reserved: choose a higher one.`
    default:
      return `${where} cannot be listened on: ${cause instanceof Error ? cause.message : String(cause)}`
  }
}
