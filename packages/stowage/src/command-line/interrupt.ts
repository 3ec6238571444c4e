/** Ends what is under way at Ctrl-C, or SIGTERM. */
export interface Interrupt extends Disposable {
  readonly signal: AbortSignal
}

/**
 * A Ctrl-C reaches every process in front of the terminal, and npm passes it on to its child besides: two that come together
 * are one. Milliseconds.
 */
const together = 500

/** The first signal ends things in good order; another one ends the process. */
export const interruptOnSignals = (code: number): Interrupt => {
  const controller = new AbortController()
  let first: number | undefined
  const onSignal = (): void => {
    const now = performance.now()
    if (first === undefined) {
      first = now
      controller.abort()
    } else if (now - first > together) {
      process.exit(code)
    }
  }
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal)
  return {
    signal: controller.signal,
    [Symbol.dispose]() {
      process.off('SIGINT', onSignal).off('SIGTERM', onSignal)
    },
  }
}
