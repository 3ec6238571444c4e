import { RegistryError } from '../../errors.ts'

/** Does costly work, a little of it at once. Disposed of, it ends what is under way and refuses the rest. */
export interface WorkQueue extends AsyncDisposable {
  /** @throws RegistryError `overloaded`, or `refusal`, when too much waits already; `work` is then not begun. */
  run<Result>(work: () => Promise<Result>): Promise<Result>
}

/**
 * @param options.concurrency How much is under way at once.
 * @param options.waiting How much may wait for its turn. To let it wait without end would only answer those who have left.
 */
export const createWorkQueue = (options: {
  readonly concurrency: number
  readonly waiting: number
  readonly refusal?: () => RegistryError
}): WorkQueue => {
  const { refusal = overloaded } = options
  const waiting: PromiseWithResolvers<void>[] = []
  let running = 0
  let closed = false
  const idle = Promise.withResolvers<void>()

  /** A place goes from hand to hand: nobody slips in between. */
  const enter = (): Promise<void> | undefined => {
    if (closed) throw overloaded()
    if (running < options.concurrency) {
      running += 1
      return undefined
    }
    if (waiting.length >= options.waiting) throw refusal()
    const turn = Promise.withResolvers<void>()
    waiting.push(turn)
    return turn.promise
  }

  const leave = (): void => {
    const next = waiting.shift()
    if (next !== undefined) {
      next.resolve()
      return
    }
    running -= 1
    if (closed && running === 0) idle.resolve()
  }

  return {
    run: async (work) => {
      const turn = enter()
      if (turn !== undefined) await turn
      try {
        return await work()
      } finally {
        leave()
      }
    },
    [Symbol.asyncDispose]: async () => {
      closed = true
      for (const turn of waiting.splice(0)) turn.reject(overloaded())
      if (running > 0) await idle.promise
    },
  }
}

const overloaded = (): RegistryError =>
  new RegistryError('overloaded', 'The registry checks as many passwords as it can at the moment. Try again.', {
    hints: { retryAfter: 1 },
  })
