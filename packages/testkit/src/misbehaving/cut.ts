/** Connections that end too early. */
import { discard, firstBytes } from './body-stream.ts'
import { type Behaviour, BrokenConnection } from './call.ts'
import { changing, isReply, type Outcome } from './reply.ts'

export interface CutOptions {
  /** End the connection with a reset: the client may lose what it has not read yet. Default: false. */
  readonly reset?: boolean
}

/**
 * The connection is cut after so many bytes of the answer's body, which may be none or all. `Content-Length` is that of the
 * whole.
 */
export const cutBodyAfter = (bytes: number, { reset = false }: CutOptions = {}): Behaviour =>
  changing((answer) => ({ ...answer, body: firstBytes(answer.body, bytes), ending: reset ? 'reset' : 'cut' }))

/** The connection is cut before the registry has heard of the request. */
export const loseRequest =
  ({ reset = false }: CutOptions = {}): Behaviour =>
  () =>
    reset ? 'reset' : 'cut'

/** The registry does as it was asked, and the connection is cut before the first byte of its answer. */
export const loseAnswer =
  ({ reset = false }: CutOptions = {}): Behaviour =>
  async (call, next): Promise<Outcome> => {
    const outcome = await next(call)
    if (isReply(outcome)) await discard(outcome.body)
    return reset ? 'reset' : 'cut'
  }

/**
 * The connection is cut once so many bytes of the request's body were read.
 *
 * @param options.kept How many of them reach the registry. Default: all.
 */
export const cutUploadAfter =
  (bytes: number, { kept = bytes }: { readonly kept?: number } = {}): Behaviour =>
  async (call, next): Promise<Outcome> => {
    const body = (): AsyncIterable<Uint8Array> => broken(call.body(), bytes, kept)
    await next({ ...call, body })
    // Bytes that are still on their way find nobody.
    return 'cut'
  }

async function* broken(body: AsyncIterable<Uint8Array>, bytes: number, kept: number): AsyncIterable<Uint8Array> {
  let seen = 0
  for await (const chunk of firstBytes(body, bytes)) {
    const wanted = chunk.subarray(0, Math.max(kept - seen, 0))
    seen += chunk.byteLength
    if (wanted.byteLength > 0) yield wanted
  }
  throw new BrokenConnection('The connection was cut, as ordered.')
}
