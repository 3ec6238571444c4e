import type { BlobStore } from '@stowage/registry'
import { expect, it } from 'vitest'
import { collect, kibibyte, mebibyte, put, sameBytes, someBytes } from './blob-contract-bytes.ts'

/** Around the sizes at which stores begin to stream, and blocks and pieces of them end. */
const edges = [0, 1, 4095, 4096, 4097, 64 * kibibyte, 256 * kibibyte - 1, 256 * kibibyte, 256 * kibibyte + 1, mebibyte]

export const describeBlobReads = (store: () => BlobStore): void => {
  it('give every range, byte for byte', async () => {
    const size = mebibyte + 7
    const bytes = someBytes(size)
    const key = await put(store(), bytes)
    for (const start of [...edges, size - 1, size]) {
      for (const end of [...edges, size - 1, size]) {
        if (end < start) continue
        const read = await collect(await store().read(key, start, end))
        expect(sameBytes(read, bytes.subarray(start, end)), `bytes ${start} to ${end}`).toBe(true)
      }
    }
  })

  it('stream a large blob', async () => {
    const bytes = someBytes(8 * mebibyte)
    const key = await put(store(), bytes)
    const read = await store().read(key, 0, bytes.byteLength)
    expect(read).not.toBeInstanceOf(Uint8Array)
    expect(sameBytes(await collect(read), bytes)).toBe(true)
  })

  it('never end cleanly short of what was asked', async () => {
    for (const size of [1000, 300 * kibibyte]) {
      const key = await put(store(), someBytes(size))
      const attempt = async (): Promise<unknown> => collect(await store().read(key, 0, size + 1))
      await expect(attempt()).rejects.toThrow(Error)
      const inside = async (): Promise<unknown> => collect(await store().read(key, size - 10, size + mebibyte))
      await expect(inside()).rejects.toThrow(Error)
    }
  })

  it('of one blob go on side by side', async () => {
    const bytes = someBytes(mebibyte)
    const key = await put(store(), bytes)
    const right = await Promise.all(
      Array.from({ length: 40 }, async (_, index) => {
        const start = index * 1000
        const end = index % 2 === 0 ? bytes.byteLength : start + 5000
        return sameBytes(await collect(await store().read(key, start, end)), bytes.subarray(start, end))
      }),
    )
    expect(right.filter(Boolean)).toHaveLength(40)
  })

  it('of more blobs than a store may hold open are right', async () => {
    const blobs = await Promise.all(
      Array.from({ length: 300 }, async (_, index) => {
        const bytes = someBytes(100 + index)
        return { bytes, key: await put(store(), bytes) }
      }),
    )
    for (let round = 0; round < 2; round++) {
      const right = await Promise.all(
        blobs.map(async ({ bytes, key }) =>
          sameBytes(await collect(await store().read(key, 0, bytes.byteLength)), bytes),
        ),
      )
      expect(right.filter(Boolean)).toHaveLength(300)
    }
  })

  it('find nothing under a key that was deleted, and deleting is repeatable', async () => {
    const bytes = someBytes(1000)
    const key = await put(store(), bytes)
    await collect(await store().read(key, 0, 1000))
    await store().delete(key)
    expect(await store().read(key, 0, 1000)).toBeUndefined()
    expect(await store().read(key, 0, 0)).toBeUndefined()
    await store().delete(key)
    // The digest can come back, under a key that is new.
    const again = await put(store(), bytes)
    await store().delete(key)
    expect(sameBytes(await collect(await store().read(again, 0, 1000)), bytes)).toBe(true)
  })

  it('that run while their blob is deleted give the right bytes or fail', async () => {
    const bytes = someBytes(8 * mebibyte)
    const key = await put(store(), bytes)
    const ending = async (): Promise<boolean | 'failed'> => {
      const read = await store().read(key, 0, bytes.byteLength)
      if (read === undefined) return 'failed'
      try {
        return sameBytes(await collect(read), bytes)
      } catch {
        return 'failed'
      }
    }
    const started = await store().read(key, 0, bytes.byteLength)
    if (started === undefined || started instanceof Uint8Array) throw new TypeError('8 MiB should come as a stream.')
    const first: unknown = (await started[Symbol.asyncIterator]().next()).value
    expect(first).toBeInstanceOf(Uint8Array)
    const [racing] = await Promise.all([ending(), store().delete(key)])
    expect(racing).not.toBe(false)
    started.destroy()
    expect(await store().read(key, 0, 1)).toBeUndefined()
  })

  it('of a blob deleted behind a running stream are whole or fail', async () => {
    const bytes = someBytes(8 * mebibyte)
    const key = await put(store(), bytes)
    const stream = await store().read(key, 0, bytes.byteLength)
    if (stream === undefined || stream instanceof Uint8Array) throw new TypeError('8 MiB should come as a stream.')
    const pieces: Uint8Array[] = []
    let deleted = false
    const consume = async (): Promise<'ended' | 'failed'> => {
      try {
        for await (const piece of stream) {
          pieces.push(piece)
          if (!deleted) await store().delete(key)
          deleted = true
        }
        return 'ended'
      } catch {
        return 'failed'
      }
    }
    if ((await consume()) === 'ended') expect(sameBytes(Buffer.concat(pieces), bytes)).toBe(true)
    expect(deleted).toBe(true)
  })

  it('of who inspects give everything, in pieces of at most a MiB, and when it was stored', async () => {
    for (const size of [0, 1, 256 * kibibyte, 3 * mebibyte + 7]) {
      const bytes = someBytes(size)
      const key = await put(store(), bytes)
      const found = await store().inspect(key)
      expect(found?.size).toBe(size)
      expect(Math.abs(Date.now() - (found?.storedAt ?? 0))).toBeLessThan(60_000)
      const pieces: Uint8Array[] = []
      for await (const piece of found?.read() ?? []) {
        expect(piece.byteLength).toBeLessThanOrEqual(mebibyte)
        // The next one may be in its place.
        pieces.push(Uint8Array.from(piece))
      }
      expect(sameBytes(Buffer.concat(pieces), bytes)).toBe(true)
      // Half read and left.
      for await (const _ of found?.read() ?? []) break
      await store().delete(key)
      expect(await store().inspect(key)).toBeUndefined()
    }
    expect(await store().inspect('../../etc/passwd')).toBeUndefined()
  })

  it('of keys of another shape find nothing', async () => {
    const bytes = someBytes(1000)
    const key = await put(store(), bytes)
    const others = [
      '',
      '.',
      '..',
      '/etc/passwd',
      '../../../../../../../../etc/passwd',
      `${key}x`,
      `${key}/`,
      `/${key}`,
      `./${key}`,
      `x/../${key}`,
      `${key}\0`,
      `${key}\n`,
      key.toUpperCase(),
      key.slice(0, -1),
      key.slice(1),
      'é',
      'a'.repeat(10_000),
    ]
    for (const other of others) {
      const read = await store()
        .read(other, 0, 10)
        .catch(() => undefined)
      expect(read, JSON.stringify(other)).toBeUndefined()
      await store()
        .delete(other)
        .catch(() => {})
    }
    expect(sameBytes(await collect(await store().read(key, 0, 1000)), bytes)).toBe(true)
  })
}
