import { readdirSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { memoryOf } from '../../bench/proc.ts'
import { median } from '../../bench/statistics.ts'
import { createHttpClient } from '../http.ts'
import { loopDelay } from '../load/phase.ts'
import { rounded } from '../load/stage.ts'
import { startRegistry } from '../load/start.ts'
import type { Row } from '../row.ts'
import { lineThrough } from '../soak/regression.ts'
import { startWork } from '../soak/work.ts'

const MiB = 1024 * 1024
const minutes = Number(process.env['RELIABILITY_SOAK_MINUTES'] ?? 60)
/** Until caches are full and code is compiled, memory grows as it should. Minutes. */
const warmUp = Math.min(10, minutes / 3)
/** Seconds between two samples. */
const every = minutes >= 30 ? 10 : 2

/** Grows without end: faster than so many MiB an hour, and a line explains nearly all of it. */
const mostSlope = 32
const leastFit = 0.8
/** Descriptors come and go with connections and open files. */
const descriptorsMore = 50

const environment = {
  STOWAGE_GARBAGE_EVERY: '5s',
  STOWAGE_GARBAGE_GRACE: '2s',
  STOWAGE_SCRUB_EVERY: '1s',
  STOWAGE_SCRUB_RATE: '4MiB',
  STOWAGE_UPLOADS_EXPIRE_AFTER: '30s',
}

interface Sample {
  /** Hours since the first. */
  readonly at: number
  readonly resident: number
  readonly descriptors: number
  /** p99 of the event loop's delay since the sample before, milliseconds. */
  readonly loop: number
}

export const soak: Row = {
  name: 'soak',
  title: `${minutes} minutes of everything at once`,
  method:
    'Pushes, pulls, deletions, lists, uploads that are abandoned and readers of 10 KiB/s at a moderate rate, with as much ' +
    'stored at the end as after the first minutes; garbage collection every five seconds, a scrub all the time. After a warm-up ' +
    `memory and descriptors are sampled. A slope of more than ${mostSlope} MiB an hour that explains more than ${leastFit * 100} % ` +
    'of what memory varied would be growth without end.',
  portable: false,
  onlyFull: true,
  run: async ({ registry, directory, seed, say, signal }) => {
    await using server = await startRegistry(registry, { directory, environment })
    using client = createHttpClient(server.url, { maxSockets: 32 })
    const over = new AbortController()
    const work = startWork(server.url, client, seed, AbortSignal.any([over.signal, signal]))
    const samples: Sample[] = []
    try {
      await pause(warmUp * 60_000, undefined, { signal })
      await loopDelay(registry, server.url)
      say(`warm after ${warmUp} minutes: ${work.requests()} requests, ${work.errorCount()} errors`)
      const began = performance.now()
      const end = began + (minutes - warmUp) * 60_000
      while (performance.now() < end) {
        await pause(every * 1000, undefined, { signal })
        samples.push({
          at: (performance.now() - began) / 3_600_000,
          resident: memoryOf(server.pid).resident / MiB,
          descriptors: readdirSync(`/proc/${server.pid}/fd`).length,
          loop: (await loopDelay(registry, server.url)) ?? 0,
        })
        if (samples.length % 30 === 0) say(`${work.requests()} requests, ${samples.at(-1)?.resident.toFixed(0)} MiB`)
      }
    } finally {
      over.abort()
      await work.done
    }
    const memory = lineThrough(samples.map(({ at, resident }) => ({ x: at, y: resident })))
    // A sample may meet a moment when all connections are in use: the middle of some is compared with the middle of others.
    const quarter = Math.ceil(samples.length / 4)
    const between = (from: number, to: number, of: (sample: Sample) => number): number =>
      median(samples.slice(from, to).map(of))
    const early = (of: (sample: Sample) => number): number => between(0, quarter, of)
    const late = (of: (sample: Sample) => number): number => between(samples.length - quarter, samples.length, of)
    const descriptors = [early((sample) => sample.descriptors), late((sample) => sample.descriptors)] as const
    return {
      figures: {
        minutes,
        requests: work.requests(),
        errors: work.errorCount(),
        'RSS slope, MiB/h': rounded(memory.slope, 1),
        'of what RSS varied, the slope explains': rounded(memory.fit, 2),
        'RSS of the first and the last quarter, MiB': `${rounded(early(({ resident }) => resident))}, ${rounded(late(({ resident }) => resident))}`,
        'descriptors of the first and the last quarter': descriptors.join(', '),
        'event loop p99 of a sample: median, ms': rounded(median(samples.map(({ loop }) => loop)), 1),
        'event loop p99 of a sample: highest, ms': rounded(Math.max(...samples.map(({ loop }) => loop)), 1),
      },
      failures: [
        ...work.errors,
        ...(memory.slope > mostSlope && memory.fit > leastFit
          ? [`memory grows by ${memory.slope.toFixed(0)} MiB an hour`]
          : []),
        ...(descriptors[1] > descriptors[0] + descriptorsMore
          ? [`descriptors grew from ${descriptors[0]} to ${descriptors[1]}`]
          : []),
      ],
    }
  },
}
