/** Lets so many through at once; the others wait in the order they came. */
export interface Limiter {
  /** @returns what ends the stay; calling it twice does no harm. Rejects with the signal's reason. */
  enter(signal: AbortSignal): Promise<() => void>
}

export const createLimiter = (atOnce: number): Limiter => {
  let inside = 0
  const waiting = new Set<() => void>()
  const leave = (): (() => void) => {
    let left = false
    return () => {
      if (left) return
      left = true
      inside--
      const [next] = waiting
      next?.()
    }
  }
  return {
    async enter(signal) {
      signal.throwIfAborted()
      if (inside >= atOnce || waiting.size > 0) {
        await new Promise<void>((resolve, reject) => {
          const admit = (): void => {
            waiting.delete(admit)
            signal.removeEventListener('abort', give)
            // Counted here, before anyone else can come in between.
            inside++
            resolve()
          }
          const give = (): void => {
            waiting.delete(admit)
            reject(signal.reason as Error)
          }
          waiting.add(admit)
          signal.addEventListener('abort', give, { once: true })
        })
      } else {
        inside++
      }
      return leave()
    },
  }
}
