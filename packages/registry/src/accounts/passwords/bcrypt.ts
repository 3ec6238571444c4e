import { Worker } from 'node:worker_threads'
import type { Comparison } from './bcrypt-worker.ts'
import { createWorkQueue } from './work-queue.ts'

/** Compares passwords with bcrypt hashes in a thread of its own: it takes a core for a good part of a second. */
export interface Bcrypt extends AsyncDisposable {
  /** @throws RegistryError `overloaded` when too many comparisons wait. */
  compare(password: string, hash: string): Promise<boolean>
  /** Comparisons that were begun. */
  readonly work: number
}

/** Beside this file, of the same kind: `.ts` where the sources run as they are, `.js` where they were built. */
const workerFile = new URL(`./bcrypt-worker${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url)

/** The thread starts with the first comparison, and never keeps the process alive when it has nothing to do. */
export const createBcrypt = ({ waiting = 64 }: { readonly waiting?: number } = {}): Bcrypt => {
  const queue = createWorkQueue({ concurrency: 1, waiting })
  let thread: Worker | undefined
  let job: { readonly on: Worker; readonly verdict: PromiseWithResolvers<boolean> } | undefined
  let work = 0

  const start = (): Worker => {
    // It needs nothing of what this process was started with, and need not know the secrets of its environment.
    const started = new Worker(workerFile, { name: 'stowage-bcrypt', execArgv: [], argv: [], env: {} })
    const lost = (error: unknown): void => {
      if (thread === started) thread = undefined
      if (job?.on === started) job.verdict.reject(error)
    }
    started.on('message', (same: unknown) => job?.verdict.resolve(same === true))
    started.on('error', lost)
    started.on('exit', () => lost(new Error('The thread that compares bcrypt hashes has ended.')))
    return started
  }

  return {
    get work() {
      return work
    },
    compare: (password, hash) =>
      queue.run(async () => {
        work += 1
        thread ??= start()
        const on = thread
        const verdict = Promise.withResolvers<boolean>()
        job = { on, verdict }
        on.ref()
        // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
        on.postMessage({ password, hash } satisfies Comparison)
        try {
          return await verdict.promise
        } finally {
          job = undefined
          on.unref()
        }
      }),
    [Symbol.asyncDispose]: async () => {
      await queue[Symbol.asyncDispose]()
      await thread?.terminate()
    },
  }
}
