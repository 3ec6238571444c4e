import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** A load generator in a process of its own: what it costs must not be taken from the process that measures. */
export interface Driver<Report> extends AsyncDisposable {
  /** Begins what was prepared, and gives the report when it is over. */
  go(): Promise<Report>
  /** Asks one that goes on for ever for its report. */
  stop(): void
}

export type DriverName = 'pull-driver' | 'push-driver' | 'probe-driver' | 'slow-driver' | 'burst-driver'

const running = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/** Starts `<name>.ts`; resolves when it has prepared itself. */
export const startDriver = async <Report>(name: DriverName, task: object): Promise<Driver<Report>> => {
  const program = fileURLToPath(new URL(`${name}.ts`, import.meta.url))
  const child = fork(program, [JSON.stringify(task)], { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] })
  running.add(child)
  let complaint = ''
  child.stderr?.on('data', (chunk: Buffer) => (complaint = (complaint + chunk.toString()).slice(-4096)))
  const ended = once(child, 'exit').then(() => {
    running.delete(child)
    throw new Error(`${name} ended without a report: ${complaint.trim() || 'it said nothing'}`)
  })
  ended.catch(() => {})
  /** Messages in the order in which they come: that it is ready, and its report. */
  const next = async (): Promise<unknown> => {
    const [message] = (await Promise.race([once(child, 'message'), ended])) as [unknown]
    return message
  }
  await next()
  return {
    go: async () => {
      const report = next()
      child.send('go')
      // Our own program says it.
      const said = (await report) as Report
      // It ends when nobody listens any more, and not before: what it said must not be overtaken by its end.
      child.disconnect()
      return said
    },
    stop: () => void (child.connected && child.send('stop')),
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL')
      await ended.catch(() => {})
    },
  }
}

/** The other side: what the program is to do, and how it says that it did. */
export const beDriver = async (
  prepare: (task: unknown) => Promise<(stop: AbortSignal) => Promise<object>>,
): Promise<void> => {
  const work = await prepare(JSON.parse(process.argv[2] ?? '{}'))
  const stop = new AbortController()
  const going = Promise.withResolvers<void>()
  process.on('message', (message) => {
    if (message === 'go') going.resolve()
    else stop.abort()
  })
  process.send?.('ready')
  await going.promise
  process.send?.(await work(stop.signal))
}
