/** Running other programs: one that ends by itself ({@link run}) and one that serves until told to stop ({@link start}). */
import { type ChildProcess, spawn } from 'node:child_process'
import { accessSync, closeSync, constants, openSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'

/** A program that a client needs is not on this machine. Reported by its name; never a skip. */
export class MissingPrerequisite extends Error {
  override readonly name = 'MissingPrerequisite'
}

export interface CommandOptions {
  readonly cwd?: string
  /** Added to this process's environment. */
  readonly env?: Readonly<Record<string, string>>
  readonly input?: string | Uint8Array
  readonly signal?: AbortSignal
  /** The exit codes that are no error; `[0]` unless said. */
  readonly exitCodes?: readonly number[]
}

export interface CommandResult {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** The path of a program, found as the shell does and in the directories of daemons too. */
export function findProgram(name: string, remedy = 'run .ci/prerequisites'): string {
  const directories = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/local/sbin', '/usr/sbin', '/sbin']
  for (const directory of directories) {
    if (directory === '') continue
    const path = join(directory, name)
    try {
      accessSync(path, constants.X_OK)
      return path
    } catch {
      continue
    }
  }
  throw new MissingPrerequisite(`the program "${name}" is missing on this machine: ${remedy}`)
}

/** Runs a program to its end. Rejects with its command line and the end of its output when the exit code is another. */
export async function run(
  program: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const { signal, exitCodes = [0] } = options
  signal?.throwIfAborted()
  const child = spawn(program, args, {
    cwd: options.cwd,
    env: environment(options.env),
    stdio: ['pipe', 'pipe', 'pipe'],
    ...(signal === undefined ? {} : { signal }),
  })
  const stdout: Buffer[] = []
  const stderr: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk))
  // A program that ends without reading its input makes the pipe fail: its exit code tells the story.
  child.stdin.on('error', () => {})
  child.stdin.end(options.input ?? '')
  const code = await new Promise<number>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (exitCode, killedBy) => resolve(exitCode ?? (killedBy === null ? 255 : 128)))
  })
  const result = { code, stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString() }
  if (!exitCodes.includes(code)) {
    const command = [program, ...args].join(' ')
    throw new Error(`exit code ${code} from: ${command}\n${tail(result.stdout)}${tail(result.stderr)}`.trimEnd())
  }
  return result
}

export interface Background {
  readonly pid: number
  /** Resolves with the exit code when the program has ended, for whatever reason. */
  readonly ended: Promise<number>
  /** The end of what the program has written. */
  output(): Promise<string>
  /** SIGTERM, and after `graceMilliseconds` SIGKILL; resolves when the program is gone. */
  stop(graceMilliseconds?: number): Promise<void>
}

/** Starts a program that serves; its output goes to `logFile`. */
export function start(
  program: string,
  args: readonly string[],
  options: {
    readonly logFile: string
    readonly cwd?: string
    /** Added to this process's environment; what is undefined is taken out of it. */
    readonly env?: Readonly<Record<string, string | undefined>>
  },
): Background {
  const log = openSync(options.logFile, 'a')
  let child: ChildProcess
  try {
    child = spawn(program, args, {
      cwd: options.cwd,
      env: environment(options.env),
      stdio: ['ignore', log, log],
      // A group of its own: Ctrl-C reaches it through `stop`, in the right order, and not from the terminal.
      detached: true,
    })
  } finally {
    closeSync(log)
  }
  const ended = new Promise<number>((resolve) => {
    child.on('error', () => resolve(127))
    child.on('exit', (code, killedBy) => resolve(code ?? (killedBy === null ? 255 : 128)))
  })
  return {
    pid: child.pid ?? 0,
    ended,
    output: async () => tail(await readFile(options.logFile, 'utf8')),
    async stop(graceMilliseconds = 20_000) {
      child.kill('SIGTERM')
      const timer = setTimeout(() => child.kill('SIGKILL'), graceMilliseconds)
      await ended
      clearTimeout(timer)
    },
  }
}

/** Test traffic stays on loopback, also where the machine reaches the world through a proxy. */
function environment(extra: Readonly<Record<string, string | undefined>> = {}): NodeJS.ProcessEnv {
  const noProxy = [process.env['NO_PROXY'], '127.0.0.1,localhost'].filter(Boolean).join(',')
  return { ...process.env, NO_PROXY: noProxy, no_proxy: noProxy, ...extra }
}

const tail = (text: string): string => {
  const lines = text.trimEnd().split('\n')
  return `${lines.slice(-25).join('\n')}\n`
}
