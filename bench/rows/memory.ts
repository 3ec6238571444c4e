import { setTimeout as pause } from 'node:timers/promises'
import { join } from 'node:path'
import { createContent, mebibyte, type ServedContent } from '../content.ts'
import { createHttpClient } from '../load/http-client.ts'
import { startSlowReaders } from '../load/slow-readers.ts'
import { memoryOf, resetPeak } from '../proc.ts'
import { createStreamedBlob, pushBlob } from '../push-driver.ts'
import type { Sample, Series, Target } from '../result.ts'
import { distribution } from '../servers/distribution.ts'
import { dockerRegistry } from '../servers/docker-registry.ts'
import type { BenchServer, RunningServer } from '../servers/server.ts'
import { stowage } from '../servers/stowage.ts'
import { zot } from '../servers/zot.ts'
import { inOwnDirectory, type Row, type RowContext, startServers } from './row.ts'

const title = 'memory (RSS)'
const streams = 64
const bytesPerSecondOfStream = mebibyte
const pushedMebibytes = 4096
/** A server starts afresh for each round, so a few are enough: what they differ by is the garbage collector's mood. */
const mostRounds = 3

const parts = {
  idle: 'idle',
  streams: `${streams} slow streams of a 256 MiB blob`,
  push: 'added by a 4 GiB push',
} as const

export const memoryRow: Row = {
  id: 'memory',
  title,
  run: async (context) => {
    const servers = [stowage, dockerRegistry, distribution, zot].filter(context.wanted)
    const content = await createContent(join(context.directory, 'content'), 256 * mebibyte)
    const series = new Map<string, Sample[]>()
    const rounds = Math.min(context.rounds, mostRounds)
    for (let round = 1; round <= rounds; round += 1) {
      for (const server of servers) {
        for (const [part, bytes] of Object.entries(await measureAlone(context, server, content))) {
          const name = `${server.name}, ${part}`
          context.say(`memory: round ${round}, ${name}: ${(bytes / mebibyte).toFixed(1)} MiB`)
          series.set(name, [...(series.get(name) ?? []), { value: bytes, detail: {} }])
        }
      }
    }
    return {
      id: 'memory',
      title,
      unit: 'bytes',
      series: [...series].map(([name, samples]) => seriesOf(name, samples)),
      targets: [ours(parts.idle, 150), ours(parts.streams, 150 + streams), ours(parts.push, 32)],
      notes: [
        `${streams} clients that take 1 MiB/s each for ${context.seconds + 5} s: the peak of VmHWM`,
        'the push: the peak of VmHWM during it less VmRSS before it, on a server that has just started and has taken a push of 4 MiB',
      ],
    }
  },
}

/** In a directory that goes with the servers: a round of all of them would fill a small disk. */
function measureAlone(context: RowContext, server: BenchServer, content: ServedContent) {
  const directory = join(context.directory, 'alone')
  return inOwnDirectory(directory, () => measure({ ...context, directory }, server, content))
}

async function measure(context: RowContext, server: BenchServer, content: ServedContent) {
  await using filled = await startServers(context, [server], content)
  const [reading] = filled.running
  if (reading === undefined) throw new Error(`${server.name} is not there`)
  const underStreams = await peakUnderStreams(context, reading, content)

  await using fresh = await startServers(context, [server], undefined)
  const [pushing] = fresh.running
  if (pushing === undefined) throw new Error(`${server.name} is not there`)
  await pause(1000)
  const idle = memoryOf(pushing.pid).resident
  return { [parts.idle]: idle, [parts.streams]: underStreams, [parts.push]: await addedByPush(pushing) }
}

async function peakUnderStreams(context: RowContext, server: RunningServer, content: ServedContent): Promise<number> {
  resetPeak(server.pid)
  const url = `${server.url}/v2/${content.repository}/blobs/${content.asked.digest}`
  const seconds = context.seconds + 5
  using readers = startSlowReaders(url, streams, bytesPerSecondOfStream)
  await pause(seconds * 1000)
  readers.check()
  const slowest = Math.min(...readers.received())
  if (slowest < (seconds * bytesPerSecondOfStream) / 2) {
    throw new Error(`${server.name} gave a slow reader only ${slowest} bytes in ${seconds} s`)
  }
  return memoryOf(server.pid).peak
}

async function addedByPush({ pid, url }: RunningServer): Promise<number> {
  using client = createHttpClient(1)
  const target = { client, url, repository: 'bench/huge' }
  await pushBlob(target, createStreamedBlob(4))
  const blob = createStreamedBlob(pushedMebibytes)
  await pause(1000)
  resetPeak(pid)
  const before = memoryOf(pid).resident
  await pushBlob(target, blob)
  return memoryOf(pid).peak - before
}

function seriesOf(name: string, samples: readonly Sample[]): Series {
  const [first] = samples
  if (first === undefined) throw new RangeError('memory needs at least one round')
  // No warm-up: each round starts its servers anew, and a cold server is the question.
  return { name, warmUp: first, rounds: samples }
}

function ours(part: string, mebibytes: number): Target {
  return { subject: `${stowage.name}, ${part}`, direction: 'at most', bound: mebibytes * mebibyte }
}
