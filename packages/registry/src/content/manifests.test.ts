import { sample } from '@stowage/testkit'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { BlobStore } from '../blobs/blob-store.ts'
import { memoryBlobs } from '../blobs/memory/memory-blobs.ts'
import type { MetadataStore } from '../metadata/metadata-store.ts'
import { sqliteMetadata } from '../metadata/sqlite/sqlite-metadata.ts'
import { createManifests, type Manifests } from './manifests.ts'
import { createUploads, type RepositoryGrant, type Uploads } from './uploads.ts'

const grant: RepositoryGrant = { actor: 'ann', action: 'push', repository: 'a', overwriteTags: true }

describe('manifests', () => {
  let metadata: MetadataStore
  let reads: number[]
  let store: BlobStore
  let uploads: Uploads
  let manifests: Manifests

  beforeEach(async () => {
    metadata = await sqliteMetadata({ path: ':memory:' })
    const memory = memoryBlobs()
    reads = []
    store = {
      ...memory,
      read: async (key, start, end) => {
        reads.push(end - start)
        return memory.read(key, start, end)
      },
    }
    const now = (): number => Date.now()
    uploads = createUploads({ metadata, blobs: store, expireAfter: 600_000, maxBlobSize: 1e9, now })
    manifests = createManifests({
      metadata,
      blobs: store,
      allowMissingBlobs: false,
      allowMissingManifests: true,
      cacheSize: 1_000_000,
      now,
    })
  })
  afterEach(async () => {
    await store[Symbol.asyncDispose]()
    await metadata[Symbol.asyncDispose]()
  })

  const push = async (bytes: Uint8Array): Promise<void> =>
    uploads.receiveWhole(grant, sample.sha256(bytes), {
      owned: false,
      chunks: async function* () {
        yield bytes
      },
      length: bytes.byteLength,
      range: undefined,
      signal: new AbortController().signal,
    })

  it('read no config that is larger than it says, whatever the manifest says of its size', async () => {
    const config = Buffer.alloc(300_000, ' ')
    const { layer } = sample.image('large')
    const image = sample.image('large', {
      config: {
        mediaType: 'application/vnd.oci.image.config.v1+json',
        digest: sample.sha256(config),
        // What decides is the blob.
        size: 10,
      },
    })
    await push(config)
    await push(layer.bytes)
    await manifests.put(grant, { bytes: image.manifest, contentType: image.mediaType, digest: undefined, tags: ['t'] })
    expect(reads).toEqual([])
    expect(await metadata.describeTags({ repository: 'a', limit: 10 })).toMatchObject([{ tag: 't', platforms: [] }])
  })
})
