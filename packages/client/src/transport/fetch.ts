/**
 * What the client needs of `fetch`. The global one of every runtime fits; `@stowage/client/node` brings one with certificates,
 * proxies and a pool of its own; a test may hand a registry's `fetch` in.
 */
export type Fetch = (url: string, init: FetchInit) => Promise<FetchAnswer>

/** How a request is sent: a part of `RequestInit`. */
export interface FetchInit {
  readonly method: string
  readonly headers: Headers
  readonly body?: Uint8Array<ArrayBuffer> | Blob | ReadableStream<Uint8Array>
  /** Set with a stream: without it `fetch` refuses one. */
  readonly duplex?: 'half'
  readonly redirect: 'manual' | 'follow'
  readonly signal: AbortSignal
  readonly credentials: 'omit'
  readonly cache: 'no-store'
  readonly referrerPolicy: 'no-referrer'
  /**
   * Set where the request goes to another origin than that of the registry that was called: to a token server, or to where a
   * redirect leads. A `fetch` that shows certificates, or overlooks those of others, must not do so there for the registry's sake.
   */
  readonly elsewhere?: true
}

/** As much of a `Response` as is looked at. */
export interface FetchAnswer {
  readonly status: number
  readonly headers: Headers
  readonly body: ReadableStream<Uint8Array> | AsyncIterable<Uint8Array> | null
  /** `opaqueredirect` is what browsers answer for `redirect: 'manual'`. */
  readonly type?: string
  /** Where a browser ended up that followed redirects by itself. */
  readonly url?: string
}

/** Of the global object, what tells runtimes apart. */
export interface Runtime {
  readonly process?: { readonly versions?: { readonly node?: unknown } }
  readonly Deno?: unknown
}

/** Node, Bun and Deno say which Node they are. What bundlers put into a page in place of `process` has no versions. */
export const isBrowser = ({ process, Deno }: Runtime): boolean =>
  process?.versions?.node === undefined && Deno === undefined

export const inBrowser = isBrowser(globalThis)

/** Looked up at each call: a program may replace the global after this module was loaded. */
export const globalFetch: Fetch = async (url, init) => {
  const headers = new Headers(init.headers)
  // Chromium leaves it out; Firefox asks the registry first whether it may be sent, and hardly any lets it.
  if (inBrowser) headers.delete('user-agent')
  const fetch = globalThis.fetch as unknown as (url: string, init: FetchInit) => Promise<FetchAnswer>
  return fetch(url, { ...init, headers })
}

/**
 * Whether `fetch` sends a stream while it is made. Browsers do so over HTTP/2 at best and refuse it otherwise, so there
 * uploads go in whole pieces.
 */
export const sendsStreams = !inBrowser
