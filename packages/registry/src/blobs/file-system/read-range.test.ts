import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { existsSync, mkdtempSync, readdirSync, readlinkSync, rmSync, truncateSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { parseDigest } from '@stowage/oci'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { BlobStore } from '../blob-store.ts'
import { type FileOperations, fileOperations } from './file-operations.ts'
import { fileSystemBlobs } from './file-system-blobs.ts'

let root: string

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'stowage-blobs-'))
})

afterEach(() => rmSync(root, { recursive: true }))

const mebibyte = 1024 * 1024

const put = async (store: BlobStore, bytes: Uint8Array): Promise<string> => {
  const upload = await store.openUpload(randomUUID())
  await upload.write([bytes])
  return upload.commit(parseDigest(`sha256:${createHash('sha256').update(bytes).digest('hex')}`))
}

const stream = async (store: BlobStore, key: string, end: number): Promise<Readable> => {
  const read = await store.read(key, 0, end)
  if (!(read instanceof Readable)) throw new TypeError('Expected a stream.')
  return read
}

const short = async (store: BlobStore, key: string, start: number, end: number): Promise<Uint8Array> => {
  const read = await store.read(key, start, end)
  if (!(read instanceof Uint8Array)) throw new TypeError('Expected the bytes at once.')
  return read
}

/** The blobs that this process has open. */
const openBlobs = (): string[] =>
  readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      const path = readlinkSync(`/proc/self/fd/${fd}`)
      return path.startsWith(join(root, 'blobs')) && !existsSync(`${path}/.`) ? [path] : []
    } catch {
      return []
    }
  })

describe('a file that is shorter than its blob', () => {
  it('makes a short range reject', async () => {
    await using store = await fileSystemBlobs({ root })
    const key = await put(store, randomBytes(1000))
    truncateSync(join(root, 'blobs', key), 999)
    await expect(store.read(key, 0, 1000)).rejects.toThrow('ends at byte 999')
    await expect(store.read(key, 500, 1000)).rejects.toThrow('ends at byte 999')
    expect(await store.read(key, 0, 999)).toHaveLength(999)
  })

  it('makes a long range reject before there is a stream', async () => {
    await using store = await fileSystemBlobs({ root })
    const key = await put(store, randomBytes(mebibyte))
    truncateSync(join(root, 'blobs', key), mebibyte - 1)
    await expect(store.read(key, 0, mebibyte)).rejects.toThrow(`ends at byte ${mebibyte - 1}`)
  })

  it('makes a stream fail when it gets shorter while it is read', async () => {
    await using store = await fileSystemBlobs({ root })
    const key = await put(store, randomBytes(8 * mebibyte))
    const reading = await stream(store, key, 8 * mebibyte)
    let received = 0
    const consume = async (): Promise<void> => {
      for await (const piece of reading) {
        if (received === 0) truncateSync(join(root, 'blobs', key), 4 * mebibyte + 1)
        if (piece instanceof Uint8Array) received += piece.byteLength
      }
    }
    await expect(consume()).rejects.toThrow(`ends at byte ${4 * mebibyte + 1}`)
    expect(received).toBeLessThanOrEqual(4 * mebibyte + 1)
  })

  it('is told by an error of the system that comes in the middle, too', async () => {
    const files: FileOperations = { ...fileOperations }
    await using store = await fileSystemBlobs({ root }, files)
    const key = await put(store, randomBytes(8 * mebibyte))
    files.read = (fd, buffer, position) =>
      position > mebibyte
        ? Promise.reject(Object.assign(new Error('EIO: injected'), { code: 'EIO' }))
        : fileOperations.read(fd, buffer, position)
    await expect(Array.fromAsync(await stream(store, key, 8 * mebibyte))).rejects.toThrow('EIO')
  })
})

describe('a disk that does not give the first bytes', () => {
  it.each([
    ['of a short range', 1000],
    ['of a long one, before there is a stream', mebibyte],
  ])('%s: the read rejects, and the next one opens the file anew', async (_, size) => {
    const files: FileOperations = { ...fileOperations }
    await using store = await fileSystemBlobs({ root }, files)
    const bytes = randomBytes(size)
    const key = await put(store, bytes)
    files.read = () => Promise.reject(Object.assign(new Error('EIO: injected'), { code: 'EIO' }))
    await expect(store.read(key, 0, size)).rejects.toMatchObject({ code: 'EIO' })
    files.read = fileOperations.read
    const opened = vi.fn(fileOperations.open)
    files.open = opened
    const read = await store.read(key, 0, size)
    const got = read instanceof Uint8Array ? read : Buffer.concat(await Array.fromAsync(read ?? []))
    expect([Buffer.compare(got, bytes), opened.mock.calls.length]).toEqual([0, 1])
  })
})

describe.runIf(process.platform === 'linux')('open files', () => {
  it('stay open for the next read, as many as was said', async () => {
    await using store = await fileSystemBlobs({ root, openFiles: 2 })
    const keys: string[] = []
    for (let count = 0; count < 5; count++) keys.push(await put(store, randomBytes(10 + count)))
    await Promise.all(keys.map((key) => store.read(key, 0, 10)))
    for (const key of keys) await store.read(key, 0, 10)
    await vi.waitFor(() => expect(openBlobs()).toHaveLength(2))
  })

  it('are opened once for many readers', async () => {
    let opened = 0
    const files: FileOperations = { ...fileOperations }
    await using store = await fileSystemBlobs({ root }, files)
    const key = await put(store, randomBytes(10))
    files.open = (path, flags, mode) => {
      opened += 1
      return fileOperations.open(path, flags, mode)
    }
    await Promise.all(Array.from({ length: 20 }, () => store.read(key, 0, 10)))
    await store.read(key, 3, 10)
    expect(opened).toBe(1)
  })

  it('are not even read again where their start is known', async () => {
    let reads = 0
    const files: FileOperations = { ...fileOperations }
    await using store = await fileSystemBlobs({ root }, files)
    const bytes = randomBytes(70_000)
    const key = await put(store, bytes)
    files.read = (fd, buffer, position) => {
      reads += 1
      return fileOperations.read(fd, buffer, position)
    }
    const ranges = [
      [0, 10, 1],
      [2, 5, 1],
      [2, 11, 2],
      [0, 1000, 3],
      [10, 1000, 3],
      [0, 65_537, 4],
      [0, 65_536, 5],
      [65_535, 65_536, 5],
      [65_535, 65_537, 6],
    ] as const
    for (const [start, end, expected] of ranges) {
      expect(Buffer.from(await short(store, key, start, end)).equals(bytes.subarray(start, end))).toBe(true)
      expect(reads).toBe(expected)
    }
    await store.delete(key)
    expect(await store.read(key, 0, 10)).toBeUndefined()
  })

  it('stay with the streams that read them when they are let go', async () => {
    await using store = await fileSystemBlobs({ root, openFiles: 1 })
    const bytes = randomBytes(4 * mebibyte)
    const key = await put(store, bytes)
    const other = await put(store, randomBytes(10))
    const [one, two] = await Promise.all([stream(store, key, 4 * mebibyte), stream(store, key, 4 * mebibyte)])
    await store.read(other, 0, 10)
    await store.delete(key)
    one.destroy()
    await vi.waitFor(() => expect(one.closed).toBe(true))
    expect(Buffer.concat(await Array.fromAsync(two)).equals(bytes)).toBe(true)
    await vi.waitFor(() => expect(openBlobs()).toEqual([join(root, 'blobs', other)]))
  })

  it('do not keep a file that was deleted while it was being opened', async () => {
    const files: FileOperations = { ...fileOperations }
    await using store = await fileSystemBlobs({ root }, files)
    const key = await put(store, randomBytes(10))
    const opening = Promise.withResolvers<void>()
    const opened = Promise.withResolvers<void>()
    files.open = async (path, flags, mode) => {
      const fd = await fileOperations.open(path, flags, mode)
      opened.resolve()
      await opening.promise
      return fd
    }
    const early = store.read(key, 0, 10)
    await opened.promise
    files.open = fileOperations.open
    await store.delete(key)
    expect(await store.read(key, 0, 10)).toBeUndefined()
    opening.resolve()
    expect(await early).toHaveLength(10)
    expect(await store.read(key, 0, 10)).toBeUndefined()
    await vi.waitFor(() => expect(openBlobs()).toEqual([]))
  })

  it('close after the last read under way, not before, when a stream is destroyed', async () => {
    const files: FileOperations = { ...fileOperations }
    const closed: number[] = []
    await using store = await fileSystemBlobs({ root, openFiles: 1 }, files)
    const key = await put(store, randomBytes(4 * mebibyte))
    const reading = await stream(store, key, 4 * mebibyte)
    const under = Promise.withResolvers<void>()
    const way = Promise.withResolvers<number>()
    files.read = (fd) => {
      under.resolve()
      return way.promise.finally(() => expect(closed).not.toContain(fd))
    }
    files.close = (fd) => {
      closed.push(fd)
      return fileOperations.close(fd)
    }
    reading.resume()
    await under.promise
    reading.destroy()
    await store.delete(key)
    expect(closed).toHaveLength(0)
    way.resolve(100)
    await vi.waitFor(() => expect(closed).toHaveLength(1))
  })
})
