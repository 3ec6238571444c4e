import type { CopyJob } from './options.ts'

/** A job of a copy that begins when something else is done. */
export const lateJob = (start: () => Promise<CopyJob>): CopyJob => {
  const started = start()
  const result = started.then(async (job) => job.result)
  // Who listens to the events only is told by those.
  result.catch(() => {})
  return {
    result,
    async *[Symbol.asyncIterator]() {
      yield* await started
    },
  }
}
