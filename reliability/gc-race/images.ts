import type { Content, Image } from '../image.ts'
import type { Random } from '../random.ts'

/** An image that was acknowledged: from then on until somebody begins to delete it, all of it must be there. */
export interface Pushed {
  readonly repository: string
  readonly image: Image
  /** Set before the request that deletes it is sent. */
  deleting: boolean
}

/** What pushers and deleters share. Nobody else writes to the registry, so this is what must be there. */
export interface Images {
  readonly repositories: readonly string[]
  /** A layer of the pool. Now and then it is a new one, in the place of one that nobody picks any more. */
  layer(random: Random): Content
  add(pushed: Pushed): void
  /** One that nobody deletes yet. */
  pick(random: Random): Pushed | undefined
  /** Marks one as being deleted, and forgets it. */
  takeOut(random: Random): Pushed | undefined
  readonly all: ReadonlySet<Pushed>
}

const repositories = Array.from({ length: 12 }, (_, index) => `race/repository-${index}`)
/** So few that many images share each layer, and so changing that many layers lose their last image. */
const poolSize = 24
const renewedOneIn = 8

export const createImages = (newLayer: (random: Random) => Content): Images => {
  const pool: Content[] = []
  const all = new Set<Pushed>()
  /** The same as an array, to pick from: an element that was taken out is replaced by the last. */
  const list: Pushed[] = []
  const pick = (random: Random): number => random.between(0, list.length - 1)
  return {
    repositories,
    layer: (random) => {
      if (pool.length < poolSize || random.next() < 1 / renewedOneIn) {
        const layer = newLayer(random)
        if (pool.length < poolSize) pool.push(layer)
        else pool[random.between(0, poolSize - 1)] = layer
        return layer
      }
      return random.pick(pool)
    },
    add: (pushed) => {
      all.add(pushed)
      list.push(pushed)
    },
    pick: (random) => (list.length === 0 ? undefined : list[pick(random)]),
    takeOut: (random) => {
      if (list.length === 0) return undefined
      const index = pick(random)
      const taken = list[index]
      const last = list.pop()
      if (last !== undefined && index < list.length) list[index] = last
      if (taken === undefined) return undefined
      taken.deleting = true
      all.delete(taken)
      return taken
    },
    all,
  }
}
