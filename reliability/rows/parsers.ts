import { Worker } from 'node:worker_threads'
import type { ParsersMessage, ParsersTask } from '../parsers/task.ts'
import type { Row, RowContext } from '../row.ts'

const sizes = { small: 60_000, full: 6_000_000 } as const
const threads = 2
/** Milliseconds without a word of a thread after which what it does is taken not to come back. Each step takes a second or two. */
const patience = 120_000

export const parsers: Row = {
  name: 'parsers',
  title: 'cases of parsers of words from outside',
  method:
    'Property tests (fast-check) of every parser of what others send: Range, Content-Range, paths, pages, addresses of proxies, ' +
    'references, names, digests, media types, credentials, tokens and their headers, scopes, challenges, links, durations and sizes. What ' +
    'is written by the grammar reads back, judged by a second writing-down of it; of garbage nothing comes but the documented error; ' +
    'megabytes that are made to be slow come back.',
  portable: false,
  run: async (context) => {
    const failures: string[] = []
    let cases = 0
    let long = 0
    let properties = 0
    await Promise.all(
      Array.from({ length: threads }, async (_, thread) =>
        runThread({ seed: context.seed, cases: sizes[context.size], thread, threads }, context, (message) => {
          if (message.kind === 'failure') failures.push(message.text)
          else if (message.kind === 'long') long += 1
          else if (message.kind === 'done') ({ properties } = message)
          else if (message.kind === 'cases') {
            const before = cases
            cases += message.count
            if (Math.floor(cases / 1e6) > Math.floor(before / 1e6)) context.say(`${cases} cases`)
          }
        }),
      ),
    )
    return { figures: { cases, properties, 'inputs of a megabyte': long }, failures }
  },
}

const runThread = async (
  task: ParsersTask,
  { signal }: RowContext,
  onMessage: (message: ParsersMessage) => void,
): Promise<void> => {
  signal.throwIfAborted()
  const worker = new Worker(new URL('../parsers/parsers-worker.ts', import.meta.url), { workerData: task })
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  let doing = 'nothing'
  let done = false
  const hung = (): void => {
    onMessage({ kind: 'failure', text: `does not come back: ${doing}` })
    resolve()
  }
  const watchdog = setTimeout(hung, patience)
  const abort = (): void => reject(signal.reason as Error)
  signal.addEventListener('abort', abort, { once: true })
  worker.on('message', (message: ParsersMessage) => {
    watchdog.refresh()
    if (message.kind === 'begun') doing = message.what
    done ||= message.kind === 'done'
    onMessage(message)
  })
  worker.on('error', reject)
  worker.on('exit', () =>
    done ? resolve() : reject(new Error(`A thread of the parsers ended while it did: ${doing}`)),
  )
  try {
    await promise
  } finally {
    clearTimeout(watchdog)
    signal.removeEventListener('abort', abort)
    await worker.terminate()
  }
}
