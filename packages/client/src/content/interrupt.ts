import { ClientError } from '../errors.ts'

/** @throws {ClientError} `aborted`, once the caller's signal says so */
export const throwIfAborted = (signal: AbortSignal | undefined): void => {
  if (signal?.aborted === true)
    throw new ClientError('aborted', 'Stopped as asked.', { cause: signal.reason as unknown })
}

/** The same pieces, until the signal says to stop. */
export async function* interruptible(
  chunks: AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): AsyncIterable<Uint8Array> {
  throwIfAborted(signal)
  for await (const chunk of chunks) {
    yield chunk
    throwIfAborted(signal)
  }
}
