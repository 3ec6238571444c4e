import type { IncomingMessage } from 'node:http'
import { BrokenConnection, type Call, type Origin, type SeenRequest } from './call.ts'

/** So much of a body is kept for tests to look at. */
const kept = 64 * 1024

export interface Received {
  readonly call: Call
  readonly seen: { -readonly [key in keyof SeenRequest]: SeenRequest[key] }
  /** Reads and throws away what nobody has asked for. Resolves when there is nothing more of it. */
  drain(): Promise<void>
}

/** A request as behaviours see it, and the record of it. */
export const receive = (origin: Origin, request: IncomingMessage, urls: Readonly<Record<Origin, string>>): Received => {
  const { method = '', url: target = '', headers } = request
  const seen: Received['seen'] = {
    origin,
    method,
    target,
    headers,
    bodyBytes: 0,
    bodyStart: new Uint8Array(),
    status: undefined,
  }
  let opened = false

  async function* read(): AsyncIterable<Uint8Array> {
    try {
      // Whoever stops reading decides by the outcome what becomes of the connection.
      for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>) {
        const room = kept - seen.bodyStart.byteLength
        if (room > 0) seen.bodyStart = Buffer.concat([seen.bodyStart, chunk.subarray(0, room)])
        seen.bodyBytes += chunk.byteLength
        yield chunk
      }
    } catch (error) {
      throw new BrokenConnection('The client went away.', { cause: error })
    }
  }

  const open = (): AsyncIterable<Uint8Array> => {
    if (opened) throw new Error(`The body of ${method} ${target} was read before.`)
    opened = true
    return read()
  }

  const drain = async (): Promise<void> => {
    try {
      for await (const _ of open());
    } catch {
      // The client is gone, and so is what it wanted to send.
    }
  }

  return {
    call: { origin, method, target, headers, urls, body: open },
    seen,
    drain: async () => (opened ? undefined : drain()),
  }
}
