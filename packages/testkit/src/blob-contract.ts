import { randomUUID } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import type { BlobStore } from '@stowage/registry'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { collect, kibibyte, put, someBytes } from './blob-contract-bytes.ts'
import { describeBlobLists } from './blob-contract-lists.ts'
import { describeBlobReads } from './blob-contract-reads.ts'
import { describeBlobUploads } from './blob-contract-uploads.ts'

export interface BlobStoreUnderTest {
  /** An empty store. The suite disposes of it. */
  readonly store: BlobStore
}

/**
 * The contract of `BlobStore`: what every adapter must do, as tests. Call it at the top of a vitest file.
 *
 * @param open Makes a new empty store for one test.
 */
export const describeBlobStore = (name: string, open: () => Promise<BlobStoreUnderTest>): void => {
  describe(`${name} keeps the contract of a blob store`, () => {
    let opened: BlobStore

    beforeEach(async () => {
      opened = (await open()).store
    })

    afterEach(() => opened[Symbol.asyncDispose]())

    const store = (): BlobStore => opened

    describe('uploads', () => describeBlobUploads(store))
    describe('reads', () => describeBlobReads(store))
    describe('lists', () => describeBlobLists(store))

    describe('life', () => {
      it('says what sort of store it is, and that it can read and write', async () => {
        expect(store().kind).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/)
        await store().check()
      })

      it('can be disposed of twice', async () => {
        await store()[Symbol.asyncDispose]()
        await store()[Symbol.asyncDispose]()
      })
    })
  })

  describe.runIf(process.platform === 'linux')(`${name} gives its descriptors back`, () => {
    it('when it is disposed of, with uploads open and a stream half read', async () => {
      // Once for whatever a first use opens for good.
      await liveAndEnd(open)
      const before = (await readdir('/proc/self/fd')).length
      await liveAndEnd(open)
      await vi.waitFor(async () => expect((await readdir('/proc/self/fd')).length).toBeLessThanOrEqual(before))
    })

    it('when streams are abandoned or read to the end', async () => {
      const { store } = await open()
      await using _ = store
      const size = 1024 * kibibyte
      const key = await put(store, someBytes(size))
      await collect(await store.read(key, 0, size))
      const before = (await readdir('/proc/self/fd')).length
      for (let count = 0; count < 50; count++) {
        const stream = await store.read(key, 0, size)
        if (stream === undefined || stream instanceof Uint8Array) continue
        if (count % 2 === 0) await collect(stream)
        else stream.destroy()
      }
      await store.delete(key)
      await vi.waitFor(async () => expect((await readdir('/proc/self/fd')).length).toBeLessThanOrEqual(before))
    })
  })
}

/** A store's life with all that can be open at its end. */
const liveAndEnd = async (open: () => Promise<BlobStoreUnderTest>): Promise<void> => {
  const { store } = await open()
  const large = await put(store, someBytes(4096 * kibibyte))
  for (let count = 0; count < 20; count++) {
    const key = await put(store, someBytes(count))
    await store.read(key, 0, count)
    const upload = await store.openUpload(randomUUID())
    await upload.write([someBytes(1)])
    for await (const _ of upload.read()) break
  }
  const stream = await store.read(large, 0, 4096 * kibibyte)
  if (stream !== undefined && !(stream instanceof Uint8Array)) {
    stream.on('error', () => {})
    await new Promise((resolve) => stream.once('readable', resolve))
  }
  await store[Symbol.asyncDispose]()
}
