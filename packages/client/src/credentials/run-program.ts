import { spawn } from 'node:child_process'
import { ClientError } from '../errors.ts'
import type { Environment } from './environment.ts'
import { codeOf } from './read-file.ts'

export interface RunOptions {
  /** Absolute path. */
  readonly program: string
  readonly args: readonly string[]
  readonly input: string
  readonly environment: Environment
  /** Milliseconds. */
  readonly timeout: number
  readonly signal: AbortSignal | undefined
  /** The program as messages name it. */
  readonly name: string
}

export interface RunResult {
  readonly succeeded: boolean
  readonly stdout: string
  readonly stderr: string
}

const mostOutput = 1024 * 1024

/** What is longer, a timer takes for no time at all. */
const longestTimer = 2 ** 31 - 1

/**
 * Runs a program, without a shell, to its end. One that takes too long, says too much, or is not wanted any more is killed.
 *
 * @throws {ClientError} `timeout`, `too-large`, `aborted`, `usage` when it cannot be started
 */
export const runProgram = async (options: RunOptions): Promise<RunResult> => {
  const { program, args, input, environment, timeout, signal, name } = options
  if (signal?.aborted === true) throw aborted(name)
  const child = spawn(program, args, { env: environment, stdio: 'pipe', windowsHide: true })
  // A program that ends without having read everything is not at fault.
  child.stdin.on('error', () => {})
  child.stdin.end(input)

  const { promise, resolve, reject } = Promise.withResolvers<RunResult>()
  const give = (error: ClientError): void => {
    child.kill('SIGKILL')
    // What it has started may live on and hold the pipes: nobody waits for that.
    for (const stream of [child.stdin, child.stdout, child.stderr]) stream.destroy()
    child.unref()
    reject(error)
  }
  const chunks = { stdout: [] as Buffer[], stderr: [] as Buffer[] }
  let size = 0
  for (const channel of ['stdout', 'stderr'] as const) {
    child[channel].on('error', () => {})
    child[channel].on('data', (chunk: Buffer) => {
      size += chunk.length
      chunks[channel].push(chunk)
      if (size > mostOutput) give(new ClientError('too-large', `${name} says more than 1 MiB.`))
    })
  }
  child.on('error', (error) => {
    give(new ClientError('usage', `${name} cannot be started (${codeOf(error)}).`, { subject: program }))
  })
  child.on('close', (code) => {
    const [stdout, stderr] = [chunks.stdout, chunks.stderr].map((bytes) => Buffer.concat(bytes).toString())
    resolve({ succeeded: code === 0, stdout: stdout ?? '', stderr: stderr ?? '' })
  })
  const clock = setTimeout(
    () => {
      give(
        new ClientError('timeout', `${name} has not ended after ${timeout / 1000} s.`, {
          hint: `Run it by hand (${program} ${args.join(' ')}): it may wait for a password or a locked keychain.`,
        }),
      )
    },
    Math.min(timeout, longestTimer),
  )
  const abort = (): void => give(aborted(name))
  signal?.addEventListener('abort', abort, { once: true })
  try {
    return await promise
  } finally {
    clearTimeout(clock)
    signal?.removeEventListener('abort', abort)
  }
}

const aborted = (name: string): ClientError => new ClientError('aborted', `${name} is not waited for any more.`)
