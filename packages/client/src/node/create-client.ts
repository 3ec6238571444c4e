import { createSecureContext } from 'node:tls'
import { type Client, type ClientOptions, createClient as createPlainClient, type OpenLocal } from '../client.ts'
import { defaultCredentials } from '../credentials/index.ts'
import { ClientError } from '../errors.ts'
import { checkHosts } from '../transport/check-hosts.ts'
import { canonicalRegistry, type HostOptions, type Hosts, resolveHost } from '../transport/hosts.ts'
import { openDockerArchive } from './archive/docker-archive.ts'
import { openOciArchive } from './archive/oci-archive.ts'
import { openLayout } from './layout/open-layout.ts'
import { createNodeFetch, type TlsOptions } from './node-fetch.ts'

/**
 * How one registry is spoken to, certificates included. Those of `*` are for registries that are not listed; of them, token servers
 * and whatever else a registry leads to get the authorities (`tls.ca`) alone.
 */
export interface NodeHostOptions extends HostOptions {
  readonly tls?: TlsOptions
}

/** What a client is made of in Node. */
export interface NodeClientOptions extends Omit<ClientOptions, 'hosts'> {
  readonly hosts?: Readonly<Record<string, NodeHostOptions>>
  /** Whether `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY` count. Default true. */
  readonly proxy?: boolean
}

const tlsKeys: ReadonlySet<string> = new Set(['ca', 'cert', 'key', 'insecure'])

/**
 * A client with all that Node has: certificates and proxies, credentials as Docker and podman keep them, layouts and archives on
 * the disk.
 *
 * @throws {ClientError} `usage`, naming every option that is unknown or out of range
 */
export const createClient = (options: NodeClientOptions = {}): Client => {
  const { hosts = {}, proxy, ...rest } = options
  if (proxy !== undefined && typeof proxy !== 'boolean') throw new ClientError('usage', 'proxy must be a boolean.')
  const plainHosts = withoutTls(hosts)
  checkHosts(plainHosts)
  const tls: Record<string, TlsOptions> = {}
  for (const [name, { tls: own }] of Object.entries(hosts)) {
    if (own !== undefined) checkTls(name, own, options)
    const address = name === '*' ? name : addressOf(name, plainHosts)
    // What is listed without any has none: `*` is for what is not listed. Two names may lead to one address.
    if (own !== undefined || !Object.hasOwn(tls, address)) tls[address] = own ?? {}
  }
  const node = createNodeFetch({ tls, ...(proxy === undefined ? {} : { proxy }) })
  const { onWarning } = options
  const client = createPlainClient({
    fetch: node.fetch,
    sendsStreams: true,
    openLocal,
    ...rest,
    credentials:
      options.credentials ??
      defaultCredentials(
        onWarning === undefined ? {} : { onWarning: (text: string) => onWarning({ registry: 'credentials', text }) },
      ),
    hosts: plainHosts,
  })
  return {
    ...client,
    async [Symbol.asyncDispose]() {
      await client[Symbol.asyncDispose]()
      await node[Symbol.asyncDispose]()
    },
  }
}

/** Host and port, as URLs have them. */
const addressOf = (name: string, hosts: Hosts): string =>
  new URL(resolveHost(canonicalRegistry(name), hosts[name] ?? {}).endpoint).host

/** What is no object is left as it is, for the check to find. */
const withoutTls = (hosts: NonNullable<NodeClientOptions['hosts']>): Hosts => {
  if (typeof hosts !== 'object' || hosts === null) return hosts
  const entries = Object.entries(hosts).map(([name, host]): [string, HostOptions] => {
    if (typeof host !== 'object' || host === null) return [name, host]
    const { tls: _, ...plain } = host
    return [name, plain]
  })
  return Object.fromEntries(entries)
}

const checkTls = (name: string, tls: TlsOptions, { fetch }: NodeClientOptions): void => {
  const wrong = (what: string): ClientError => new ClientError('usage', `hosts["${name}"].tls${what}.`)
  if (typeof tls !== 'object' || tls === null) throw wrong(' must be an object')
  const unknown = Object.keys(tls).filter((key) => !tlsKeys.has(key))
  if (unknown.length > 0) throw wrong(`.${unknown.join(', ')} is not an option; there are ${[...tlsKeys].join(', ')}`)
  if (fetch !== undefined) throw wrong(' does nothing with a fetch of your own')
  const { ca, cert, key, insecure } = tls
  if ((cert === undefined) !== (key === undefined)) throw wrong(' needs both cert and key, or neither')
  if (insecure !== undefined && typeof insecure !== 'boolean') throw wrong('.insecure must be true or false')
  for (const one of ca === undefined ? [] : [ca].flat()) {
    if (!String(one).includes('-----BEGIN CERTIFICATE-----')) throw wrong('.ca is not PEM, or has no certificate')
  }
  try {
    createSecureContext({ ...(cert === undefined ? {} : { cert }), ...(key === undefined ? {} : { key }) })
  } catch (cause) {
    const text = 'is not PEM, or the key is not that of the certificate'
    throw new ClientError('usage', `hosts["${name}"].tls.cert or .key ${text}.`, { cause })
  }
}

const openLocal: OpenLocal = async ({ scheme, path }, mode, { hash }) => {
  const options = { create: mode === 'write', hash }
  if (scheme === 'ocidir') return openLayout(path, options)
  if (scheme === 'oci-archive') return openOciArchive(path, options)
  if (scheme === 'docker-archive') return openDockerArchive(path, options)
  throw new ClientError('unsupported', `${scheme}: is not a place on this machine.`)
}
