import { spawn } from 'node:child_process'
import { cpuSecondsOf, memoryOf } from '../proc.ts'

export interface CommandRun {
  /** From its start to its end, as a person waits for it. */
  readonly milliseconds: number
  /** The most that was resident, in bytes. */
  readonly peak: number
  /** Seconds of one core. */
  readonly cpuSeconds: number
}

const lookEvery = 20

/** Runs a client to its end, on its own as a person would. Throws what it said when it fails. */
export async function timeCommand(
  program: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<CommandRun> {
  const started = performance.now()
  const child = spawn(program, args, {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, ...environment },
  })
  let complaint = ''
  child.stderr.on('data', (chunk: Buffer) => (complaint = (complaint + chunk.toString()).slice(-4096)))
  const { pid } = child
  let peak = 0
  let cpuSeconds = 0
  const look = (): void => {
    if (pid === undefined) return
    try {
      peak = Math.max(peak, memoryOf(pid).peak)
      cpuSeconds = cpuSecondsOf(pid)
    } catch {
      // It has ended: what was seen last was all but everything.
    }
  }
  const timer = setInterval(look, lookEvery)
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', resolve)
  })
  clearInterval(timer)
  const milliseconds = performance.now() - started
  if (code !== 0) throw new Error(`${[program, ...args].join(' ')} ended with ${code}: ${complaint}`)
  return { milliseconds, peak, cpuSeconds }
}
