import type { Random } from '../random.ts'
import { absent, blobKey, manifestKey, type ObjectKey, partsOf } from './objects.ts'
import { repositories } from './worker.ts'

/** Settled objects that are looked at again after each cut: what is there, what is gone, what never was. */
const sampled = { there: 40, gone: 20, never: 4 }
/** Some of what nobody touched lately, and of what was never there. */
export const sample = (
  registers: ReadonlyMap<ObjectKey, { readonly settled: string }>,
  random: Random,
): ObjectKey[] => {
  const all = [...registers]
  if (all.length === 0) return []
  const pick = (count: number, fits: (settled: string) => boolean): ObjectKey[] =>
    Array.from({ length: count * 4 }, () => random.pick(all))
      .filter(([, { settled }]) => fits(settled))
      .slice(0, count)
      .map(([key]) => key)
  const strangers = pick(sampled.never, () => true)
    .map((key) => partsOf(key))
    .flatMap(({ kind, name }): ObjectKey[] => {
      const repository = random.pick(repositories)
      if (kind === 'tag') return []
      return [kind === 'blob' ? blobKey(repository, name) : manifestKey(repository, name)]
    })
  return [...pick(sampled.there, (settled) => !isGone(settled)), ...pick(sampled.gone, isGone), ...strangers]
}

const isGone = (settled: string): boolean => settled === absent
