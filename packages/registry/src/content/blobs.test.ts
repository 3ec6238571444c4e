import { randomUUID } from 'node:crypto'
import type { Digest } from '@stowage/oci'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { BlobStore } from '../blobs/blob-store.ts'
import { memoryBlobs } from '../blobs/memory/memory-blobs.ts'
import type { MetadataStore } from '../metadata/metadata-store.ts'
import { sqliteMetadata } from '../metadata/sqlite/sqlite-metadata.ts'
import { type Blobs, createBlobs } from './blobs.ts'
import { digestOf } from './digester.ts'
import type { RepositoryGrant } from './uploads.ts'

const grant: RepositoryGrant = { actor: 'ann', action: 'push', repository: 'a', overwriteTags: true }

describe('blobs', () => {
  let metadata: MetadataStore
  let store: BlobStore
  let undeletable: Set<string>
  let missing: string[]
  let blobs: Blobs
  let now: number

  beforeEach(async () => {
    metadata = await sqliteMetadata({ path: ':memory:' })
    const memory = memoryBlobs()
    undeletable = new Set()
    missing = []
    store = {
      ...memory,
      delete: async (key) => {
        if (undeletable.has(key)) throw Object.assign(new Error('EIO: i/o error, unlink'), { code: 'EIO' })
        await memory.delete(key)
      },
    }
    now = 1_000_000
    blobs = createBlobs({
      metadata,
      blobs: store,
      removeUsed: false,
      now: () => now,
      onMissingBytes: (digest) => missing.push(digest),
    })
  })
  afterEach(async () => {
    await store[Symbol.asyncDispose]()
    await metadata[Symbol.asyncDispose]()
  })

  const push = async (text: string): Promise<{ digest: Digest; key: string }> => {
    const upload = await store.openUpload(randomUUID())
    await upload.write([Buffer.from(text)])
    const digest = digestOf(Buffer.from(text), 'sha256')
    const key = await upload.commit(digest)
    await metadata.finishUpload({ repository: 'a', digest, size: text.length, key, at: now }, grant)
    return { digest, key }
  }

  it('deletes what it can when some bytes cannot be deleted, and tries those again', async () => {
    const pushed = [await push('one'), await push('two'), await push('three')]
    for (const { digest } of pushed) await blobs.remove(grant, digest)
    now += 120_000
    undeletable.add(pushed[0]?.key ?? '')
    undeletable.add(pushed[1]?.key ?? '')
    await expect(blobs.sweep()).rejects.toThrow('2 of 3 superseded blobs')
    expect((await metadata.listGarbage({ limit: 10 })).map(({ key }) => key).toSorted()).toEqual(
      [...undeletable].toSorted(),
    )
    expect(await store.read(pushed[2]?.key ?? '', 0, 1)).toBeUndefined()
    undeletable.clear()
    expect(await blobs.sweep()).toBe(2)
    expect(await metadata.listGarbage({ limit: 10 })).toEqual([])
  })

  it('keeps superseded bytes for readers who are about to read them', async () => {
    const first = await push('same')
    const row = await blobs.find(grant, first.digest)
    await push('same')
    expect(await blobs.sweep()).toBe(0)
    expect(Buffer.from((await blobs.read(grant, row, 0, 4)) as Uint8Array).toString()).toBe('same')
    now += 120_000
    expect(await blobs.sweep()).toBe(1)
    // The reader was slow indeed: it gets the bytes that took their place.
    expect(Buffer.from((await blobs.read(grant, row, 0, 4)) as Uint8Array).toString()).toBe('same')
    expect(missing).toEqual([])
  })

  it('says when bytes are missing, and a push heals it', async () => {
    const { digest, key } = await push('lost')
    const row = await blobs.find(grant, digest)
    await store.delete(key)
    await expect(blobs.read(grant, row, 0, 4)).rejects.toMatchObject({ fault: 'blob-unknown' })
    expect(missing).toEqual([digest])
    await push('lost')
    expect(Buffer.from((await blobs.read(grant, row, 0, 4)) as Uint8Array).toString()).toBe('lost')
  })
})
