import { chance } from '../fuzz/random-choice.ts'
import type { Random } from '../random.ts'
import { type Pool, repositories, tags, uploadSlots } from './contents.ts'

/**
 * One thing that a client does, as plain data. It names contents, tags and uploads by their place in the pool, so that it means
 * the same when others of its sequence are taken away: that is what makes a failing sequence shorter.
 */
export type Operation =
  | {
      readonly do: 'push-blob'
      readonly repository: string
      readonly blob: number
      readonly way: 'one' | 'two' | 'chunks'
      readonly wrong: boolean
    }
  | { readonly do: 'mount'; readonly repository: string; readonly blob: number; readonly from: string | undefined }
  | { readonly do: 'head-blob'; readonly repository: string; readonly blob: number }
  | { readonly do: 'delete-blob'; readonly repository: string; readonly blob: number }
  | {
      readonly do: 'get-blob'
      readonly repository: string
      readonly blob: number
      readonly range: string | undefined
      readonly known: boolean
    }
  | {
      readonly do: 'put-manifest'
      readonly repository: string
      readonly manifest: number
      readonly tag: string | undefined
      readonly tags: readonly string[]
    }
  | {
      readonly do: 'get-manifest' | 'head-manifest' | 'delete-manifest'
      readonly repository: string
      readonly reference: Reference
    }
  | {
      readonly do: 'list-tags'
      readonly repository: string
      readonly n: number | undefined
      readonly last: string | undefined
    }
  | { readonly do: 'catalog'; readonly n: number | undefined; readonly last: string | undefined }
  | {
      readonly do: 'referrers'
      readonly repository: string
      readonly manifest: number
      readonly type: string | undefined
    }
  | { readonly do: 'start-upload'; readonly repository: string; readonly slot: number }
  /** `from`: where the chunk says that it begins, beside where it does; undefined: it does not say. */
  | {
      readonly do: 'send-chunk'
      readonly slot: number
      readonly elsewhere: boolean
      readonly bytes: string
      readonly from: number | undefined
    }
  | { readonly do: 'upload-status' | 'cancel-upload'; readonly slot: number; readonly elsewhere: boolean }
  | { readonly do: 'finish-upload'; readonly slot: number; readonly bytes: string; readonly wrong: boolean }
  /** Asks for all there is. */
  | { readonly do: 'look' }
  /** What the registry does by itself. */
  | { readonly do: 'trash' | 'sweep' | 'scrub' | 'restart' }

/** A tag, or the digest of a manifest of the pool. */
export type Reference = string | number

type Maker = (random: Random, pool: Pool) => Operation

/** Mostly the same, so that operations meet. */
const repositoryOf = (random: Random): string => (chance(random, 0.5) ? repositories[0] : random.pick(repositories))
const blobOf = (random: Random, { blobs }: Pool): number => random.between(0, blobs.length - 1)
const manifestOf = (random: Random, { manifests }: Pool): number => random.between(0, manifests.length - 1)
const referenceOf = (random: Random, pool: Pool): Reference =>
  chance(random, 0.5) ? random.pick(tags) : manifestOf(random, pool)
const pageOf = (random: Random): number | undefined => (chance(random, 0.4) ? random.between(0, 4) : undefined)
const slotOf = (random: Random): number => random.between(0, uploadSlots - 1)
const bytesOf = (random: Random): string => random.pick(['', 'a', 'bc', 'layer ', 'x'.repeat(700), 'y'.repeat(70_000)])

const makers = {
  'push-blob': (random, pool) => ({
    do: 'push-blob',
    repository: repositoryOf(random),
    blob: blobOf(random, pool),
    way: random.pick(['one', 'two', 'chunks']),
    wrong: chance(random, 0.1),
  }),
  mount: (random, pool) => ({
    do: 'mount',
    repository: repositoryOf(random),
    blob: blobOf(random, pool),
    from: chance(random, 0.7) ? random.pick([...repositories, 'nobody/pushes']) : undefined,
  }),
  'read-blob': (random, pool) => {
    const [repository, blob] = [repositoryOf(random), blobOf(random, pool)]
    if (chance(random, 0.3)) return { do: 'head-blob', repository, blob }
    const [one, other] = [random.pick([0, 1, 2, 100, 240_000]), random.pick([0, 1, 5, 300, 70_000, 1e15])]
    const range = chance(random, 0.6) ? random.pick([`${one}-${other}`, `${one}-`, `-${other}`]) : undefined
    return { do: 'get-blob', repository, blob, range, known: chance(random, 0.1) }
  },
  'delete-blob': (random, pool) => ({
    do: 'delete-blob',
    repository: repositoryOf(random),
    blob: blobOf(random, pool),
  }),
  'put-manifest': (random, pool) => {
    const byTag = chance(random, 0.5)
    return {
      do: 'put-manifest',
      repository: repositoryOf(random),
      manifest: manifestOf(random, pool),
      tag: byTag ? random.pick(tags) : undefined,
      tags: !byTag && chance(random, 0.5) ? tags.filter(() => chance(random, 0.5)) : [],
    }
  },
  'read-manifest': (random, pool) => ({
    do: random.pick(['get-manifest', 'head-manifest'] as const),
    repository: repositoryOf(random),
    reference: referenceOf(random, pool),
  }),
  'delete-manifest': (random, pool) => ({
    do: 'delete-manifest',
    repository: repositoryOf(random),
    reference: referenceOf(random, pool),
  }),
  'list-tags': (random) => ({
    do: 'list-tags',
    repository: repositoryOf(random),
    n: pageOf(random),
    last: chance(random, 0.3) ? random.pick([...tags, 'B', '']) : undefined,
  }),
  catalog: (random) => ({
    do: 'catalog',
    n: pageOf(random),
    last: chance(random, 0.3) ? random.pick([...repositories, 'b', '']) : undefined,
  }),
  referrers: (random, pool) => ({
    do: 'referrers',
    repository: repositoryOf(random),
    manifest: chance(random, 0.6) ? 0 : manifestOf(random, pool),
    type: chance(random, 0.4)
      ? random.pick(['application/vnd.example+type', 'application/vnd.oci.image.config.v1+json', 'a/b'])
      : undefined,
  }),
  'start-upload': (random) => ({ do: 'start-upload', repository: repositoryOf(random), slot: slotOf(random) }),
  'send-chunk': (random) => ({
    do: 'send-chunk',
    slot: slotOf(random),
    elsewhere: chance(random, 0.1),
    bytes: bytesOf(random),
    from: chance(random, 0.5) ? random.pick([0, 0, 0, 0, 1, -1]) : undefined,
  }),
  'ask-upload': (random) => ({
    do: chance(random, 0.7) ? 'upload-status' : 'cancel-upload',
    slot: slotOf(random),
    elsewhere: chance(random, 0.1),
  }),
  'finish-upload': (random) => ({
    do: 'finish-upload',
    slot: slotOf(random),
    bytes: bytesOf(random),
    wrong: chance(random, 0.3),
  }),
  upkeep: (random) => ({ do: random.pick(['trash', 'trash', 'sweep', 'scrub'] as const) }),
} as const satisfies Record<string, Maker>

/** What is done how often. A push of all blobs of a manifest is what makes most manifests possible. */
const weights: Readonly<Record<keyof typeof makers, number>> = {
  'push-blob': 16,
  mount: 7,
  'read-blob': 10,
  'delete-blob': 6,
  'put-manifest': 14,
  'read-manifest': 9,
  'delete-manifest': 6,
  'list-tags': 6,
  catalog: 2,
  referrers: 6,
  'start-upload': 5,
  'send-chunk': 8,
  'ask-upload': 4,
  'finish-upload': 4,
  upkeep: 3,
}

const bag: readonly Maker[] = (Object.keys(makers) as (keyof typeof makers)[]).flatMap((name) =>
  Array.from({ length: weights[name] }, () => makers[name]),
)

export const makeSequence = (random: Random, pool: Pool, length: number): Operation[] => {
  const sequence: Operation[] = []
  while (sequence.length < length) {
    // Now and then the blobs that a manifest needs, and then it: alone they would seldom meet.
    const operation = random.pick(bag)(random, pool)
    if (operation.do === 'put-manifest' && chance(random, 0.5)) {
      const needed = pool.manifests[operation.manifest]?.blobs ?? []
      for (const digest of new Set(needed)) {
        const blob = pool.blobs.findIndex((content) => content.digest === digest)
        sequence.push({ do: 'push-blob', repository: operation.repository, blob, way: 'one', wrong: false })
      }
    }
    sequence.push(operation)
    // Whatever went that should not have.
    if (operation.do === 'trash') sequence.push({ do: 'look' })
  }
  return [...sequence.slice(0, length - 1), { do: 'look' }]
}
