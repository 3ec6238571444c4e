import type { UpkeepStore } from '../metadata/upkeep-store.ts'
import { type Clock, settleFor } from './clock.ts'
import { canWait } from './garbage-work.ts'

export interface ClockQuestion {
  readonly clock: Clock
  readonly store: Pick<UpkeepStore, 'readState' | 'writeState'>
  /** Under which the time of the last run is kept. */
  readonly name: 'garbage' | 'retention'
  /** How long something must have been unused for the run to take it. Milliseconds. */
  readonly grace: number
  /** Somebody says that the clock is right. */
  readonly trusted: boolean
  /** The run changes nothing: neither does the question. */
  readonly dryRun: boolean
  readonly at: number
}

/** Why the run must not go by ages; undefined when it may. What the next process needs to decide the same is kept. */
export const clockDoubt = async (question: ClockQuestion): Promise<string | undefined> => {
  const { clock, store, name, trusted, dryRun, at } = question
  const lastRun = trusted ? undefined : lastRunOf(await store.readState(name))
  const doubt = trusted ? undefined : clock.doubt(lastRun, settleFor(question.grace))
  // Without a time the process after this one is in doubt, too, wherever the clock has gone to by then.
  if (!dryRun) {
    const state = JSON.stringify(doubt === undefined ? { at } : {})
    await store.writeState(name, state).catch((error: unknown) => {
      // A full disk is what the run may be about to mend.
      if (!canWait(error)) throw error
    })
  }
  return doubt
}

const lastRunOf = (state: string | undefined): number | undefined => {
  if (state === undefined) return undefined
  const { at }: { at?: unknown } = JSON.parse(state)
  return typeof at === 'number' ? at : undefined
}
