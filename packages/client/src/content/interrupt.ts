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

/**
 * What a promise gives, unless the signal says to stop first. For what others began, which goes on then.
 *
 * @throws {ClientError} `aborted`; what the promise throws
 */
export const orAborted = async <T>(work: Promise<T>, signal: AbortSignal): Promise<T> => {
  const stopped = Promise.withResolvers<never>()
  const stop = (): void =>
    stopped.reject(new ClientError('aborted', 'Stopped as asked.', { cause: signal.reason as unknown }))
  signal.addEventListener('abort', stop, { once: true })
  if (signal.aborted) stop()
  try {
    return await Promise.race([stopped.promise, work])
  } finally {
    signal.removeEventListener('abort', stop)
  }
}
