/**
 * What must hold, by the numbers under which the documentation explains them.
 *
 * - `I1` what was acknowledged is there, `I7` what was deleted stays deleted: a write that was answered 2xx is undone
 * - `I2` it is there but cannot be read, `I5` a clean answer had wrong bytes
 * - `I3` a manifest without one of its blobs, `I4` a tag without its manifest
 * - `I6` a blob can be read where it was never pushed, `I9` referrers are not what the manifests say
 * - `I11` an operation without an answer is half done, or one that was refused changed something
 * - `start` the server does not come up again, `end` it ended by itself, `doctor` the store is not in order
 */
export type Invariant = 'I1' | 'I2' | 'I3' | 'I4' | 'I5' | 'I6' | 'I7' | 'I9' | 'I11' | 'start' | 'end' | 'doctor'

export interface Findings {
  /** @param about What it is about. What two objects break together is there whenever one looks, and is reported once. */
  add(invariant: Invariant, about: string, sentence: string, options?: { readonly lost?: boolean }): void
  /** Whether anything was said about it. */
  has(about: string): boolean
  /** An empty data directory has come: what bears a name from now on is something else. */
  renew(): void
  /** How many of them are about an acknowledged write that was undone, or whose bytes cannot be had. */
  lost(): number
  /** All the others. */
  broken(): number
  /** How many of each: `I1 3, I9 1`; empty when there is none. */
  kinds(): string
  /** The first hundred. */
  readonly sentences: readonly string[]
  total(): number
}

const relations: ReadonlySet<Invariant> = new Set(['I3', 'I4', 'I9'])

export const createFindings = (prefix: () => string): Findings => {
  const counts = new Map<Invariant, number>()
  const reported = new Set<string>()
  const sentences: string[] = []
  const abouts = new Set<string>()
  let total = 0
  let losses = 0
  return {
    add: (invariant, about, sentence, { lost = false } = {}) => {
      const name = `${invariant} ${about}`
      if (relations.has(invariant) && reported.has(name)) return
      reported.add(name)
      abouts.add(about)
      total += 1
      if (lost) losses += 1
      counts.set(invariant, (counts.get(invariant) ?? 0) + 1)
      if (sentences.length < 100) sentences.push(`${invariant}: ${prefix()}: ${sentence}`)
    },
    has: (about) => abouts.has(about),
    renew: () => {
      reported.clear()
      abouts.clear()
    },
    lost: () => losses,
    broken: () => total - losses,
    kinds: () => [...counts].map(([invariant, count]) => `${invariant} ${count}`).join(', '),
    sentences,
    total: () => total,
  }
}
