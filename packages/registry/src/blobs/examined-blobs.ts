import type { BlobStore } from './blob-store.ts'

/** What it takes to examine a store: nothing of it writes. */
export type ExaminedBlobs = Pick<BlobStore, 'inspect' | 'listBlobs' | 'listUploads'>
