import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'

const main = new URL('../main.ts', import.meta.url).pathname

export interface Result {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

/** The command, running: from source, in a process of its own. */
export interface Running extends AsyncDisposable {
  readonly process: ChildProcess
  stdout(): string
  stderr(): string
  /** Resolves with the URL in the banner. */
  serving(): Promise<string>
  readonly ended: Promise<Result>
}

export interface CommandOptions {
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
}

export const start = (args: readonly string[], { cwd, env = {} }: CommandOptions = {}): Running => {
  const child = spawn(process.execPath, ['--conditions=@stowage/source', main, ...args], {
    cwd,
    // Nothing of the environment of the tests but what a program needs to run at all.
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let [stdout, stderr] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (stdout += chunk))
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk))
  const ended = once(child, 'close').then(([code, signal]): Result => ({
    code: code as number | null,
    signal: signal as NodeJS.Signals | null,
    stdout,
    stderr,
  }))
  let over = false
  void ended.then(() => (over = true))
  return {
    process: child,
    stdout: () => stdout,
    stderr: () => stderr,
    serving: async () => {
      for (;;) {
        const [, url] = /^ {2}Registry +(\S+)$/m.exec(stdout) ?? []
        if (url !== undefined && stdout.includes('Press Ctrl-C')) return url
        if (over) throw new Error(`the command ended: ${stdout}${stderr}`)
        await Promise.race([once(child.stdout, 'data'), ended])
      }
    },
    ended,
    [Symbol.asyncDispose]: async () => {
      if (!over) child.kill('SIGKILL')
      await ended
    },
  }
}

export const run = async (args: readonly string[], options?: CommandOptions): Promise<Result> =>
  start(args, options).ended
