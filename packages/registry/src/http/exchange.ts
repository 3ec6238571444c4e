import type { Readable, Writable } from 'node:stream'

/** A request as every door hands it in: nothing behind this line knows Express, Bun or a Node socket. */
export interface Incoming {
  readonly method: string
  /** Path and query as the door got them; raw, where it could see the raw request target. */
  readonly target: string
  /** What the host stripped from the front of the path (`/registry`), to be put back into Locations; usually empty. */
  readonly mount: string
  header(name: string): string | null
  /** Whether a body follows. A request without one has `Content-Length: 0` or none of the framing headers. */
  readonly hasBody: boolean
  /**
   * The body; may be taken once. Leaving the loop early does not close the connection; aborting the signal gives it up.
   * Fails with `BodyBroken` when it ends before its end.
   */
  body(signal: AbortSignal): AsyncIterable<Uint8Array>
  /** Whether nobody but the registry can have the pieces of the body: then their memory may be given back after use. */
  readonly ownsBody: boolean
  /** Aborts when the client goes away. Made on first use: most requests never need it. */
  signal(): AbortSignal
  /** Of the socket: a proxy's, where there is one. */
  readonly remoteAddress: string | undefined
  /** Whether it came by TLS as far as the door can see. */
  readonly secure: boolean
  /** `Host` or `:authority`, unchecked: the client's word. */
  readonly authority: string | undefined
}

/**
 * A body that broke off: the client went away, or the request was given up. An error of its own, because a connection of the
 * registry's (to a database, to a host's directory of users) breaks with the same codes, and that is nobody's bad request.
 */
export class BodyBroken extends Error {
  override readonly name = 'BodyBroken'
  constructor(cause: unknown) {
    super('The request body broke off.', { cause })
  }
}

/** An answer. `body` may be a Node stream; its length is then in `content-length`. */
export interface Reply {
  readonly status: number
  readonly headers: ReplyHeaders
  readonly body: string | Uint8Array | SendingStream | null
}

/** A stream that may know a shorter way into a Node response than being read; it then ends or destroys the response. */
export interface SendingStream extends Readable {
  sendTo?(to: Writable): void
}

/** Lower-case names; an array is sent as several lines. */
export type ReplyHeaders = Record<string, string | string[]>

/** A JSON answer. */
export const json = (status: number, value: unknown, headers: ReplyHeaders = {}): Reply => {
  const body = JSON.stringify(value)
  return {
    status,
    headers: { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body)), ...headers },
    body,
  }
}

/** An answer without a body. `Content-Length: 0` is sent except where RFC 9110 section 8.6 forbids it (204, 304). */
export const empty = (status: number, headers: ReplyHeaders = {}): Reply => ({
  status,
  headers: status === 204 || status === 304 ? headers : { 'content-length': '0', ...headers },
  body: null,
})

/** Adds a field to `Vary` and keeps those that are there. */
export const addVary = (headers: ReplyHeaders, field: string): void => {
  const present = headers['vary']
  headers['vary'] = present === undefined ? field : [present].flat().concat(field).join(', ')
}
