import { describeBlobStore } from '@stowage/testkit/contracts'
import { memoryBlobs } from './memory-blobs.ts'

describeBlobStore('memory', async () => ({ store: memoryBlobs() }))
