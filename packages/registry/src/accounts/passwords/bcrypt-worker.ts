import { parentPort } from 'node:worker_threads'
import { compareSync } from 'bcryptjs'

/** The thread of `bcrypt.ts`: one comparison after the other, each answered by a boolean. Imports nothing of the registry. */
export interface Comparison {
  readonly password: string
  readonly hash: string
}

// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
parentPort?.on('message', ({ password, hash }: Comparison) => parentPort?.postMessage(compareSync(password, hash)))
