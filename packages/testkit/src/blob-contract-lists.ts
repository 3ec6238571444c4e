import { randomUUID } from 'node:crypto'
import type { BlobStore, StoredBytes } from '@stowage/registry'
import { expect, it } from 'vitest'
import { digestOf, put, someBytes } from './blob-contract-bytes.ts'

export const describeBlobLists = (store: () => BlobStore): void => {
  const listed = async (): Promise<ReadonlyMap<string, StoredBytes>> =>
    new Map((await Array.fromAsync(store().listBlobs())).map((stored) => [stored.key, stored]))

  it('have every blob with its size and the time of its commit, and nothing else', async () => {
    expect([...(await listed()).keys()]).toEqual([])
    const since = Date.now()
    const sizes = new Map<string, number>()
    for (const [index, algorithm] of (['sha256', 'sha384', 'sha512', 'sha256'] as const).entries()) {
      sizes.set(await put(store(), someBytes(1000 * index), algorithm), 1000 * index)
    }
    const bytes = someBytes(10)
    const [one, other] = [await put(store(), bytes), await put(store(), bytes)]
    sizes.set(one, 10).set(other, 10)
    const upload = await store().openUpload(randomUUID())
    await upload.write([someBytes(5)])
    await upload.close()
    const found = await listed()
    expect(new Map([...found].map(([key, { size }]) => [key, size]))).toEqual(sizes)
    for (const { storedAt } of found.values()) {
      expect(Number.isSafeInteger(storedAt)).toBe(true)
      // Clocks of file systems and object stores are coarse, and not ours.
      expect(storedAt).toBeGreaterThan(since - 60_000)
      expect(storedAt).toBeLessThan(Date.now() + 60_000)
    }
  })

  it('do not have what was deleted', async () => {
    const [one, other] = [await put(store(), someBytes(10)), await put(store(), someBytes(20))]
    await store().delete(one)
    expect([...(await listed()).keys()]).toEqual([other])
  })

  it('count the time of a blob from its commit on, however old its bytes are', async () => {
    const bytes = someBytes(10)
    const upload = await store().openUpload(randomUUID())
    await upload.write([bytes])
    await new Promise((resolve) => setTimeout(resolve, 50))
    const before = await put(store(), someBytes(20))
    const late = await upload.commit(digestOf(bytes))
    const found = await listed()
    expect(found.get(late)?.storedAt).toBeGreaterThanOrEqual(found.get(before)?.storedAt ?? Infinity)
  })

  it('can be read while blobs come and go, and left in the middle', async () => {
    const keys = await Promise.all(Array.from({ length: 50 }, async () => put(store(), someBytes(100))))
    const kept = keys.slice(25)
    const seen: string[] = []
    for await (const { key } of store().listBlobs()) {
      seen.push(key)
      const gone = keys.pop()
      if (gone !== undefined && !kept.includes(gone)) await store().delete(gone)
      if (seen.length <= 10) await put(store(), someBytes(100))
    }
    for (const key of kept) expect(seen).toContain(key)
    expect(seen).toHaveLength(new Set(seen).size)
    for await (const _ of store().listBlobs()) break
  })
}
