import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'

/** To be awaited after so many bytes were read, before more are. */
export type Pace = (bytes: number, signal?: AbortSignal) => Promise<void>

/** What may be read at once after a rest. Milliseconds. */
const burst = 100
/** Without a limit others get their turn after so many bytes, also where reading them waits for nothing. */
const turnEvery = 1024 * 1024

/**
 * Keeps to so many bytes a second on average; 0: as fast as they come.
 *
 * @param clock Milliseconds that only grow.
 */
export const createPace = (rate: number, clock: () => number = () => performance.now()): Pace => {
  let dueAt = -Infinity
  let sinceTurn = 0
  return async (bytes, signal) => {
    if (rate <= 0) {
      sinceTurn += bytes
      if (sinceTurn < turnEvery) return
      sinceTurn = 0
      await nextTurn(undefined, { signal })
      return
    }
    const at = clock()
    dueAt = Math.max(dueAt, at - burst) + (bytes / rate) * 1000
    await (dueAt > at ? sleep(dueAt - at, undefined, { signal }) : nextTurn(undefined, { signal }))
  }
}
