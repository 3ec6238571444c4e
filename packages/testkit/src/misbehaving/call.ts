import type { IncomingHttpHeaders } from 'node:http'
import type { Outcome } from './reply.ts'

/** Where a request came in: at the registry, or at the second origin, to which nobody should bring credentials. */
export type Origin = 'registry' | 'trap'

/** A request that the server saw. It goes on changing while its body comes in. */
export interface SeenRequest {
  readonly origin: Origin
  readonly method: string
  /** Path and query, as they came. */
  readonly target: string
  /** By lower-case name. */
  readonly headers: IncomingHttpHeaders
  /** Bytes of the body that were read so far. What is refused at once is still being read when its answer is there. */
  readonly bodyBytes: number
  /** The first 64 KiB of the body. */
  readonly bodyStart: Uint8Array
  /** Undefined when no answer was sent, or none yet. */
  readonly status: number | undefined
}

/** A request, as behaviours see it. They may hand a changed copy on. */
export interface Call {
  readonly origin: Origin
  readonly method: string
  readonly target: string
  readonly headers: IncomingHttpHeaders
  /** The two origins of this server, without a trailing slash. */
  readonly urls: Readonly<Record<Origin, string>>
  /** The body; it can be read once. @throws {BrokenConnection} when the client goes away */
  readonly body: () => AsyncIterable<Uint8Array>
}

export type Next = (call: Call) => Promise<Outcome>

/**
 * One way to misbehave. `next` asks what is behind it: further behaviours, and at last the real registry. One that does not
 * call it keeps the request from the registry.
 */
export type Behaviour = (call: Call, next: Next) => Outcome | Promise<Outcome>

/** A peer went away in the middle: no fault of the server's own. */
export class BrokenConnection extends Error {
  override readonly name = 'BrokenConnection'
}
