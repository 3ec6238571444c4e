import { setTimeout as sleep } from 'node:timers/promises'
import type { BlobStore } from '../blobs/blob-store.ts'
import type { Logger } from '../logger.ts'
import { MetadataError } from '../metadata/metadata-error.ts'
import type { MetadataStore } from '../metadata/metadata-store.ts'
import type { GarbageReport } from './upkeep.ts'

/** A run, and what it has come to so far. */
export interface GarbageWork {
  readonly metadata: MetadataStore
  readonly blobs: BlobStore
  readonly dryRun: boolean
  /** Milliseconds. */
  readonly grace: number
  readonly exclusive: boolean
  /** The time of the beginning: every age counts from it, so that nothing a clock does later makes anything older. */
  readonly at: number
  readonly now: () => number
  /** Lets others have their turn. False when the run is to end. */
  readonly goOn: () => Promise<boolean>
  readonly logger: Logger
  readonly tally: { -readonly [Key in keyof Tally]: Tally[Key] } & {
    readonly sample: GarbageReport['sample'][number][]
  }
}

type Tally = Omit<GarbageReport, 'dryRun' | 'sample' | 'withheld'>

export const emptyTally = (): GarbageWork['tally'] => ({
  links: 0,
  blobs: 0,
  bytes: 0,
  orphans: 0,
  orphanBytes: 0,
  sample: [],
  incomplete: false,
})

/** The longest pause between two steps. Milliseconds. */
const longestPause = 100

/** Steps of which each is followed by a pause as long as it took: half the time of the database is others'. */
export const createTurns = (signal: AbortSignal | undefined, onEnd: () => void): (() => Promise<boolean>) => {
  let begun = performance.now()
  return async () => {
    const pause = Math.min(longestPause, performance.now() - begun)
    await sleep(pause, undefined, { ...(signal !== undefined && { signal }) }).catch(() => {})
    begun = performance.now()
    if (signal?.aborted !== true) return true
    onEnd()
    return false
  }
}

/** Whether the step may be left to the next run: too much to do at the moment, or no room to write what would be removed. */
export const canWait = (error: unknown): boolean =>
  error instanceof MetadataError && (error.code === 'OVERLOADED' || error.code === 'STORAGE_FULL')
