/** Something under way, with its events. */
interface Job<E, R> extends AsyncIterable<E> {
  readonly result: Promise<R>
}

/**
 * A job of a result and the events on the way to it. A failure is told by the result, and by the events to who iterates: only
 * then may the result be left alone. Where neither is asked, the runtime reports a rejection that nobody handles.
 */
export const toJob = <E, R>(result: Promise<R>, listen: () => AsyncIterable<E>): Job<E, R> => ({
  result,
  [Symbol.asyncIterator]() {
    result.catch(() => {})
    return listen()[Symbol.asyncIterator]()
  },
})

/** A job whose events end with its result. */
export const queuedJob = <E, R>(
  result: Promise<R>,
  events: { readonly end: (error?: unknown) => void; readonly listen: () => AsyncIterable<E> },
): Job<E, R> => {
  const ending = result.then(
    (value) => {
      events.end()
      return value
    },
    (error: unknown) => {
      events.end(error)
      throw error
    },
  )
  return toJob(ending, () => events.listen())
}
