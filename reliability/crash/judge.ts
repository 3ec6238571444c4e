import type { Invariant } from './findings.ts'
import { broken, type Sight } from './look.ts'
import { absent, present } from './objects.ts'

export interface Verdict {
  readonly invariant: Invariant
  readonly sentence: string
  /** Whether it undoes what was acknowledged. */
  readonly lost: boolean
}

/**
 * What a sight breaks, if anything.
 *
 * @param possible What may be seen.
 * @param undecided What might have been seen, had it not been learned meanwhile whether operations without an answer took place.
 * @param written Whether anybody ever asked that it be there.
 */
export const judge = (
  { value, problem, wrongBytes }: Sight,
  {
    possible,
    undecided = possible,
    written,
  }: {
    readonly possible: ReadonlySet<string>
    readonly undecided?: ReadonlySet<string> | undefined
    readonly written: boolean
  },
): Verdict | undefined => {
  if (possible.has(value)) return undefined
  const expected = [...possible].join(' or ')
  if (value === broken) {
    const sentence = `must be ${expected}, but ${problem}`
    // Where it might as well not be there, no acknowledgement is broken.
    const lost = !possible.has(absent)
    if (wrongBytes === true) return { invariant: 'I5', sentence, lost }
    return { invariant: lost ? 'I2' : 'I11', sentence, lost }
  }
  const sentence = `is ${value}, and must be ${expected}`
  if (undecided.has(value)) return { invariant: 'I11', sentence, lost: false }
  if (!written) return { invariant: 'I6', sentence: 'can be read, and was never pushed there', lost: false }
  const undeleted = value === present || (possible.size === 1 && possible.has(absent))
  return { invariant: undeleted ? 'I7' : 'I1', sentence, lost: true }
}
