import type { BlobStore } from '../blobs/blob-store.ts'
import type { Logger } from '../logger.ts'
import type { MetadataStore } from '../metadata/metadata-store.ts'
import type { ScrubReport, ScrubRun } from './upkeep.ts'

export interface ScrubOptions {
  readonly metadata: MetadataStore
  readonly blobs: BlobStore
  /** Bytes a second; 0: no limit. */
  readonly rate: number
  readonly logger: Logger
  readonly now: () => number
}

export const createScrub = (_options: ScrubOptions): ((run: ScrubRun) => Promise<ScrubReport>) => {
  return async () => Promise.reject(new Error('not yet'))
}
