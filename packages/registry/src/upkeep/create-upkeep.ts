import type { Policies } from '../access/policies.ts'
import type { BlobStore } from '../blobs/blob-store.ts'
import type { Logger } from '../logger.ts'
import type { MetadataStore } from '../metadata/metadata-store.ts'
import { createGarbageCollection } from './garbage.ts'
import { createRetention } from './retention.ts'
import { createSchedule } from './schedule.ts'
import { createScrub } from './scrub.ts'
import type { Upkeep } from './upkeep.ts'
import type { UpkeepSettings } from './upkeep-options.ts'

export interface CreateUpkeepOptions {
  readonly metadata: MetadataStore
  readonly blobs: BlobStore
  readonly settings: UpkeepSettings
  readonly policies: Policies
  readonly logger: Logger
  readonly now: () => number
  /** Told after each run that may have changed what is stored. */
  readonly changed: () => void
}

/** The three kinds of upkeep, when they are asked for and when their time has come. */
export const createUpkeep = (options: CreateUpkeepOptions): Upkeep & AsyncDisposable => {
  const { settings, logger } = options
  const collect = createGarbageCollection({ ...options, ...settings.garbage })
  const retention = createRetention({ ...options, ...settings.retention })
  const scrub = createScrub({ ...options, ...settings.scrub })
  const schedule = createSchedule(logger)
  const { changed } = options

  const garbageRuns = schedule.add('garbage collection', settings.garbage.every, async (signal) => collect({ signal }))
  const retentionRuns = schedule.add('retention', settings.retention.every, async (signal) =>
    retention.apply({ signal }),
  )
  const scrubRuns = schedule.add('scrub', settings.scrub.every, async (signal) => scrub({ signal }))

  return {
    collectGarbage: async (run = {}) =>
      garbageRuns(async (signal) => collect({ ...run, signal: both(run.signal, signal) })).finally(changed),
    applyRetention: async (run = {}) =>
      retentionRuns(async (signal) => retention.apply({ ...run, signal: both(run.signal, signal) })).finally(changed),
    listRemovedTags: retention.listRemovedTags,
    restoreTag: async (restore) => retention.restoreTag(restore).finally(changed),
    scrub: async (run = {}) => scrubRuns(async (signal) => scrub({ ...run, signal: both(run.signal, signal) })),
    [Symbol.asyncDispose]: schedule[Symbol.asyncDispose],
  }
}

const both = (one: AbortSignal | undefined, other: AbortSignal): AbortSignal =>
  one === undefined ? other : AbortSignal.any([one, other])
