import { toJob } from './job.ts'
import type { CopyJob } from './options.ts'

/** A job of a copy that begins when something else is done. */
export const lateJob = (start: () => Promise<CopyJob>): CopyJob => {
  const started = start()
  const result = started.then(async (job) => job.result)
  return toJob(result, async function* () {
    yield* await started
  })
}
