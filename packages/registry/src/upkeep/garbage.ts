import type { Policies } from '../access/policies.ts'
import type { BlobStore } from '../blobs/blob-store.ts'
import type { Logger } from '../logger.ts'
import type { MetadataStore } from '../metadata/metadata-store.ts'
import { clockDoubt } from './clock-doubt.ts'
import type { Clock } from './clock.ts'
import { collectLinks } from './garbage-links.ts'
import { collectOrphans } from './garbage-orphans.ts'
import { createTurns, emptyTally, type GarbageWork } from './garbage-work.ts'
import type { GarbageReport, GarbageRun } from './upkeep.ts'

export interface GarbageOptions {
  readonly metadata: MetadataStore
  readonly blobs: BlobStore
  /** Milliseconds for which a blob may be unused. */
  readonly grace: number
  readonly clock: Clock
  readonly policies: Policies
  /** Deletes bytes of which the list of garbage says that their time has come. Returns how many keys it deleted. */
  readonly sweep: () => Promise<number>
  readonly logger: Logger
  readonly now: () => number
}

/** As part of the schedule: what costs most is then not done each time. */
export type ScheduledRun = GarbageRun & { readonly routine?: boolean }

/** Between two looks through all files by the schedule. Milliseconds. */
const filesEvery = 86_400_000

export const createGarbageCollection = (options: GarbageOptions): ((run: ScheduledRun) => Promise<GarbageReport>) => {
  const { metadata, sweep, logger, now } = options
  let filesDue = Number.MIN_SAFE_INTEGER

  /** One file that cannot be deleted, or a full disk, must not keep the rest of the run from its work. */
  const sweepAll = async (goOn: GarbageWork['goOn']): Promise<void> => {
    try {
      while ((await sweep()) > 0) if (!(await goOn())) return
    } catch (error) {
      logger.error({ err: error }, 'bytes of garbage could not be deleted; it will be tried again')
    }
  }

  const work = async (run: GarbageWork, routine: boolean): Promise<void> => {
    const { dryRun, at, goOn } = run
    // First of all, because it makes room without asking the database for any.
    if (!dryRun) await sweepAll(goOn)
    await collectLinks(run)
    if (!routine || at >= filesDue) {
      if (await collectOrphans(run)) filesDue = at + filesEvery
    }
    if (!dryRun) await sweepAll(goOn)
  }

  return async (run) => {
    const { dryRun = false, trustClock = false, exclusive = false, routine = false, signal } = run
    const grace = run.grace === undefined ? options.grace : run.grace * 1000
    const at = now()
    const tally = emptyTally()
    if (options.policies.readOnly === true && !dryRun) return { dryRun, ...tally, withheld: readOnly }
    const question = { clock: options.clock, store: metadata.upkeep, name: 'garbage', grace, dryRun, at } as const
    const doubt = await clockDoubt({ ...question, trusted: trustClock })
    if (doubt !== undefined) logger.warn({ dryRun }, `garbage collection: ${doubt}`)
    const withheld = doubt === undefined ? {} : { withheld: { reason: 'clock', message: doubt } as const }
    if (doubt !== undefined && !dryRun) return { dryRun, ...tally, ...withheld }

    const goOn = createTurns(signal, () => (tally.incomplete = true))
    await work({ ...options, dryRun, grace, exclusive, at, goOn, tally }, routine)
    const { sample: _, ...facts } = tally
    if (!dryRun && tally.links + tally.orphans > 0) logger.info(facts, 'garbage was collected')
    return { dryRun, ...tally, ...withheld }
  }
}

const readOnly = { reason: 'read-only', message: 'The registry is read-only at the moment.' } as const
