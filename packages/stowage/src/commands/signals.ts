import type { Logger } from '@stowage/registry'
import type { Serving } from '../serve.ts'

/**
 * A Ctrl-C reaches every process in front of the terminal, and npm passes it on to its child besides: two that come together
 * are one. Milliseconds.
 */
const together = 500
const leftOver = 2000

/**
 * Serves until the first SIGTERM or SIGINT, then stops in good order; a second one cuts what is still under way. What nobody
 * caught is logged and stops the server too, for nothing can be said about the state it left.
 */
export const stopOnSignals = async (serving: Serving, logger: Logger): Promise<void> => {
  const done = Promise.withResolvers<void>()
  const abort = new AbortController()
  let first: number | undefined

  const stop = (): void => {
    serving.close(abort.signal).then(done.resolve, done.reject)
  }
  const onSignal = (signal: NodeJS.Signals): void => {
    const now = performance.now()
    if (first === undefined) {
      first = now
      logger.info({ signal }, 'told to stop')
      stop()
    } else if (now - first > together) {
      logger.warn({ signal }, 'told to stop again: requests under way are cut off')
      abort.abort()
    }
  }
  const onUncaught = (error: unknown): void => {
    logger.error({ err: error }, 'an error that nobody caught: the server stops')
    process.exitCode = 70
    if (first !== undefined) return
    first = performance.now()
    stop()
  }
  process.on('SIGTERM', onSignal).on('SIGINT', onSignal)
  process.on('uncaughtException', onUncaught).on('unhandledRejection', onUncaught)
  await done.promise
  // Everything is closed: should a handle be left over somewhere, it must not keep the process.
  setTimeout(() => process.exit(), leftOver).unref()
}
