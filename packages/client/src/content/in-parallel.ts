import { ClientError } from '../errors.ts'

/** How many works are done together, and what ends them. */
export interface ParallelOptions {
  /** How many works are under way at once. */
  readonly atOnce: number
  readonly signal?: AbortSignal | undefined
}

/**
 * Does a work for each item, some at once, and yields what they give in the order they end. The first failure stops the others,
 * and is thrown when they have ended; so does leaving early. Nothing goes on behind the caller's back.
 *
 * @throws {ClientError} `aborted`, `usage`; what a work throws
 */
export async function* inParallel<T, R>(
  items: AsyncIterable<T> | Iterable<T>,
  { atOnce, signal: outer }: ParallelOptions,
  work: (item: T, signal: AbortSignal) => Promise<R>,
): AsyncGenerator<R, void, void> {
  if (!Number.isSafeInteger(atOnce) || atOnce < 1) {
    throw new ClientError('usage', `concurrency must be a whole number of 1 or more, and is ${atOnce}.`)
  }
  const stop = new AbortController()
  const signal = outer === undefined ? stop.signal : AbortSignal.any([outer, stop.signal])
  const works: Promise<void>[] = []
  const ended: ({ readonly value: R } | { readonly error: unknown })[] = []
  let wake: (() => void) | undefined
  const settle = async (item: T): Promise<void> => {
    try {
      ended.push({ value: await work(item, signal) })
    } catch (error) {
      ended.push({ error })
    }
    wake?.()
  }
  const next = async (): Promise<R> => {
    while (ended.length === 0) await new Promise<void>((resolve) => (wake = resolve))
    const first = ended.shift()
    if (first !== undefined && 'value' in first) return first.value
    throw first?.error
  }
  // What was begun and not given yet.
  let open = 0
  try {
    for await (const item of items) {
      throwIfStopped(outer)
      for (; open >= atOnce; open--) yield await next()
      open++
      works.push(settle(item))
    }
    for (; open > 0; open--) yield await next()
    throwIfStopped(outer)
  } catch (error) {
    throwIfStopped(outer)
    throw error
  } finally {
    stop.abort(new ClientError('aborted', 'Stopped, because something else failed.'))
    await Promise.all(works)
  }
}

const throwIfStopped = (signal: AbortSignal | undefined): void => {
  if (signal?.aborted === true)
    throw new ClientError('aborted', 'Stopped as asked.', { cause: signal.reason as unknown })
}
