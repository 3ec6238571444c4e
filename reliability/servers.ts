import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { freePort } from '../bench/servers/server.ts'
import { program } from '../bench/servers/stowage.ts'
import { createHttpClient } from './http.ts'
import type { RegistryName } from './row.ts'

/** A registry in a process group of its own, to be killed without mercy. */
export interface ServedRegistry extends AsyncDisposable {
  readonly url: string
  readonly pid: number
  /** Milliseconds from the start of the process to the first 200 for `/v2/`. */
  readonly readyAfter: number
  readonly ended: () => boolean
  /** The last of what it wrote to stderr. */
  readonly complaint: () => string
  /** SIGKILL to it and all that it started; resolves when it is gone. */
  readonly kill: () => Promise<void>
}

export interface StartRegistry {
  /** What it stores goes into `data` in here, beside its configuration; a second start finds what the first one left. */
  readonly directory: string
  readonly environment?: Readonly<Record<string, string>>
  /** A program with arguments that is to run the registry: strace. */
  readonly under?: readonly string[]
  /** Kills the process this many milliseconds after its start, ready or not; the start then gives undefined. */
  readonly killAfter?: number
}

/** It ended, or did not answer, with what it said. */
export class StartError extends Error {
  override readonly name = 'StartError'
}

const patience = 30_000
const running = new Set<number>()
process.on('exit', () => {
  for (const pid of running) killGroup(pid)
})

export const startRegistry = async (
  registry: RegistryName,
  { directory, environment = {}, under = [], killAfter }: StartRegistry,
): Promise<ServedRegistry | undefined> => {
  const port = await freePort()
  const [command = '', ...args] = [...under, ...commands[registry](directory, port)]
  const began = performance.now()
  const child = spawn(command, args, {
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true,
    env: { ...process.env, DISABLE_AUTHENTICATION: 'yes', ...environment },
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
  running.add(pid)
  const gone = once(child, 'exit')
  child.once('exit', () => {
    ended = true
    running.delete(pid)
  })
  const kill = async (): Promise<void> => {
    killGroup(pid)
    await gone
    // What it started is not ours to wait for, only to see the end of.
    for (let tried = 0; tried < 200 && killGroup(pid); tried += 1) await pause(5)
  }
  const url = `http://127.0.0.1:${port}`
  if (killAfter !== undefined) {
    await pause(killAfter)
    await kill()
    return undefined
  }
  using client = createHttpClient(url)
  const hasEnded = (): boolean => ended
  while (performance.now() - began < patience && !hasEnded()) {
    const ready = await client.send('GET', '/v2/').then(
      ({ status }) => status === 200,
      () => false,
    )
    const readyAfter = performance.now() - began
    if (ready)
      return { url, pid, readyAfter, ended: hasEnded, complaint: () => complaint, kill, [Symbol.asyncDispose]: kill }
    await pause(5)
  }
  await kill()
  throw new StartError(`${registry} did not become ready: ${complaint.trim() || 'it said nothing'}`)
}

/** @returns whether there was anything left to kill. */
function killGroup(pid: number): boolean {
  try {
    process.kill(-pid, 'SIGKILL')
    return true
  } catch {
    return false
  }
}

const commands: Record<RegistryName, (directory: string, port: number) => string[]> = {
  stowage: (directory, port) => [
    process.execPath,
    program,
    'serve',
    `127.0.0.1:${port}`,
    '--data',
    join(directory, 'data'),
    '--log-level',
    'error',
  ],
  'docker-registry': (directory, port) => {
    const file = join(directory, 'config.yml')
    writeFileSync(file, configuration(join(directory, 'data'), port))
    return ['docker-registry', 'serve', file]
  },
}

/** Debian's, without its password file. JSON is YAML. */
const configuration = (data: string, port: number): string =>
  JSON.stringify({
    version: 0.1,
    log: { level: 'error', accesslog: { disabled: true }, fields: { service: 'registry' } },
    storage: {
      cache: { blobdescriptor: 'inmemory' },
      filesystem: { rootdirectory: data },
      delete: { enabled: true },
    },
    http: { addr: `127.0.0.1:${port}`, headers: { 'X-Content-Type-Options': ['nosniff'] } },
    health: { storagedriver: { enabled: true, interval: '10s', threshold: 3 } },
  })
