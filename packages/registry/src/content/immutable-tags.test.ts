import { sample } from '@stowage/testkit'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { BlobStore } from '../blobs/blob-store.ts'
import { memoryBlobs } from '../blobs/memory/memory-blobs.ts'
import type { MetadataStore } from '../metadata/metadata-store.ts'
import { sqliteMetadata } from '../metadata/sqlite/sqlite-metadata.ts'
import { type Blobs, createBlobs } from './blobs.ts'
import { createManifests, type Manifests } from './manifests.ts'
import { createUploads, type RepositoryGrant } from './uploads.ts'

const grant: RepositoryGrant = {
  actor: 'ann',
  action: 'push',
  repository: 'a',
  overwriteTags: true,
  immutableTags: ['v*'],
}

describe('immutable tags', () => {
  let metadata: MetadataStore
  let store: BlobStore
  let blobs: Blobs
  let manifests: Manifests
  const image = sample.image('released')

  const put = async (pushed: { manifest: Uint8Array; mediaType: string }, ...tags: string[]) =>
    manifests.put(grant, { bytes: pushed.manifest, contentType: pushed.mediaType, digest: undefined, tags })

  beforeEach(async () => {
    metadata = await sqliteMetadata({ path: ':memory:' })
    store = memoryBlobs()
    const common = { metadata, blobs: store, now: Date.now }
    blobs = createBlobs({ ...common, removeUsed: true, onMissingBytes: () => {} })
    manifests = createManifests({
      ...common,
      allowMissingBlobs: true,
      allowMissingManifests: true,
      cacheSize: 1_000_000,
    })
    await using uploads = createUploads({ ...common, expireAfter: 600_000, maxBlobSize: 1e9 })
    await uploads.receiveWhole(grant, image.layer.digest, {
      owned: false,
      chunks: async function* () {
        yield image.layer.bytes
      },
      length: undefined,
      range: undefined,
      signal: new AbortController().signal,
    })
    await put(image, 'v1', 'latest')
  })
  afterEach(async () => {
    await store[Symbol.asyncDispose]()
    await metadata[Symbol.asyncDispose]()
  })

  const refused = (advice: RegExp) => ({
    fault: 'tag-immutable',
    detail: { tag: 'v1' },
    message: expect.stringMatching(advice) as string,
  })

  it('are not moved', async () => {
    await expect(put(sample.image('other'), 'v2', 'v1')).rejects.toMatchObject(refused(/Push under another tag/))
    await expect(put(sample.image('other'), 'latest')).resolves.toBeDefined()
  })

  it('are not deleted', async () => {
    await expect(manifests.removeTag(grant, 'v1')).rejects.toMatchObject(refused(/cannot be deleted/))
    await expect(manifests.removeTag(grant, 'v2')).rejects.toMatchObject({ fault: 'manifest-unknown' })
    await manifests.removeTag(grant, 'latest')
  })

  it('hold their manifest, once its tags have been asked for', async () => {
    expect(await manifests.remove(grant, image.digest, ['v1'])).toEqual(['latest'])
    await expect(manifests.remove(grant, image.digest, ['v1', 'latest'])).rejects.toMatchObject(refused(/stays/))
    expect(await manifests.find(grant, { tag: 'latest' })).toMatchObject({ digest: image.digest })
  })

  it('hold its blobs where others may go while they are used', async () => {
    await expect(blobs.remove(grant, image.layer.digest)).rejects.toMatchObject(refused(/needs the blob/))
    await manifests.remove({ ...grant, immutableTags: [] }, image.digest, ['v1', 'latest'])
    await blobs.remove(grant, image.layer.digest)
  })
})
