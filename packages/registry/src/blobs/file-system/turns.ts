/** Lets so much work be under way at once; what comes then waits in line. */
export type Turns = <T>(work: () => Promise<T>) => Promise<T>

export const createTurns = (atOnce: number): Turns => {
  const waiting: (() => void)[] = []
  let free = atOnce
  const next = (): void => {
    const first = waiting.shift()
    if (first === undefined) free += 1
    else first()
  }
  return async (work) => {
    if (free > 0) free -= 1
    else await new Promise<void>((resolve) => waiting.push(resolve))
    try {
      return await work()
    } finally {
      next()
    }
  }
}
