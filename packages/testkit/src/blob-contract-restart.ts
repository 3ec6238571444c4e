import { randomUUID } from 'node:crypto'
import type { BlobStore } from '@stowage/registry'
import { describe, expect, it } from 'vitest'
import type { BlobStoreUnderTest } from './blob-contract.ts'
import { collect, digestOf, kibibyte, listed, put, sameBytes, someBytes } from './blob-contract-bytes.ts'

export interface RestartableBlobStore extends BlobStoreUnderTest {
  /** A store on the same bytes, as another process makes it; called when `store` is disposed of. */
  readonly reopen: () => Promise<BlobStore>
}

/** What a `BlobStore` that outlives its process must do besides `describeBlobStore`. */
export const describeBlobStoreRestart = (name: string, open: () => Promise<RestartableBlobStore>): void => {
  describe(`${name} outlives its process`, () => {
    it('goes on with an upload that was open when the process ended', async () => {
      const { store, reopen } = await open()
      const bytes = someBytes(300 * kibibyte)
      const id = randomUUID()
      const before = await store.openUpload(id)
      await before.write([bytes.subarray(0, 100_001)])
      const state = before.state()
      // Not closed: disposing of the store must do.
      await store[Symbol.asyncDispose]()

      await using reopened = await reopen()
      expect([...(await listed(reopened)).keys()]).toEqual([id])
      const after = await reopened.openUpload(id, state)
      expect(after.size).toBe(100_001)
      await after.write([bytes.subarray(100_001)])
      const key = await after.commit(digestOf(bytes))
      expect(sameBytes(await collect(await reopened.read(key, 0, bytes.byteLength)), bytes)).toBe(true)
    })

    it('discards an upload of an earlier process', async () => {
      const { store, reopen } = await open()
      const id = randomUUID()
      const upload = await store.openUpload(id)
      await upload.write([someBytes(10)])
      const state = upload.state()
      await store[Symbol.asyncDispose]()

      await using reopened = await reopen()
      await reopened.discardUpload(id, state)
      expect([...(await listed(reopened)).keys()]).toEqual([])
      expect((await reopened.openUpload(id)).size).toBe(0)
    })

    it('has its blobs, and gives out none of their keys again', async () => {
      const { store, reopen } = await open()
      const bytes = someBytes(10 * kibibyte)
      const key = await put(store, bytes)
      await store[Symbol.asyncDispose]()

      await using reopened = await reopen()
      expect(sameBytes(await collect(await reopened.read(key, 0, bytes.byteLength)), bytes)).toBe(true)
      expect(await put(reopened, bytes)).not.toBe(key)
    })
  })
}
