/**
 * What the client needs of `fetch`. The global one of every runtime fits; `@stowage/client/node` brings one with certificates,
 * proxies and a pool of its own; a test may hand a registry's `fetch` in.
 */
export type Fetch = (url: string, init: FetchInit) => Promise<FetchAnswer>

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
}

export interface FetchAnswer {
  readonly status: number
  readonly headers: Headers
  readonly body: ReadableStream<Uint8Array> | AsyncIterable<Uint8Array> | null
  /** `opaqueredirect` is what browsers answer for `redirect: 'manual'`. */
  readonly type?: string
  /** Where a browser ended up that followed redirects by itself. */
  readonly url?: string
}

/** Looked up at each call: a program may replace the global after this module was loaded. */
export const globalFetch: Fetch = async (url, init) =>
  (globalThis.fetch as unknown as (url: string, init: FetchInit) => Promise<FetchAnswer>)(url, init)

const { process, Deno } = globalThis as { process?: unknown; Deno?: unknown }

/**
 * Whether `fetch` sends a stream while it is made. Browsers do so over HTTP/2 at best and refuse it otherwise, so there
 * uploads go in whole pieces.
 */
export const sendsStreams = process !== undefined || Deno !== undefined
