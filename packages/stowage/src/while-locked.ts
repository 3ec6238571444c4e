import { setTimeout as sleep } from 'node:timers/promises'
import { StowageError } from './failure.ts'

/** A command has a data directory for moments. Milliseconds. */
const patience = 5000
const pause = 50

/**
 * Does something that needs the data directory, again and again as long as another process has it, for five seconds at most.
 *
 * @param meanwhile Whether there is another way: asked before each further try, with the error of the one before.
 */
export const whileLocked = async <T>(
  work: () => Promise<T>,
  meanwhile: (error: StowageError) => Promise<T | undefined>,
): Promise<T> => {
  const until = performance.now() + patience
  for (;;) {
    let locked: StowageError
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof StowageError) || error.failure !== 'locked') throw error
      locked = error
    }
    const found = await meanwhile(locked)
    if (found !== undefined) return found
    if (performance.now() > until) throw locked
    await sleep(pause)
  }
}
