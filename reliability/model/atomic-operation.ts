import { chance, weighted } from '../fuzz/random-choice.ts'
import type { Random } from '../random.ts'
import { tags } from './contents.ts'
import type { Operation, Reference } from './operation.ts'

/** Indexes that need nothing, one that is the subject of another, and an artifact that needs one blob. */
const chosen = [3, 4, 6, 7] as const
const wantedBlobs = [1, 1, 2] as const

/**
 * Operations that one request decides, so that an order of them can be asked for when several clients do them at once. They are
 * about as little as can be, or they would never meet.
 */
export const makeAtomic = (random: Random): Operation => random.pick(bag)(random)

type Maker = (random: Random) => Operation

const repositoryOf = (random: Random): string => (chance(random, 0.9) ? 'a' : 'a/b')
const tagOf = (random: Random): string => random.pick([tags[0], tags[0], tags[1]])
const referenceOf = (random: Random): Reference => (chance(random, 0.6) ? tagOf(random) : random.pick(chosen))

const bag = weighted<Maker>([
  [
    6,
    (random) => ({
      do: 'put-manifest',
      repository: repositoryOf(random),
      manifest: random.pick(chosen),
      tag: chance(random, 0.7) ? tagOf(random) : undefined,
      tags: [],
    }),
  ],
  [5, (random) => ({ do: 'get-manifest', repository: repositoryOf(random), reference: referenceOf(random) })],
  [2, (random) => ({ do: 'head-manifest', repository: repositoryOf(random), reference: referenceOf(random) })],
  [3, (random) => ({ do: 'delete-manifest', repository: repositoryOf(random), reference: referenceOf(random) })],
  [2, (random) => ({ do: 'list-tags', repository: repositoryOf(random), n: undefined, last: undefined })],
  [2, (random) => ({ do: 'referrers', repository: repositoryOf(random), manifest: chosen[0], type: undefined })],
  [
    5,
    (random) => ({
      do: 'push-blob',
      repository: repositoryOf(random),
      blob: random.pick(wantedBlobs),
      way: 'one',
      wrong: false,
    }),
  ],
  [3, (random) => ({ do: 'head-blob', repository: repositoryOf(random), blob: random.pick(wantedBlobs) })],
  [
    2,
    (random) => ({
      do: 'get-blob',
      repository: repositoryOf(random),
      blob: random.pick(wantedBlobs),
      range: undefined,
      known: false,
    }),
  ],
  [3, (random) => ({ do: 'delete-blob', repository: repositoryOf(random), blob: random.pick(wantedBlobs) })],
  [
    1,
    (random) => ({
      do: 'mount',
      repository: repositoryOf(random),
      blob: random.pick(wantedBlobs),
      from: repositoryOf(random),
    }),
  ],
])
