import { createHash, randomUUID } from 'node:crypto'
import { mkdtempSync, readdirSync, readlinkSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { type Digest, parseDigest } from '@stowage/oci'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { BlobStore } from '../blob-store.ts'
import { type FileOperations, fileOperations } from './file-operations.ts'
import { fileSystemBlobs } from './file-system-blobs.ts'

let root: string

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'stowage-blobs-'))
})

afterEach(() => rmSync(root, { recursive: true }))

const digestOf = (bytes: Uint8Array): Digest =>
  parseDigest(`sha256:${createHash('sha256').update(bytes).digest('hex')}`)

const below = (path: string): string => relative(root, path).replace(/^uploads\/[0-9a-f-]{36}$/, 'uploads/<id>')

const fault = (code: string): Error => Object.assign(new Error(`${code}: injected`), { code })

/** Every file of a blob, as paths below `blobs`. */
const storedFiles = (): string[] =>
  readdirSync(join(root, 'blobs'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(join(root, 'blobs'), join(entry.parentPath, entry.name)))

describe('after an fsync that failed', () => {
  const failing = async (store: BlobStore, files: FileOperations): Promise<void> => {
    files.sync = () => Promise.reject(fault('EIO'))
    const upload = await store.openUpload(randomUUID())
    await upload.write([Buffer.from('lost')])
    await expect(upload.commit(digestOf(Buffer.from('lost')))).rejects.toMatchObject({ code: 'EIO' })
  }

  it('what was under way meanwhile fails too', async () => {
    const files: FileOperations = { ...fileOperations }
    await using store = await fileSystemBlobs({ root }, files)
    const [first, second] = [await store.openUpload(randomUUID()), await store.openUpload(randomUUID())]
    await first.write([Buffer.from('first')])
    await second.write([Buffer.from('second')])
    const renamed = Promise.withResolvers<void>()
    const failed = Promise.withResolvers<void>()
    files.rename = async (from, to) => {
      await fileOperations.rename(from, to)
      renamed.resolve()
      await failed.promise
    }
    const committing = second.commit(digestOf(Buffer.from('second')))
    await renamed.promise
    files.sync = () => Promise.reject(fault('EIO'))
    await expect(first.commit(digestOf(Buffer.from('first')))).rejects.toMatchObject({ code: 'EIO' })
    files.sync = fileOperations.sync
    failed.resolve()
    await expect(committing).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    expect(storedFiles()).toEqual([])
  })

  it('nothing is written, blobs are read and deleted, until new bytes could be made durable', async () => {
    const files: FileOperations = { ...fileOperations }
    await using store = await fileSystemBlobs({ root }, files)
    const keep = async (text: string): Promise<string> => {
      const upload = await store.openUpload(randomUUID())
      await upload.write([Buffer.from(text)])
      return upload.commit(digestOf(Buffer.from(text)))
    }
    const [kept, gone] = [await keep('kept'), await keep('gone')]
    const begun = await store.openUpload(randomUUID())
    await begun.write([Buffer.from('begun')])
    await failing(store, files)
    let opened = 0
    files.open = async (...args) => {
      opened += 1
      return fileOperations.open(...args)
    }
    // The first one tries the disk; those after it, and within a second, do not.
    await expect(begun.write([Buffer.from(' more')])).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    expect(opened).toBe(1)
    await expect(begun.commit(digestOf(Buffer.from('begun')))).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    await expect(keep('new')).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    expect(opened).toBe(1)
    expect(await store.read(kept, 0, 4)).toEqual(Buffer.from('kept'))
    await expect(store.delete(gone)).rejects.toThrow('EIO')
    expect(storedFiles()).toEqual([kept])
    files.sync = fileOperations.sync
    await store.check()
    await store.delete(gone)
    await begun.write([Buffer.from(' more')])
    await begun.commit(digestOf(Buffer.from('begun more')))
    await keep('new')
    expect(readdirSync(join(root, 'uploads'))).toEqual([])
  })

  it('the next push finds out by itself that the disk works again', async () => {
    const files: FileOperations = { ...fileOperations }
    await using store = await fileSystemBlobs({ root }, files)
    await failing(store, files)
    const synced: string[] = []
    files.sync = async (fd) => {
      synced.push(below(readlinkSync(`/proc/self/fd/${fd}`)))
      await fileOperations.sync(fd)
    }
    const upload = await store.openUpload(randomUUID())
    await upload.write([Buffer.from('a')])
    if (process.platform === 'linux') expect(synced).toEqual(['uploads/<id>', 'uploads'])
    await upload.commit(digestOf(Buffer.from('a')))
  })
})
