import { createSecureContext, getCACertificates } from 'node:tls'
import { Agent, type Dispatcher, EnvHttpProxyAgent, request } from 'undici'
import type { Fetch } from '../transport/fetch.ts'

/** How TLS is spoken with one host. Certificates and keys are PEM. */
export interface TlsOptions {
  /** Authorities that are trusted for this host, besides those of Node. */
  readonly ca?: string | Buffer | readonly (string | Buffer)[]
  /** What this client shows of itself, and the key to it. */
  readonly cert?: string | Buffer
  readonly key?: string | Buffer
  /** Whoever answers is believed to be the host. For tests. */
  readonly insecure?: boolean
}

/** Certificates and proxies. */
export interface NodeFetchOptions {
  /**
   * By host and port, as URLs have them; `*` is for all other registries. Of `*`, token servers and whatever else a registry leads
   * to get the authorities alone: nobody there is shown its certificate, and nobody there is believed blindly.
   */
  readonly tls?: Readonly<Record<string, TlsOptions>>
  /** Whether `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY` count. Default true. */
  readonly proxy?: boolean
}

/** A `fetch` with certificates and proxies. Dispose of it to close its connections. */
export interface NodeFetch extends AsyncDisposable {
  readonly fetch: Fetch
}

/** Connections to one origin. */
const connections = 64

/** On Bun by its own `fetch`: what it has in place of undici takes no notice of certificates. */
export const createNodeFetch = (options: NodeFetchOptions = {}): NodeFetch =>
  'Bun' in globalThis ? createBunFetch(options) : createUndiciFetch(options)

/**
 * Requests by undici itself, below its `fetch`: bodies are Node's streams, which cost a copy of gigabytes half of what web
 * streams do, and nothing is decompressed on the way.
 */
const createUndiciFetch = ({ tls = {}, proxy = true }: NodeFetchOptions): NodeFetch => {
  const dispatchers = new Map<string, Dispatcher>()
  const dispatcherFor = (host: string, elsewhere: boolean): Dispatcher => {
    const [key, options] = optionsFor(tls, host, elsewhere)
    let dispatcher = dispatchers.get(key)
    if (dispatcher === undefined) {
      dispatcher = createDispatcher(options, proxy)
      dispatchers.set(key, dispatcher)
    }
    return dispatcher
  }
  return {
    fetch: async (url, { method, headers, body, signal, elsewhere = false }) => {
      const answer = await request(url, {
        dispatcher: dispatcherFor(new URL(url).host, elsewhere),
        method,
        headers: Object.fromEntries(headers),
        body: (body ?? null) as Exclude<Dispatcher.DispatchOptions['body'], undefined>,
        signal,
      })
      const received = toHeaders(answer.headers)
      const empty =
        method === 'HEAD' ||
        answer.statusCode === 204 ||
        answer.statusCode === 304 ||
        received.get('content-length') === '0'
      // What is not read would keep the connection.
      if (empty) await answer.body.dump()
      return { status: answer.statusCode, headers: received, body: empty ? null : answer.body }
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...dispatchers.values()].map(async (dispatcher) => dispatcher.destroy()))
    },
  }
}

/** What Bun's `fetch` takes besides. */
interface BunInit {
  readonly tls?: Pick<TlsOptions, 'ca' | 'cert' | 'key'> & { readonly rejectUnauthorized: boolean }
  /** The environment's, unless it is `false`. */
  readonly proxy?: false
  readonly decompress: boolean
}

/** It keeps connections with different certificates apart, and closes those that rest by itself. */
const createBunFetch = ({ tls = {}, proxy = true }: NodeFetchOptions): NodeFetch => ({
  fetch: async (url, { elsewhere = false, ...init }) => {
    const [, { insecure, ...own }] = optionsFor(tls, new URL(url).host, elsewhere)
    const more: BunInit = {
      tls: { ...own, rejectUnauthorized: insecure !== true },
      ...(proxy ? {} : { proxy: false }),
      // Inflated bytes would not be those of the digest.
      decompress: false,
    }
    return globalThis.fetch(url, { ...init, ...more })
  },
  [Symbol.asyncDispose]: async () => {},
})

/** One set of options, and one pool, for all registries without options of their own, and one for all that is no registry. */
const optionsFor = (
  tls: NonNullable<NodeFetchOptions['tls']>,
  host: string,
  elsewhere: boolean,
): readonly [key: string, TlsOptions] => {
  if (host !== '*' && Object.hasOwn(tls, host)) return [host, tls[host] ?? {}]
  const { '*': others = {} } = tls
  if (!elsewhere) return ['*', others]
  return ['elsewhere', others.ca === undefined ? {} : { ca: others.ca }]
}

const createDispatcher = ({ ca, cert, key, insecure }: TlsOptions, proxy: boolean): Dispatcher => {
  // One for all connections: Node's authorities are many, and reading them takes longer than a handshake.
  const secureContext =
    ca === undefined && cert === undefined
      ? undefined
      : createSecureContext({
          // Given alone, they would be the only ones: the token server or the object store of a registry has others.
          ...(ca === undefined ? {} : { ca: [...getCACertificates(), ...[ca].flat()] }),
          ...(cert === undefined ? {} : { cert }),
          ...(key === undefined ? {} : { key }),
        })
  const connect = {
    ...(secureContext === undefined ? {} : { secureContext }),
    ...(insecure === true ? { rejectUnauthorized: false } : {}),
    timeout: 30_000,
  }
  // Times are watched above, where it is known whose turn it is.
  const common = { connections, headersTimeout: 0, bodyTimeout: 0, connect }
  return proxy ? new EnvHttpProxyAgent({ ...common, requestTls: connect }) : new Agent(common)
}

const toHeaders = (raw: NodeJS.Dict<string | string[]>): Headers => {
  const headers = new Headers()
  for (const [name, value] of Object.entries(raw)) {
    for (const item of value === undefined ? [] : [value].flat()) headers.append(name, item)
  }
  return headers
}
