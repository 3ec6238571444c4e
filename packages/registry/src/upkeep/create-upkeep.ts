import type { Policies } from '../access/policies.ts'
import type { BlobStore } from '../blobs/blob-store.ts'
import type { Logger } from '../logger.ts'
import type { MetadataStore } from '../metadata/metadata-store.ts'
import { createClock, toleranceFor } from './clock.ts'
import { createGarbageCollection } from './garbage.ts'
import { createRetention } from './retention.ts'
import { createSchedule } from './schedule.ts'
import { createScrub } from './scrub.ts'
import type { Upkeep, UpkeepRun } from './upkeep.ts'
import type { UpkeepSettings } from './upkeep-options.ts'

export interface CreateUpkeepOptions {
  readonly metadata: MetadataStore
  readonly blobs: BlobStore
  readonly settings: UpkeepSettings
  readonly policies: Policies
  /** Deletes bytes that no row points to any more, if they are due. Returns how many keys it deleted. */
  readonly sweep: () => Promise<number>
  readonly logger: Logger
  readonly now: () => number
  /** Told after each run that may have changed what is stored. */
  readonly changed: () => void
  /** Told of each run that ended. Must not throw. */
  readonly onRun?: ((run: UpkeepRun) => void) | undefined
}

/** The three kinds of upkeep, when they are asked for and when their time has come. */
export const createUpkeep = (options: CreateUpkeepOptions): Upkeep & AsyncDisposable => {
  const { settings, logger } = options
  const { onRun, now } = options
  const clock = createClock({ now, tolerance: toleranceFor(settings.garbage.grace) })
  const retention = createRetention({ ...options, ...settings.retention, clock })

  /** The same work, which tells how it went. */
  const told =
    <O, R>(work: (run: O) => Promise<R>, runOf: (outcome: { report: R } | { error: unknown }) => RunOutcome) =>
    async (run: O): Promise<R> => {
      const began = performance.now()
      const tell = (outcome: { report: R } | { error: unknown }): void =>
        onRun?.({ ...runOf(outcome), at: now(), milliseconds: performance.now() - began })
      try {
        const report = await work(run)
        tell({ report })
        return report
      } catch (error) {
        tell({ error })
        throw error
      }
    }
  const collect = told(createGarbageCollection({ ...options, ...settings.garbage, clock }), (outcome) => ({
    kind: 'garbage',
    ...outcome,
  }))
  const applyRetention = told(retention.apply, (outcome) => ({ kind: 'retention', ...outcome }))
  const scrub = told(createScrub({ ...options, ...settings.scrub }), (outcome) => ({ kind: 'scrub', ...outcome }))
  const schedule = createSchedule(logger)
  const { changed } = options

  schedule.add('the look at the clock', lookEvery, async () => clock.look())
  const garbageRuns = schedule.add('garbage collection', settings.garbage.every, async (signal) =>
    collect({ signal, routine: true }).finally(changed),
  )
  const retentionRuns = schedule.add('retention', settings.retention.every, async (signal) =>
    applyRetention({ signal }).finally(changed),
  )
  const scrubRuns = schedule.add('scrub', settings.scrub.every, async (signal) => scrub({ signal }))

  return {
    collectGarbage: async (run = {}) =>
      garbageRuns(async (signal) => collect({ ...run, signal: both(run.signal, signal) })).finally(changed),
    applyRetention: async (run = {}) =>
      retentionRuns(async (signal) => applyRetention({ ...run, signal: both(run.signal, signal) })).finally(changed),
    listRemovedTags: retention.listRemovedTags,
    restoreTag: async (restore) => retention.restoreTag(restore).finally(changed),
    scrub: async (run = {}) => scrubRuns(async (signal) => scrub({ ...run, signal: both(run.signal, signal) })),
    [Symbol.asyncDispose]: schedule[Symbol.asyncDispose],
  }
}

type RunOutcome = UpkeepRun extends infer Run ? (Run extends unknown ? Omit<Run, 'at' | 'milliseconds'> : never) : never

/** Milliseconds. */
const lookEvery = 60_000

const both = (one: AbortSignal | undefined, other: AbortSignal): AbortSignal =>
  one === undefined ? other : AbortSignal.any([one, other])
