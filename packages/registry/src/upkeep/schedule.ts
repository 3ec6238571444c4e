import type { Logger } from '../logger.ts'

/** Runs work when its time has come or when it is asked for, one run of each kind after the other. */
export interface Schedule extends AsyncDisposable {
  /**
   * Runs `work` every so many milliseconds, counted from the end of the run before; 0: never by itself.
   *
   * @returns what runs other work of the same kind, in its turn.
   */
  add(name: string, every: number, work: (signal: AbortSignal) => Promise<unknown>): InTurn
}

export type InTurn = <T>(work: (signal: AbortSignal) => Promise<T>) => Promise<T>

/** The longest that a timer waits. Milliseconds. */
const longest = 0x7fff_ffff

export const createSchedule = (logger: Logger): Schedule => {
  const stop = new AbortController()
  const timers = new Map<string, NodeJS.Timeout>()
  const last = new Map<string, Promise<unknown>>()

  const add: Schedule['add'] = (name, every, work) => {
    const inTurn: InTurn = async (task) => {
      const before = last.get(name)
      const run = (async () => {
        await before
        stop.signal.throwIfAborted()
        return task(stop.signal)
      })()
      last.set(
        name,
        run.catch(() => {}),
      )
      return run
    }
    const wait = (): void => {
      if (every <= 0 || stop.signal.aborted) return
      const due = (): void => {
        void inTurn(work)
          .catch((error: unknown) => {
            if (!stop.signal.aborted) logger.error({ err: error }, `${name} failed; it will be tried again`)
          })
          .then(wait)
      }
      timers.set(name, setTimeout(due, Math.min(every, longest)).unref())
    }
    wait()
    return inTurn
  }

  return {
    add,
    [Symbol.asyncDispose]: async () => {
      stop.abort(new Error('The registry is being closed.'))
      for (const timer of timers.values()) clearTimeout(timer)
      await Promise.all(last.values())
    },
  }
}
