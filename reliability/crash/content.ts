import { type Content, contentOf } from '../image.ts'
import type { Random } from '../random.ts'

/** Layers that workers and repositories have in common. */
export interface Layers {
  /** One that others may be pushing at the same time, or a new one that others will push from now on. */
  pick(random: Random): Content
  /** One of the shared ones; undefined when there is none yet. */
  shared(random: Random): Content | undefined
  /** One that nobody else has. */
  fresh(random: Random): Content
}

const KiB = 1024
const MiB = 1024 * KiB
/** How many are shared at a time: so few that the same one is often pushed, mounted and deleted at once. */
const shared = 40

export const createLayers = (random: Random): Layers => {
  // Content that differs in its first bytes differs: making millions of random bytes for each would cost the load its pace.
  const noise = random.bytes(4 * MiB)
  const recent: Content[] = []
  let made = 0
  const fresh = (chooser: Random): Content => {
    const large = chooser.next() < 0.03
    const size = large ? chooser.between(MiB, 4 * MiB) : chooser.between(KiB, 64 * KiB)
    const bytes = Buffer.from(noise.subarray(0, size))
    made += 1
    bytes.write(`${made} `, 0)
    chooser.bytes(16).copy(bytes, 16)
    return contentOf(bytes)
  }
  return {
    fresh,
    shared: (chooser) => (recent.length === 0 ? undefined : chooser.pick(recent)),
    pick: (chooser) => {
      if (recent.length >= shared / 2 && chooser.next() < 0.65) return chooser.pick(recent)
      const layer = fresh(chooser)
      recent.push(layer)
      if (recent.length > shared) recent.shift()
      return layer
    },
  }
}
