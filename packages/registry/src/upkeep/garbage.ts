import type { BlobStore } from '../blobs/blob-store.ts'
import type { Logger } from '../logger.ts'
import type { MetadataStore } from '../metadata/metadata-store.ts'
import type { GarbageReport, GarbageRun } from './upkeep.ts'

export interface GarbageOptions {
  readonly metadata: MetadataStore
  readonly blobs: BlobStore
  /** Milliseconds for which a blob may be unused. */
  readonly grace: number
  readonly logger: Logger
  readonly now: () => number
}

export const createGarbageCollection = (_options: GarbageOptions): ((run: GarbageRun) => Promise<GarbageReport>) => {
  return async () => Promise.reject(new Error('not yet'))
}
