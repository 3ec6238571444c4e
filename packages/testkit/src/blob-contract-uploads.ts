import { randomUUID } from 'node:crypto'
import type { BlobStore, BlobUpload } from '@stowage/registry'
import { expect, it } from 'vitest'
import { collect, cut, digestOf, kibibyte, listed, mebibyte, sameBytes, someBytes } from './blob-contract-bytes.ts'

const written = async (upload: BlobUpload): Promise<Uint8Array> => Buffer.concat(await Array.fromAsync(upload.read()))

/** Commits, and says whether the blob is these bytes. */
const commitsAs = async (store: BlobStore, upload: BlobUpload, bytes: Uint8Array): Promise<boolean> => {
  const key = await upload.commit(digestOf(bytes))
  return sameBytes(await collect(await store.read(key, 0, bytes.byteLength)), bytes)
}

export const describeBlobUploads = (store: () => BlobStore): void => {
  it('hold nothing in the store before their first byte', async () => {
    const id = randomUUID()
    const upload = await store().openUpload(id)
    await upload.write([])
    await upload.write([new Uint8Array(0)])
    expect(upload.size).toBe(0)
    expect(await listed(store())).not.toContain(id)
    expect(await written(upload)).toHaveLength(0)
    await upload.close()
    await store().discardUpload(id, upload.state())
  })

  it('append chunks in order', async () => {
    const bytes = someBytes(100_000)
    const upload = await store().openUpload(randomUUID())
    const pieces = cut(bytes, [1, 0, 4096, 10_007])
    await upload.write(pieces.slice(0, 5))
    expect(upload.size).toBe(Buffer.concat(pieces.slice(0, 5)).byteLength)
    await upload.write(pieces.slice(5))
    expect(upload.size).toBe(bytes.byteLength)
    expect(sameBytes(await written(upload), bytes)).toBe(true)
    expect(await commitsAs(store(), upload, bytes)).toBe(true)
  })

  it('have taken the bytes when a write settles: the chunk may be used again', async () => {
    const bytes = someBytes(3000)
    const upload = await store().openUpload(randomUUID())
    const chunk = new Uint8Array(1000)
    for (let at = 0; at < 3000; at += 1000) {
      chunk.set(bytes.subarray(at, at + 1000))
      await upload.write([chunk])
      chunk.fill(0)
    }
    expect(await commitsAs(store(), upload, bytes)).toBe(true)
  })

  it('take many small chunks, closed and opened again in between', async () => {
    const bytes = someBytes(768 * kibibyte)
    const id = randomUUID()
    let upload = await store().openUpload(id)
    for (const [index, chunk] of cut(bytes, [kibibyte]).entries()) {
      if (index % 256 === 255) {
        const state = upload.state()
        await upload.close()
        upload = await store().openUpload(id, state)
        expect(upload.size).toBe(index * kibibyte)
      }
      await upload.write([chunk])
    }
    expect(await commitsAs(store(), upload, bytes)).toBe(true)
  })

  it('become an empty blob when no byte came', async () => {
    const upload = await store().openUpload(randomUUID())
    const key = await upload.commit(digestOf(new Uint8Array(0)))
    expect(await collect(await store().read(key, 0, 0))).toHaveLength(0)
  })

  it('drop what lies behind a size, and go on there', async () => {
    const bytes = someBytes(200_000)
    const upload = await store().openUpload(randomUUID())
    await upload.truncate(0)
    await upload.write([bytes.subarray(0, 150_000), someBytes(7)])
    await upload.truncate(150_000)
    expect(upload.size).toBe(150_000)
    expect(sameBytes(await written(upload), bytes.subarray(0, 150_000))).toBe(true)
    await upload.truncate(1_000_000)
    expect(upload.size).toBe(150_000)
    await upload.write([bytes.subarray(150_000)])
    expect(await commitsAs(store(), upload, bytes)).toBe(true)
  })

  it('can begin again from nothing', async () => {
    const upload = await store().openUpload(randomUUID())
    await upload.write([someBytes(5000)])
    await upload.truncate(0)
    expect(upload.size).toBe(0)
    expect(await written(upload)).toHaveLength(0)
    const bytes = someBytes(100)
    await upload.write([bytes])
    expect(await commitsAs(store(), upload, bytes)).toBe(true)
  })

  it('keep the dropped bytes dropped when they are opened again', async () => {
    const bytes = someBytes(5000)
    const id = randomUUID()
    const upload = await store().openUpload(id)
    await upload.write([bytes])
    await upload.truncate(1234)
    await upload.close()
    const again = await store().openUpload(id, upload.state())
    expect(again.size).toBe(1234)
    expect(await commitsAs(store(), again, bytes.subarray(0, 1234))).toBe(true)
  })

  it('can be read more than once, and left in the middle', async () => {
    const bytes = someBytes(3 * mebibyte)
    const upload = await store().openUpload(randomUUID())
    await upload.write(cut(bytes, [mebibyte]))
    for await (const piece of upload.read()) {
      expect(piece.byteLength).toBeGreaterThan(0)
      break
    }
    expect(sameBytes(await written(upload), bytes)).toBe(true)
    expect(await commitsAs(store(), upload, bytes)).toBe(true)
  })

  it('are over when they are committed', async () => {
    const id = randomUUID()
    const bytes = someBytes(1000)
    const upload = await store().openUpload(id)
    await upload.write([bytes])
    const key = await upload.commit(digestOf(bytes))
    await upload.close()
    expect(await listed(store())).not.toContain(id)
    await expect(upload.write([bytes])).rejects.toThrow(id)
    // What a caller does who could not store the key: the blob is not the upload's any more.
    await store().discardUpload(id, upload.state())
    expect(sameBytes(await collect(await store().read(key, 0, 1000)), bytes)).toBe(true)
    expect((await store().openUpload(id)).size).toBe(0)
  })

  it('of the same bytes get keys of their own', async () => {
    const bytes = someBytes(1000)
    const uploads = await Promise.all([randomUUID(), randomUUID()].map((id) => store().openUpload(id)))
    await Promise.all(uploads.map((upload) => upload.write([bytes])))
    const [one = '', other = ''] = await Promise.all(uploads.map((upload) => upload.commit(digestOf(bytes))))
    expect(one).not.toBe(other)
    await store().delete(one)
    expect(await store().read(one, 0, 1000)).toBeUndefined()
    expect(sameBytes(await collect(await store().read(other, 0, 1000)), bytes)).toBe(true)
  })

  it.each(['sha256', 'sha384', 'sha512'] as const)('are committed under %s', async (algorithm) => {
    const bytes = someBytes(1000)
    const upload = await store().openUpload(randomUUID())
    await upload.write([bytes])
    const key = await upload.commit(digestOf(bytes, algorithm))
    expect(sameBytes(await collect(await store().read(key, 0, 1000)), bytes)).toBe(true)
  })

  it('are forgotten when discarded, as often as one likes', async () => {
    const id = randomUUID()
    await store().discardUpload(id)
    const upload = await store().openUpload(id)
    await upload.write([someBytes(1000)])
    await upload.close()
    await store().discardUpload(id, upload.state())
    await store().discardUpload(id, upload.state())
    expect(await listed(store())).not.toContain(id)
    expect((await store().openUpload(id)).size).toBe(0)
  })

  it('are listed while they hold bytes, with the time of the last one', async () => {
    const [open, closed, committed, discarded] = [randomUUID(), randomUUID(), randomUUID(), randomUUID()]
    const bytes = someBytes(10)
    const since = Date.now()
    for (const id of [open, closed, committed, discarded]) {
      const upload = await store().openUpload(id)
      await upload.write([bytes])
      if (id === closed) await upload.close()
      if (id === committed) await upload.commit(digestOf(bytes))
      if (id === discarded) {
        await upload.close()
        await store().discardUpload(id, upload.state())
      }
    }
    const found = await listed(store())
    expect(new Set(found.keys())).toEqual(new Set([open, closed]))
    for (const touchedAt of found.values()) {
      // Clocks of file systems and object stores are coarse, and not ours.
      expect(touchedAt).toBeGreaterThan(since - 60_000)
      expect(touchedAt).toBeLessThan(Date.now() + 60_000)
    }
  })

  it('go on side by side without mixing', async () => {
    const uploads = await Promise.all(
      Array.from({ length: 64 }, async (_, index) => {
        const bytes = someBytes(20_000 + index)
        return { bytes, upload: await store().openUpload(randomUUID()) }
      }),
    )
    for (let at = 0; at < 21_000; at += 3000) {
      await Promise.all(uploads.map(({ bytes, upload }) => upload.write([bytes.subarray(at, at + 3000)])))
    }
    const right = await Promise.all(uploads.map(({ bytes, upload }) => commitsAs(store(), upload, bytes)))
    expect(right.filter(Boolean)).toHaveLength(64)
  })
}
