import type { Random } from '../random.ts'

/** True as often as the share says, from 0 to 1. */
export const chance = (random: Random, share: number): boolean => random.next() < share

/** A list from which each choice is picked as often as its weight says. */
export const weighted = <T>(choices: readonly (readonly [weight: number, choice: T])[]): readonly T[] =>
  choices.flatMap(([weight, choice]) => Array.from({ length: weight }, () => choice))

/** A number that is small mostly, and large now and then: 0 to about `most`. */
export const skewed = (random: Random, most: number): number => Math.floor(most * random.next() ** 6)
