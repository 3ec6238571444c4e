import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'

const counted = ['fsync', 'fdatasync'] as const

export type SyncCalls = Record<(typeof counted)[number], number>

/** How often the process and its threads call fsync and fdatasync while `work` runs. Needs strace, and leave to trace. */
export async function countSyncCalls(pid: number, work: () => Promise<void>): Promise<SyncCalls> {
  const directory = await mkdtemp(join(tmpdir(), 'stowage-bench-strace-'))
  const output = join(directory, 'table')
  try {
    const strace = spawn('strace', ['-f', '-c', '-e', `trace=${counted.join(',')}`, '-o', output, '-p', `${pid}`], {
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    const ended = once(strace, 'exit')
    await attached(strace.stderr)
    await work()
    strace.kill('SIGINT')
    await ended
    return readCounts(await readFile(output, 'utf8'))
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

/** Reads the table of `strace -c`: a call that was never made has no line in it. */
export function readCounts(table: string): SyncCalls {
  const counts: SyncCalls = { fsync: 0, fdatasync: 0 }
  for (const line of table.split('\n')) {
    // % time, seconds, usecs/call, calls, errors (only when there were some), name
    const fields = line.trim().split(/\s+/)
    const call = counted.find((name) => name === fields.at(-1))
    if (call !== undefined) counts[call] = Number(fields[3])
  }
  return counts
}

/** strace says so on stderr when it holds the process and all its threads. */
async function attached(stderr: Readable): Promise<void> {
  let said = ''
  for await (const chunk of stderr.iterator({ destroyOnReturn: false })) {
    said += chunk.toString()
    if (said.includes('attached')) return
  }
  throw new Error(`strace could not attach: ${said.trim() || 'is it installed?'}`)
}
