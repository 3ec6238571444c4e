import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createHash, randomUUID } from 'node:crypto'
import { parseDigest } from '@stowage/oci'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { type FileOperations, fileOperations } from './file-operations.ts'
import { fileSystemBlobs } from './file-system-blobs.ts'

let base: string
let root: string

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'stowage-blobs-'))
  root = join(base, 'data')
})

afterEach(() => rmSync(base, { recursive: true }))

const modeOf = (...path: string[]): string => (statSync(join(root, ...path)).mode & 0o777).toString(8)

const sha256Of = (text: string) => parseDigest(`sha256:${createHash('sha256').update(text).digest('hex')}`)

it('makes what is missing, for its owner alone', async () => {
  root = join(base, 'some', 'where', 'data')
  await using store = await fileSystemBlobs({ root })
  expect([
    modeOf('..'),
    modeOf(),
    modeOf('uploads'),
    modeOf('blobs'),
    modeOf('blobs/sha256'),
    modeOf('blobs/sha256/ff'),
  ]).toEqual(Array.from({ length: 6 }, () => '700'))
  expect(readdirSync(join(root, 'blobs', 'sha256'))).toHaveLength(256)
  const id = randomUUID()
  const upload = await store.openUpload(id)
  await upload.write([Buffer.from('a')])
  expect(modeOf('uploads', id)).toBe('600')
  const key = await upload.commit(sha256Of('a'))
  expect(modeOf('blobs', key)).toBe('600')
})

it('makes the way to the root durable at every start: whoever made it may not have', async () => {
  mkdirSync(join(base, 'some', 'where'), { recursive: true })
  root = join(base, 'some', 'where', 'data')
  mkdirSync(root)
  const paths = new Map<number, string>()
  const synced: string[] = []
  const files: FileOperations = {
    ...fileOperations,
    open: async (path, flags, mode) => {
      const fd = await fileOperations.open(path, flags, mode)
      paths.set(fd, path)
      return fd
    },
    sync: async (fd) => {
      synced.push(paths.get(fd) ?? '')
      await fileOperations.sync(fd)
    },
  }
  await using _ = await fileSystemBlobs({ root }, files)
  const way = ['blobs/sha256', 'blobs', '.', '..', '../..', '../../..'].map((path) => join(root, path))
  expect(synced.slice(0, way.length)).toEqual(way)
})

it('accepts a directory that others may read, and goes on with one that it made', async () => {
  mkdirSync(root, { mode: 0o755 })
  await (await fileSystemBlobs({ root }))[Symbol.asyncDispose]()
  await (await fileSystemBlobs({ root }))[Symbol.asyncDispose]()
  expect(modeOf()).toBe('755')
})

it('accepts a data directory that is itself reached by a link', async () => {
  mkdirSync(join(base, 'disk'))
  symlinkSync(join(base, 'disk'), root)
  await using _ = await fileSystemBlobs({ root })
  expect(readdirSync(join(base, 'disk')).toSorted()).toEqual(['blobs', 'uploads'])
})

it.each(['', 'uploads', 'blobs', 'blobs/sha256'])('refuses when %j is writable by everybody', async (path) => {
  mkdirSync(join(root, path), { recursive: true })
  chmodSync(join(root, path), 0o777)
  await expect(fileSystemBlobs({ root })).rejects.toThrow(`chmod o-w ${join(root, path)}`)
})

it.each(['uploads', 'blobs', 'blobs/sha256', 'blobs/sha256/ab'])('refuses when %s is a symbolic link', async (path) => {
  mkdirSync(join(root, path, '..'), { recursive: true })
  mkdirSync(join(base, 'elsewhere'))
  symlinkSync(join(base, 'elsewhere'), join(root, path))
  await expect(fileSystemBlobs({ root })).rejects.toThrow(`${join(root, path)} is a symbolic link`)
  expect(readdirSync(join(base, 'elsewhere'))).toEqual([])
})

it.each(['uploads', 'blobs'])('refuses when %s is a file', async (path) => {
  mkdirSync(root)
  writeFileSync(join(root, path), '')
  await expect(fileSystemBlobs({ root })).rejects.toThrow('is not a directory')
})

it('refuses a link in the place of a blob', async () => {
  await using store = await fileSystemBlobs({ root })
  const key = await (await store.openUpload(randomUUID())).commit(sha256Of(''))
  const path = join(root, 'blobs', key)
  writeFileSync(join(base, 'secret'), 'secret')
  rmSync(path)
  symlinkSync(join(base, 'secret'), path)
  await expect(store.read(key, 0, 6)).rejects.toThrow('ELOOP')
})

it('lists only uploads, whatever else is beside them', async () => {
  await using store = await fileSystemBlobs({ root })
  writeFileSync(join(root, 'uploads', 'notes.txt'), '')
  mkdirSync(join(root, 'uploads', randomUUID()))
  symlinkSync(base, join(root, 'uploads', randomUUID()))
  expect(await Array.fromAsync(store.listUploads())).toEqual([])
  await expect(store.openUpload('../blobs/x')).rejects.toThrow('UUID')
  await expect(store.discardUpload('..')).rejects.toThrow('UUID')
})

it('leaves nothing of a check behind', async () => {
  await using store = await fileSystemBlobs({ root })
  await Promise.all([store.check(), store.check()])
  expect(readdirSync(join(root, 'uploads'))).toEqual([])
})

it('refuses options that mean nothing', async () => {
  await expect(fileSystemBlobs({ root: '' })).rejects.toThrow('root must')
  await expect(fileSystemBlobs({ root, openFiles: 0 })).rejects.toThrow('openFiles must')
  await expect(fileSystemBlobs({ root, keepFree: -1 })).rejects.toThrow('keepFree must')
})
