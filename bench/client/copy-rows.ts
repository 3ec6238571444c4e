import { mkdir, rm } from 'node:fs/promises'
import { randomFillSync } from 'node:crypto'
import { join } from 'node:path'
import { alternate } from '../alternate.ts'
import { digestOf, manifestOf } from '../content.ts'
import { createHttpClient } from '../load/http-client.ts'
import { createSmallImages, pushBlob, pushImages, pushManifest, type PushTarget } from '../push-driver.ts'
import type { RowResult, Sample } from '../result.ts'
import { dockerRegistry } from '../servers/docker-registry.ts'
import type { BenchServer, RunningServer } from '../servers/server.ts'
import { stowage as stowageServer } from '../servers/stowage.ts'
import { flushDisks } from '../rows/push-blob.ts'
import type { ClientRow, ClientRowContext } from './row.ts'
import { timeCommand } from './command.ts'
import { type Repository, skopeo, stowage, type Subject, subjects } from './subjects.ts'

const mebibyte = 1024 * 1024
const layers = 8
const layerSize = 128 * mebibyte
const smallImages = 300
const repository = 'bench/app'
const tag = 'v1'

const servers: readonly BenchServer[] = [stowageServer, dockerRegistry]

/** Copies between two registries of one kind. Each run has a target that has just started and is empty. */
export const copyRows: readonly ClientRow[] = servers.flatMap((server) => [
  {
    id: `copy-${server.name}`,
    title: `copy an image of ${layers} layers × 128 MiB between two ${server.name}`,
    run: async (context) => largeImage(server, context),
  },
  {
    id: `sync-${server.name}`,
    title: `copy ${smallImages} small tagged images of one repository between two ${server.name}`,
    run: async (context) => manyImages(server, context),
  },
])

async function largeImage(server: BenchServer, context: ClientRowContext): Promise<RowResult[]> {
  const title = `copy an image of ${layers} layers × 128 MiB between two ${server.name}`
  const series = await between(server, context, fillWithLargeImage, async (subject, from, to) => {
    const [program, ...args] = subject.copy(from, tag, to)
    const { milliseconds, peak, cpuSeconds } = await timeCommand(program, args)
    return { value: milliseconds, detail: { 'peak RSS MiB': peak / mebibyte, 'cpu s': cpuSeconds } }
  })
  const memory = series.map(({ name, warmUp, rounds }) => ({
    name,
    warmUp: inBytes(warmUp),
    rounds: rounds.map(inBytes),
  }))
  return [
    {
      id: `copy-${server.name}`,
      title,
      unit: 'ms',
      series,
      targets: [{ subject: stowage.name, peer: skopeo.name, direction: 'at most', bound: 1 }],
      notes: [],
    },
    {
      id: `copy-${server.name}-memory`,
      title: `the most memory (RSS) of it`,
      unit: 'bytes',
      series: memory,
      targets: [{ subject: stowage.name, direction: 'at most', bound: 150 * mebibyte }],
      notes: ['of the client alone, looked up every 20 ms'],
    },
  ]
}

const inBytes = ({ detail }: Sample): Sample => ({
  value: (detail['peak RSS MiB'] ?? Number.NaN) * mebibyte,
  detail: {},
})

async function manyImages(server: BenchServer, context: ClientRowContext): Promise<RowResult[]> {
  const title = `copy ${smallImages} small tagged images of one repository between two ${server.name}`
  const series = await between(server, context, fillWithSmallImages, async (subject, from, to) => {
    const [program, ...args] = subject.sync(from, to)
    const { milliseconds, peak, cpuSeconds } = await timeCommand(program, args)
    const seconds = milliseconds / 1000
    return {
      value: smallImages / seconds,
      detail: { s: seconds, 'peak RSS MiB': peak / mebibyte, 'cpu s': cpuSeconds },
    }
  })
  return [
    {
      id: `sync-${server.name}`,
      title,
      unit: 'images/s',
      series,
      targets: [{ subject: stowage.name, peer: skopeo.name, direction: 'at least', bound: 3 }],
      notes: ['a config and a layer of 4 KiB each, all different'],
    },
  ]
}

/** One source for all rounds; a fresh target for each run, for both clients remember what they have put where. */
async function between(
  server: BenchServer,
  { rounds, directory, say }: ClientRowContext,
  fill: (target: PushTarget) => Promise<void>,
  measure: (subject: Subject, from: Repository, to: Repository) => Promise<Sample>,
): Promise<RowResult['series']> {
  await using source = await startIn(server, join(directory, 'source'))
  using client = createHttpClient(4)
  await fill({ client, url: source.url, repository })
  const from = { host: new URL(source.url).host, repository }
  // Awaited here: the source ends with this function.
  return await alternate(subjects, rounds, async (subject, round) => {
    const place = join(directory, 'target')
    try {
      await using target = await startIn(server, place)
      flushDisks()
      const to = { host: new URL(target.url).host, repository: 'copies/app' }
      const sample = await measure(subject, from, to)
      await verify(client, target, to, from)
      say(`${server.name}: round ${round}, ${subject.name}: ${JSON.stringify(sample)}`)
      return sample
    } finally {
      await rm(place, { recursive: true, force: true })
    }
  })
}

async function startIn(server: BenchServer, directory: string): Promise<RunningServer> {
  await mkdir(directory, { recursive: true })
  return server.start({ directory, content: undefined })
}

/** A client that copies nothing would win every comparison. */
async function verify(
  client: ReturnType<typeof createHttpClient>,
  target: RunningServer,
  to: Repository,
  from: Repository,
): Promise<void> {
  const tagsOf = async (base: string, name: string): Promise<string[]> => {
    const answer = await client.call({ method: 'GET', url: new URL(`/v2/${name}/tags/list`, base) })
    const { tags } = JSON.parse(answer.body.toString()) as { tags: string[] | null }
    return (tags ?? []).toSorted()
  }
  const wanted = await tagsOf(`http://${from.host}`, from.repository)
  const found = await tagsOf(target.url, to.repository)
  if (wanted.length === 0 || wanted.join() !== found.join()) {
    throw new Error(`the target has ${found.length} tags instead of ${wanted.length}`)
  }
}

async function fillWithLargeImage(target: PushTarget): Promise<void> {
  const config = new TextEncoder().encode(
    '{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}',
  )
  const blobs = [{ digest: digestOf(config), size: config.byteLength, bytes: config }]
  await pushBlob(target, { digest: digestOf(config), size: config.byteLength, bytes: config })
  for (let layer = 0; layer < layers; layer++) {
    const bytes = randomFillSync(Buffer.allocUnsafe(layerSize))
    const blob = { digest: digestOf(bytes), size: bytes.byteLength }
    await pushBlob(target, { ...blob, bytes })
    blobs.push({ ...blob, bytes: new Uint8Array() })
  }
  const [first, ...rest] = blobs
  if (first === undefined) throw new Error('there is no config')
  await pushManifest(target, tag, manifestOf(first, rest))
}

async function fillWithSmallImages(target: PushTarget): Promise<void> {
  await pushImages(target, createSmallImages(smallImages), 4)
}
