import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'

export interface Child extends AsyncDisposable {
  readonly pid: number
  /** What it wrote to stderr, the last 4 KiB of it. */
  readonly complaint: () => string
  /** SIGTERM, and SIGKILL after ten seconds. Resolves when the process is gone. */
  readonly stop: () => Promise<void>
  readonly ended: () => boolean
}

const running = new Map<number, () => void>()
process.on('exit', () => {
  for (const kill of running.values()) kill()
})

/** Starts a server that the bench owns. Its stdout goes to /dev/null; it is killed when the bench ends, however it ends. */
export function startChild(command: string, args: readonly string[], environment: Record<string, string> = {}): Child {
  const child = spawn(command, args, {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, ...environment },
  })
  let ended = false
  let complaint = ''
  child.stderr.on('data', (chunk: Buffer) => {
    complaint = (complaint + chunk.toString()).slice(-4096)
  })
  child.on('error', (error) => {
    ended = true
    complaint += error.message
  })
  const { pid } = child
  if (pid === undefined) throw new Error(`${command} cannot be started: is it installed?`)
  running.set(pid, () => child.kill('SIGKILL'))
  child.on('exit', () => {
    ended = true
    running.delete(pid)
  })
  const stop = async () => {
    if (ended) return
    const gone = once(child, 'exit')
    child.kill('SIGTERM')
    const impatience = setTimeout(() => child.kill('SIGKILL'), 10_000)
    await gone
    clearTimeout(impatience)
  }
  return { pid, complaint: () => complaint, stop, ended: () => ended, [Symbol.asyncDispose]: stop }
}

/** The first line that a program says of its version, from stdout or stderr; undefined when it is not installed. */
export function versionOf(command: string, args: readonly string[]): string | undefined {
  const { error, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' })
  if (error !== undefined) return undefined
  return (
    `${stdout}\n${stderr}`
      .split('\n')
      .find((line) => line.trim() !== '')
      ?.trim() ?? 'unknown'
  )
}
