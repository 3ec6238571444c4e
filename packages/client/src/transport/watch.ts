/** Aborts an exchange in which nothing moves. */
export interface Watch {
  readonly signal: AbortSignal
  /** Something moved; from now on it may take `limit` milliseconds until something moves again. */
  touch(limit: number): void
  /** What comes next is not the other side's to do: no limit until the next `touch`. */
  rest(): void
  /** From now on no more than this many milliseconds for all the rest of it, whatever moves. */
  hurry(limit: number): void
  /** The exchange is over: whatever is still said of it, nothing is waited for any more. */
  end(): void
}

/** The reason of the watch's signal. */
export class IdleError extends Error {
  override readonly name = 'IdleError'
}

/** What a timer can wait for: told more, it would not wait at all. It looks again then. */
const longest = 2 ** 31 - 1

/** One timer for a whole exchange, not one a chunk. */
export const createWatch = (): Watch => {
  const controller = new AbortController()
  let deadline = Number.POSITIVE_INFINITY
  let limit = 0
  let timer: ReturnType<typeof setTimeout> | undefined
  let over = false
  let [last, whole] = [Number.POSITIVE_INFINITY, 0]
  const look = (): void => {
    timer = undefined
    if (deadline === Number.POSITIVE_INFINITY) return
    const left = deadline - performance.now()
    if (left > 0) timer = setTimeout(look, Math.min(left, longest))
    else
      controller.abort(
        new IdleError(deadline === last ? `it was not over in ${whole} ms` : `nothing moved for ${limit} ms`),
      )
  }
  const touch = (milliseconds: number): void => {
    if (over) return
    limit = milliseconds
    const before = deadline
    deadline = Math.min(performance.now() + milliseconds, last)
    // A timer that fires too early looks again; one that would fire too late is set anew.
    if (timer !== undefined && deadline < before) {
      clearTimeout(timer)
      timer = undefined
    }
    timer ??= setTimeout(look, Math.min(deadline - performance.now(), longest))
  }
  return {
    signal: controller.signal,
    touch,
    hurry(milliseconds) {
      whole = milliseconds
      last = performance.now() + milliseconds
      touch(milliseconds)
    },
    rest() {
      deadline = Number.POSITIVE_INFINITY
    },
    end() {
      over = true
      deadline = Number.POSITIVE_INFINITY
      clearTimeout(timer)
      timer = undefined
    },
  }
}
