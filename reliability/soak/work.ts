import { setTimeout as pause } from 'node:timers/promises'
import { startSlowReaders } from '../../bench/load/slow-readers.ts'
import { createImages, type Images } from '../gc-race/images.ts'
import { pullImage, type PushCounts, pushImage } from '../gc-race/push.ts'
import { type HttpClient, locationOf } from '../http.ts'
import { contentOf, imageOf, pushBlob } from '../image.ts'
import { createRandom, type Random } from '../random.ts'

export interface Work {
  /** Goes on until the signal aborts. Never rejects. */
  readonly done: Promise<void>
  readonly requests: () => number
  /** What should not have been: the first hundred, and how many there were. */
  readonly errors: readonly string[]
  readonly errorCount: () => number
}

const tags = Array.from({ length: 20 }, (_, index) => `tag-${index}`)
/** As many images stay, more or less: what is stored neither grows nor shrinks. */
const wanted = 200
const octets = { 'content-type': 'application/octet-stream' }
const MiB = 1024 * 1024

/** A registry's ordinary day: pushes, pulls, deletions, lists, clients that go away and clients that are slow. */
export const startWork = (url: string, client: HttpClient, seed: number, signal: AbortSignal): Work => {
  const random = createRandom(seed)
  const noise = random.bytes(4 * MiB)
  const images = createImages((of) => {
    const bytes = Buffer.from(
      noise.subarray(0, of.next() < 0.05 ? of.between(MiB, 4 * MiB) : of.between(64, 128 * 1024)),
    )
    of.bytes(16).copy(bytes)
    return contentOf(bytes)
  })
  const counts: PushCounts = { uploaded: 0, skipped: 0, mounted: 0, retried: 0 }
  const errors: string[] = []
  let errorCount = 0
  let requests = 0
  const counting: HttpClient = {
    send: async (...args) => {
      requests += 1
      return client.send(...args)
    },
    [Symbol.dispose]: () => {},
  }
  const context: Context = { client: counting, images, counts, seed }

  const again = async (
    name: string,
    rest: number,
    work: (context: Context, of: Random) => Promise<void>,
  ): Promise<void> => {
    const of = random.fork(name)
    while (!signal.aborted) {
      try {
        await work(context, of)
      } catch (error) {
        errorCount += 1
        if (errors.length < 100) errors.push(`${name}: ${error instanceof Error ? error.message : String(error)}`)
      }
      await pause(rest * (0.5 + of.next()), undefined, { signal }).catch(() => {})
    }
  }
  const many = (count: number, name: string, rest: number, work: (context: Context, of: Random) => Promise<void>) =>
    Array.from({ length: count }, async (_, index) => again(`${name} ${index}`, rest, work))

  const all = Promise.all([
    ...many(4, 'push', 300, push),
    ...many(8, 'pull', 200, pull),
    ...many(1, 'delete', 100, remove),
    ...many(2, 'list', 500, list),
    ...many(1, 'abandon', 1000, abandon),
    again('slow readers', 1000, async ({ client: own }) => readSlowly(url, own, noise, signal)),
  ])
  const done = (async () => void (await all))()
  return { done, requests: () => requests, errors, errorCount: () => errorCount }
}

interface Context {
  readonly client: HttpClient
  readonly images: Images
  readonly counts: PushCounts
  readonly seed: number
}

const push = async ({ client, images, counts, seed }: Context, of: Random): Promise<void> => {
  const repository = of.pick(images.repositories)
  const image = imageOf(
    `${seed} ${of.next()}`,
    Array.from({ length: of.between(1, 4) }, () => images.layer(of)),
  )
  await pushImage(client, of, images, repository, image, of.pick(tags), counts)
  images.add({ repository, image, deleting: false })
}

const pull = async ({ client, images }: Context, of: Random): Promise<void> => {
  const one = images.pick(of)
  if (one === undefined) return
  const wrong = await pullImage(client, one.repository, one.image)
  if (wrong.length > 0 && !one.deleting) throw new Error(wrong.join('; '))
}

const remove = async ({ client, images }: Context, of: Random): Promise<void> => {
  if (of.next() < 0.2) {
    const { status } = await client.send('DELETE', `/v2/${of.pick(images.repositories)}/manifests/${of.pick(tags)}`)
    if (status !== 202 && status !== 404) throw new Error(`DELETE of a tag was answered ${status}`)
  }
  while (images.all.size > wanted) {
    const taken = images.takeOut(of)
    if (taken === undefined) return
    const path = `/v2/${taken.repository}/manifests/${taken.image.manifest.digest}`
    const { status } = await client.send('DELETE', path)
    if (status !== 202) throw new Error(`DELETE of a manifest was answered ${status}`)
  }
}

const list = async ({ client, images }: Context, of: Random): Promise<void> => {
  const repository = of.pick(images.repositories)
  for (const path of [
    '_catalog?n=5',
    `${repository}/tags/list?n=5`,
    `${repository}/referrers/sha256:${'0'.repeat(64)}`,
  ]) {
    const { status } = await client.send('GET', `/v2/${path}`)
    if (status !== 200 && status !== 404) throw new Error(`GET of ${path} was answered ${status}`)
  }
}

/** Sends some of a blob and never comes back, or hangs up in the middle. */
const abandon = async ({ client, images }: Context, of: Random): Promise<void> => {
  const begun = await client.send('POST', `/v2/${of.pick(images.repositories)}/blobs/uploads/`)
  if (begun.status !== 202) throw new Error(`POST of an upload was answered ${begun.status}`)
  const body = of.bytes(of.between(1, 64 * 1024))
  if (of.next() < 0.5) {
    const { status } = await client.send('PATCH', locationOf(begun), { headers: octets, body })
    if (status !== 202) throw new Error(`PATCH was answered ${status}`)
    return
  }
  const cut = AbortSignal.timeout(of.between(1, 5))
  // Whether it was cut is the clock's choice.
  await client.send('PATCH', locationOf(begun), { headers: octets, body, signal: cut }).catch(() => {})
}

/** A minute of ten clients that take 10 KiB a second of a blob. */
const readSlowly = async (url: string, client: HttpClient, noise: Buffer, signal: AbortSignal): Promise<void> => {
  const blob = contentOf(noise)
  const pushed = await pushBlob(client, 'slow/blobs', blob)
  if (pushed.status !== 201) throw new Error(`a push for slow readers was answered ${pushed.status}`)
  using readers = startSlowReaders(`${url}/v2/slow/blobs/blobs/${blob.digest}`, 10, 10 * 1024)
  await pause(60_000, undefined, { signal }).catch(() => {})
  readers.check()
}
