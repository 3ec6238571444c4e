import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { World } from './world.ts'

/** What a generator is told. */
export interface GeneratorTask {
  readonly url: string
  readonly account: World['account']
  readonly seed: number
  readonly requests: number
  /** Milliseconds in which a connection must have ended. */
  readonly bound: number
  /** Whether connections on which nothing more comes are begun all the time, and not in the beginning alone. */
  readonly waiting: boolean
}

export interface GeneratorCounts {
  readonly requests: number
  readonly connections: number
  readonly answers: number
  readonly resets: number
  readonly statuses: Readonly<Record<string, number>>
}

export type GeneratorMessage =
  | { readonly kind: 'progress' | 'done'; readonly counts: GeneratorCounts }
  | { readonly kind: 'failure'; readonly text: string }

const program = fileURLToPath(new URL('generator-program.ts', import.meta.url))

/** Runs a generator in a process of its own: this one has to look at the server meanwhile. */
export const runGenerator = async (
  task: GeneratorTask,
  {
    signal,
    onProgress,
    onFailure,
  }: {
    readonly signal: AbortSignal
    readonly onProgress: (counts: GeneratorCounts) => void
    readonly onFailure: (text: string) => void
  },
): Promise<GeneratorCounts> => {
  signal.throwIfAborted()
  const child = fork(program, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  let done: GeneratorCounts | undefined
  const kill = (): void => void child.kill('SIGKILL')
  signal.addEventListener('abort', kill, { once: true })
  try {
    child.on('message', (message: GeneratorMessage) => {
      if (message.kind === 'failure') onFailure(message.text)
      else {
        onProgress(message.counts)
        if (message.kind === 'done') done = message.counts
      }
    })
    child.send(task)
    await once(child, 'exit')
    signal.throwIfAborted()
    if (done === undefined) throw new Error('A generator of requests ended before its end.')
    return done
  } finally {
    signal.removeEventListener('abort', kill)
    kill()
  }
}
