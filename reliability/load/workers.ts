/**
 * `node reliability/load/workers.ts [rounds] [seconds]`: what a second process could give at most on this machine. The rate of
 * one server is measured against that of two independent servers on two copies of the data, which share nothing at all.
 */
import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cpuSecondsOf } from '../../bench/proc.ts'
import type { RunningServer } from '../../bench/servers/server.ts'
import { median } from '../../bench/statistics.ts'
import { runWrk } from '../../bench/load/wrk.ts'
import { createHttpClient } from '../http.ts'
import { contentOf, imageOf, pushBlob, pushManifest } from '../image.ts'
import { createRandom } from '../random.ts'
import { startRegistry } from './start.ts'

const [rounds = 3, seconds = 5] = process.argv.slice(2).map(Number)
const repository = 'workers/images'
const connections = 32
const MiB = 1024 * 1024

const directory = await mkdtemp(join(tmpdir(), 'stowage-workers-'))
try {
  const [first, second] = [join(directory, 'one'), join(directory, 'other')]
  const layer = contentOf(createRandom(1).bytes(MiB))
  const image = imageOf('workers', [layer])
  {
    await using server = await startRegistry('stowage', { directory: first })
    using client = createHttpClient(server.url)
    for (const content of [image.config, layer]) await pushBlob(client, repository, content)
    await pushManifest(client, repository, 'latest', image.manifest)
  }
  await cp(first, second, { recursive: true })
  await using one = await startRegistry('stowage', { directory: first })
  await using other = await startRegistry('stowage', { directory: second })

  for (const [what, path] of [
    ['manifests', `manifests/${image.manifest.digest}`],
    ['blobs of 1 MiB', `blobs/${layer.digest}`],
  ] as const) {
    const load = async (servers: readonly RunningServer[]): Promise<number> => {
      const before = servers.map(({ pid }) => cpuSecondsOf(pid))
      const reports = await Promise.all(
        servers.map(async ({ url }) =>
          runWrk({ url: `${url}/v2/${repository}/${path}`, connections: connections / servers.length, seconds }),
        ),
      )
      const used = servers.map(({ pid }, index) => ((cpuSecondsOf(pid) - (before[index] ?? 0)) / seconds).toFixed(2))
      const rate = reports.reduce((sum, { requestsPerSecond }) => sum + requestsPerSecond, 0)
      console.log(`  ${servers.length} of ${what}: ${rate.toFixed(0)}/s, cores used by each server: ${used.join(', ')}`)
      return rate
    }
    const alone: number[] = []
    const together: number[] = []
    // In turn, so that what else happens on the machine meets both.
    for (let round = 0; round < rounds; round += 1) {
      alone.push(await load([one]))
      together.push(await load([one, other]))
    }
    const gain = median(together) / median(alone)
    const each = together.map((rate, round) => (rate / (alone[round] ?? 0)).toFixed(2))
    console.log(
      `${what}: one server ${median(alone).toFixed(0)}/s, two ${median(together).toFixed(0)}/s: ` +
        `${gain.toFixed(2)} times as many (of each round: ${each.join(', ')})`,
    )
  }
} finally {
  await rm(directory, { recursive: true, force: true })
}
