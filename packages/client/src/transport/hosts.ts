import { inBrowser } from './fetch.ts'

/** How one registry is spoken to. Unknown keys are errors. */
export interface HostOptions {
  /** Speak plain HTTP: never assumed, not for localhost either. */
  readonly plainHttp?: boolean
  /** Where its API is, when not at its own name: `https://registry-1.docker.io`. */
  readonly endpoint?: string
  /** Registries (`mirror.example`, or `mirror.example/prefix`) that are read from first, in this order. */
  readonly mirrors?: readonly string[]
  /**
   * Requests under way at once, reads and writes each. Default 8; in browsers 4, because they open six connections to an origin
   * over HTTP/1.1, and reads that wait for writes must not take them all.
   *
   * A read is under way until its bytes were read to the end or left. Whoever asks for more in the middle of that (a manifest
   * between two chunks of a blob) may, with as many others that do so, wait for places that they hold themselves: read one thing
   * to its end before the next, or allow for more at once. Questions whether something is there need none of these places.
   */
  readonly concurrency?: number
  readonly retry?: {
    /**
     * How often a request is sent at most before an answer to it has begun. An answer that breaks off is asked for again, and that as
     * often in a row as nothing came. Default 5.
     */
    readonly attempts?: number
    /** Milliseconds of the longest wait, `Retry-After` included. Default 60,000. */
    readonly maxDelay?: number
  }
  readonly timeouts?: {
    /** Milliseconds without a byte, in either direction. Default 60,000. */
    readonly idle?: number
    /** Milliseconds from the end of a request to the head of its answer. Default 300,000. */
    readonly answer?: number
  }
  /** Sent with each request to the registry itself, never to where it redirects. */
  readonly headers?: Readonly<Record<string, string>>
  /**
   * Hosts, with their ports where those are not the usual ones, that may be shown its credentials in exchange for a token, besides
   * its own origin. Those of Docker Hub and GitLab.com are known.
   */
  readonly tokenServers?: readonly string[]
  /** Whether it has the referrers API. Default `auto`: it is asked. */
  readonly referrers?: 'auto' | 'api' | 'tag'
  readonly uploads?: {
    /** Bytes of one PATCH. Default: the whole blob in one. */
    readonly chunkSize?: number
    /**
     * Blobs up to this many bytes go with the POST that begins an upload, or, where a registry does not take that, with the PUT that
     * closes it. Default 1 MiB; 0 never.
     */
    readonly singlePostUpTo?: number
  }
}

/** By the name that references have: `ghcr.io`, `localhost:5000`. `*` is for all that are not listed. */
export type Hosts = Readonly<Record<string, HostOptions>>

/** Host options with every default in. */
export interface Host {
  /** The name in references. */
  readonly registry: string
  /** `https://registry.example`, without a slash at the end. */
  readonly endpoint: string
  readonly mirrors: readonly { readonly registry: string; readonly prefix: string }[]
  readonly concurrency: number
  readonly attempts: number
  readonly maxDelay: number
  readonly idleTimeout: number
  readonly answerTimeout: number
  readonly headers: Readonly<Record<string, string>>
  readonly tokenServers: readonly string[]
  readonly referrers: 'auto' | 'api' | 'tag'
  readonly chunkSize: number | undefined
  readonly singlePostUpTo: number
}

/** Docker Hub has several names; references and credentials know it by the first. */
export const dockerHub = 'docker.io'
const dockerHubNames: ReadonlySet<string> = new Set([dockerHub, 'index.docker.io', 'registry-1.docker.io'])

/** The one name of a registry that has several: names of hosts are the same in upper and lower case. */
export const canonicalRegistry = (registry: string): string => {
  // A bare word that is a registry because it has capitals would, without them, be a name at Docker Hub.
  const name = /[.:]|^localhost$/i.test(registry) ? registry.toLowerCase() : registry
  return dockerHubNames.has(name) ? dockerHub : name
}

export const resolveHost = (registry: string, options: HostOptions): Host => {
  const scheme = options.plainHttp === true ? 'http' : 'https'
  const address = registry === dockerHub ? 'registry-1.docker.io' : registry
  return {
    registry,
    endpoint: (options.endpoint ?? `${scheme}://${address}`).replace(/\/+$/, ''),
    mirrors: (options.mirrors ?? []).map((mirror) => {
      const slash = mirror.indexOf('/')
      return slash === -1
        ? { registry: canonicalRegistry(mirror), prefix: '' }
        : { registry: canonicalRegistry(mirror.slice(0, slash)), prefix: `${mirror.slice(slash + 1)}/` }
    }),
    concurrency: options.concurrency ?? (inBrowser ? 4 : 8),
    attempts: options.retry?.attempts ?? 5,
    maxDelay: options.retry?.maxDelay ?? 60_000,
    idleTimeout: options.timeouts?.idle ?? 60_000,
    answerTimeout: options.timeouts?.answer ?? 300_000,
    headers: options.headers ?? {},
    tokenServers: options.tokenServers ?? [],
    referrers: options.referrers ?? 'auto',
    chunkSize: options.uploads?.chunkSize,
    singlePostUpTo: options.uploads?.singlePostUpTo ?? 1024 * 1024,
  }
}
