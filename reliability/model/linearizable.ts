import { isDeepStrictEqual } from 'node:util'
import type { Answer } from './answer.ts'
import type { Model } from './model.ts'
import type { Operation } from './operation.ts'
import { defined } from './run-sequence.ts'

/** An operation that one of several clients did, with what it was answered, and when by a common clock it began and was over. */
export interface Happened {
  readonly client: number
  readonly operation: Operation
  readonly answer: Answer
  readonly began: number
  readonly ended: number
}

/**
 * Whether there is an order of the operations, each somewhere between its beginning and its end, in which one client alone would
 * have got the same answers (Herlihy and Wing; the search is that of Wing and Gong, with Lowe's memory of states that were seen).
 */
export const isLinearizable = (history: readonly Happened[], model: Model): boolean => {
  if (history.length > 30) throw new Error('A history is kept in the bits of a number: it may have 30 operations.')
  const all = 2 ** history.length - 1
  const seen = new Set<string>()
  const search = (done: number, state: Model): boolean => {
    if (done === all) return true
    const key = `${done} ${state.key()}`
    if (seen.has(key)) return false
    seen.add(key)
    const rest = history.filter((_, at) => (done & (1 << at)) === 0)
    // None can come next that began only after another one was over.
    const firstEnd = Math.min(...rest.map(({ ended }) => ended))
    return history.some(({ operation, answer, began }, at) => {
      if ((done & (1 << at)) !== 0 || began > firstEnd) return false
      const next = state.copy()
      return isDeepStrictEqual(defined(next.answer(operation)), defined(answer)) && search(done | (1 << at), next)
    })
  }
  return search(0, model)
}
