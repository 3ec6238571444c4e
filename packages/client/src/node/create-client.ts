import { type Client, type ClientOptions, createClient as createPlainClient, type OpenLocal } from '../client.ts'
import { defaultCredentials } from '../credentials/index.ts'
import { ClientError } from '../errors.ts'
import { canonicalRegistry, type HostOptions, resolveHost } from '../transport/hosts.ts'
import { openDockerArchive } from './archive/docker-archive.ts'
import { openOciArchive } from './archive/oci-archive.ts'
import { openLayout } from './layout/open-layout.ts'
import { createNodeFetch, type TlsOptions } from './node-fetch.ts'

export interface NodeHostOptions extends HostOptions {
  readonly tls?: TlsOptions
}

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
  const plainHosts: Record<string, HostOptions> = {}
  const tls: Record<string, TlsOptions> = {}
  for (const [name, { tls: own, ...host }] of Object.entries(hosts)) {
    plainHosts[name] = host
    if (own === undefined) continue
    checkTls(name, own, options)
    tls[name === '*' ? name : new URL(resolveHost(canonicalRegistry(name), host).endpoint).host] = own
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

const checkTls = (name: string, tls: TlsOptions, { fetch }: NodeClientOptions): void => {
  const unknown = Object.keys(tls).filter((key) => !tlsKeys.has(key))
  if (unknown.length > 0) {
    throw new ClientError('usage', `hosts["${name}"].tls.${unknown[0]} is not an option; there are ${[...tlsKeys].join(', ')}.`)
  }
  if (fetch !== undefined) throw new ClientError('usage', `hosts["${name}"].tls does nothing with a fetch of your own.`)
  if ((tls.cert === undefined) !== (tls.key === undefined)) {
    throw new ClientError('usage', `hosts["${name}"].tls needs both cert and key, or neither.`)
  }
}

const openLocal: OpenLocal = async ({ scheme, path }, mode, { hash }) => {
  const options = { create: mode === 'write', hash }
  if (scheme === 'ocidir') return openLayout(path, options)
  if (scheme === 'oci-archive') return openOciArchive(path, options)
  if (scheme === 'docker-archive') return openDockerArchive(path, options)
  throw new ClientError('unsupported', `${scheme}: is not a place on this machine.`)
}
