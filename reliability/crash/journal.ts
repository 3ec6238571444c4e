import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { JournalEvent } from './events.ts'

/** A process of its own that keeps what was asked and what was answered, on the disk. */
export interface Journal extends AsyncDisposable {
  append(event: JournalEvent): void
  /** Resolves when all that was appended is on the disk. */
  flushed(): Promise<void>
  /** Acknowledged writes that are on the disk. */
  acknowledged(): number
}

const program = fileURLToPath(new URL('journal-program.ts', import.meta.url))

export const startJournal = (path: string): Journal => {
  const child = spawn(process.execPath, [program, path], { stdio: ['pipe', 'pipe', 'inherit'] })
  let appended = 0
  let confirmed = 0
  let acknowledged = 0
  let ended = false
  let waiters: { readonly until: number; readonly done: (error?: Error) => void }[] = []
  const wake = (): void => {
    const due = waiters.filter(({ until }) => ended || until <= confirmed)
    waiters = waiters.filter(({ until }) => !ended && until > confirmed)
    for (const { until, done } of due) done(until <= confirmed ? undefined : new Error('The journal ended too early.'))
  }
  createInterface({ input: child.stdout }).on('line', (line) => {
    const [lines, acknowledgements] = line.split(' ').map(Number)
    confirmed = lines ?? 0
    acknowledged = acknowledgements ?? 0
    wake()
  })
  child.stdin.on('error', () => {})
  child.on('error', () => {})
  const gone = once(child, 'close')
  child.once('close', () => {
    ended = true
    wake()
  })
  const killed = (): void => void child.kill('SIGKILL')
  process.once('exit', killed)

  return {
    append: (event) => {
      appended += 1
      child.stdin.write(`${JSON.stringify(event)}\n`)
    },
    flushed: async () =>
      new Promise((resolve, reject) => {
        waiters.push({ until: appended, done: (error) => (error === undefined ? resolve() : reject(error)) })
        wake()
      }),
    acknowledged: () => acknowledged,
    [Symbol.asyncDispose]: async () => {
      child.stdin.end()
      await gone
      process.off('exit', killed)
    },
  }
}

/** What a journal holds, in order. A last line that was not finished is left out: it was never confirmed. */
export async function* readJournal(path: string): AsyncGenerator<JournalEvent> {
  for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Infinity })) {
    if (!line.endsWith('}')) return
    // We wrote it.
    yield JSON.parse(line) as JournalEvent
  }
}
