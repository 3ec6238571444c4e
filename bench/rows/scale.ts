import { randomInt } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { createHttpClient, type HttpClient } from '../load/http-client.ts'
import { createSmallImages, pushImages } from '../push-driver.ts'
import type { Sample, Series, Target } from '../result.ts'
import { repositoryName, type Seed, seedTags, tagName } from '../seed-tags.ts'
import type { RunningServer } from '../servers/server.ts'
import { stowage } from '../servers/stowage.ts'
import { percentile } from '../statistics.ts'
import type { Row, RowContext } from './row.ts'

const title = 'lists of 100 at 1 M tags, p99 of 2,000 requests'
const requests = 2000

interface Store {
  readonly label: string
  readonly seed: Seed
}

const small: Store = { label: '10 k tags', seed: { repositories: 100, tagsOfEach: 100 } }
const large: Store = { label: '1 M tags', seed: { repositories: 10_000, tagsOfEach: 100 } }

/** A list, and a page of it somewhere in the middle of `seed`. */
interface List {
  readonly name: string
  readonly page: (seed: Seed) => string
  /** Whether the answer is the page that was asked for: both stores must give as much. */
  readonly valid: (body: unknown) => boolean
}

const lists: readonly List[] = [
  {
    name: 'tags/list',
    page: ({ repositories, tagsOfEach }) => {
      const last = randomInt(2) === 0 ? '' : `&last=${tagName(randomInt(tagsOfEach - 1))}`
      return `/v2/${repositoryName(randomInt(repositories))}/tags/list?n=100${last}`
    },
    valid: (body) => namesIn(body, 'tags') > 0,
  },
  {
    name: '_catalog',
    // The small store has exactly one page behind whatever comes before its first name; the large one has many.
    page: ({ repositories }) => {
      const last = repositories > 100 ? repositoryName(randomInt(repositories - 100)) : `scale/${randomInt(1_000_000)}`
      return `/v2/_catalog?n=100&last=${encodeURIComponent(last)}`
    },
    valid: (body) => namesIn(body, 'repositories') === 100,
  },
]

export const scaleRow: Row = {
  id: 'scale',
  title,
  run: async (context) => {
    await using few = await startSeeded(context, small)
    await using many = await startSeeded(context, large)
    const series: Series[] = []
    for (const list of lists) series.push(...(await compare(context, list, few, many)))
    const targets = lists.map(({ name }): Target => ({
      subject: `${name}, ${large.label}`,
      peer: `${name}, ${small.label}`,
      direction: 'at most',
      bound: 1.5,
    }))
    return {
      id: 'scale',
      title,
      unit: 'ms',
      series,
      targets,
      notes: [
        '10,000 repositories of 100 tags against 100 repositories of 100 tags: the pages are equally long, so what differs is what they are found in',
        'one request at a time, the stores in turn, request by request; random repositories and random `last`',
        'the tags were written into the database (`bench/seed-tags.ts`): one manifest a repository, all its tags on it',
      ],
    }
  },
}

async function compare(context: RowContext, list: List, few: RunningServer, many: RunningServer): Promise<Series[]> {
  const stores = [
    { server: few, store: small, samples: new Array<Sample>() },
    { server: many, store: large, samples: new Array<Sample>() },
  ]
  using client = createHttpClient(1)
  for (let round = 0; round <= context.rounds; round += 1) {
    const latencies = stores.map(() => new Array<number>())
    for (let request = 0; request < requests; request += 1) {
      for (const [index, { server, store }] of stores.entries()) {
        latencies[index]?.push(await timed(client, new URL(list.page(store.seed), server.url), list))
      }
    }
    for (const [index, { store, samples }] of stores.entries()) {
      const taken = latencies[index] ?? []
      const sample = { value: percentile(taken, 99), detail: { 'p50 ms': percentile(taken, 50) } }
      context.say(`scale: round ${round}, ${list.name}, ${store.label}: p99 ${sample.value.toFixed(2)} ms`)
      samples.push(sample)
    }
  }
  return stores.map(({ store, samples: [warmUp, ...rounds] }) => {
    if (warmUp === undefined) throw new RangeError('a row needs at least one round')
    return { name: `${list.name}, ${store.label}`, warmUp, rounds }
  })
}

async function timed(client: HttpClient, url: URL, list: List): Promise<number> {
  const start = performance.now()
  const { status, body } = await client.call({ method: 'GET', url })
  const took = performance.now() - start
  const parsed: unknown = status === 200 ? JSON.parse(body.toString()) : undefined
  if (!list.valid(parsed)) throw new Error(`${url.href} was answered ${status}: ${body.toString().slice(0, 200)}`)
  return took
}

/** Lets a Stowage make its own schema and take one push, multiplies that, and starts it again on the result. */
async function startSeeded(context: RowContext, { label, seed }: Store): Promise<RunningServer> {
  const directory = join(context.directory, `seed-${seed.repositories}`)
  await mkdir(directory, { recursive: true })
  const repository = 'zz/pattern'
  {
    await using first = await stowage.start({ directory, content: undefined })
    using client = createHttpClient(1)
    await pushImages({ client, url: first.url, repository }, createSmallImages(1), 1)
  }
  seedTags(join(directory, 'data'), repository, seed)
  context.say(`scale: seeded ${label}`)
  return stowage.start({ directory, content: undefined, profile: context.profile })
}

function namesIn(body: unknown, key: string): number {
  if (typeof body !== 'object' || body === null || !(key in body)) return 0
  const names: unknown = Object.entries(body).find(([name]) => name === key)?.[1]
  return Array.isArray(names) ? names.length : 0
}
