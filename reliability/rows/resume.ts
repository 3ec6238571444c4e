import { setTimeout as pause } from 'node:timers/promises'
import type { RunningServer } from '../../bench/servers/server.ts'
import { createHttpClient } from '../http.ts'
import { killRegistry, startRegistry } from '../load/start.ts'
import { createRandom } from '../random.ts'
import { createPlanner } from '../resume/plan.ts'
import { type Counts, createResumedUpload, type Place } from '../resume/upload.ts'
import type { Row } from '../row.ts'

const sizes = {
  small: { uploads: 60, wave: 10 },
  full: { uploads: 1000, wave: 20 },
} as const

const repository = 'resume/blobs'

/** One wave in so many ends with the server being killed in the middle of all its uploads. */
const killEvery = 3

export const resume: Row = {
  name: 'resume',
  title: 'uploads that are cut off and go on',
  method:
    'Uploads in chunks of one byte to 2 MiB, with and without Content-Length and Content-Range, the last chunk in the PUT or not. ' +
    'Clients destroy their connection at a random byte, or the server gets SIGKILL in the middle of many; each client asks where ' +
    'to go on, goes on from there, and compares what it pulls.',
  portable: true,
  run: async ({ size, registry, directory, seed, say, signal }) => {
    const { uploads, wave } = sizes[size]
    const random = createRandom(seed)
    const plan = createPlanner(random.fork('pool'))
    const counts: Counts = {
      cutsByClient: 0,
      cutsByServer: 0,
      sentAgainAfterClient: 0,
      sentAgainAfterServer: 0,
      wrongOffsetsRefused: 0,
      finishedAllTheSame: 0,
      askedTooEarly: 0,
    }
    const failures: string[] = []
    let kills = 0
    let resumed = 0
    let server: RunningServer | undefined
    let place: Place | undefined
    const start = async (): Promise<void> => {
      server = await startRegistry(registry, { directory })
      place = { url: server.url, client: createHttpClient(server.url) }
    }
    const kill = async (): Promise<void> => {
      place?.client[Symbol.dispose]()
      if (server !== undefined) await killRegistry(server)
    }
    try {
      await start()
      for (let first = 0; first < uploads; first += wave) {
        signal.throwIfAborted()
        const killed = (first / wave) % killEvery === killEvery - 1
        const of = random.fork(`wave ${first}`)
        const all = Array.from({ length: Math.min(wave, uploads - first) }, (_, index) => {
          const own = of.fork(`upload ${index}`)
          const upload = createResumedUpload({
            plan: plan(own, killed),
            repository,
            random: own,
            place: () => {
              if (place === undefined) throw new Error('No server runs.')
              return place
            },
            counts,
          })
          return { name: `upload ${first + index}`, upload }
        })
        const failed = new Set<string>()
        const each = async (work: (upload: (typeof all)[number]['upload']) => Promise<void>): Promise<void> => {
          await Promise.all(
            all.map(async ({ name, upload }) => {
              if (failed.has(name)) return
              await work(upload).catch((error: unknown) => {
                failed.add(name)
                failures.push(`${name}: ${error instanceof Error ? error.message : String(error)}`)
              })
            }),
          )
        }
        if (killed) {
          await each(async (upload) => upload.untilKilled())
          await pause(of.between(0, 30))
          await kill()
          kills += 1
          await start()
        }
        await each(async (upload) => upload.toTheEnd())
        resumed += all.length - failed.size
        if (first % 200 === 0) say(`${resumed} of ${uploads} resumed`)
      }
    } finally {
      await kill()
    }
    return {
      figures: {
        uploads,
        'resumed to the right digest': resumed,
        'cuts by the client': counts.cutsByClient,
        'cuts of the server': counts.cutsByServer,
        kills,
        'acknowledged bytes sent again after a cut by the client': counts.sentAgainAfterClient,
        'acknowledged bytes sent again after a kill': counts.sentAgainAfterServer,
        'wrong offsets answered 416': counts.wrongOffsetsRefused,
        'cut requests that were carried out': counts.finishedAllTheSame,
        'asked before the cut request had arrived': counts.askedTooEarly,
      },
      failures: failures.slice(0, 100),
    }
  },
}
