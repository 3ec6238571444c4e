import { randomUUID } from 'node:crypto'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { BlobStore } from '../blobs/blob-store.ts'
import type { MetadataStore } from '../metadata/metadata-store.ts'
import { day, type GarbageStore, grantOn, hour, minute, nothing, openGarbageStore } from '../testing/garbage-store.ts'

let store: GarbageStore

beforeEach(async () => {
  store = await openGarbageStore()
})
afterEach(() => store[Symbol.asyncDispose]())

it('files without a row go when they are as old as the grace and an hour', async () => {
  const kept = await store.push('a', 'kept')
  await store.metadata.upkeep.touchBlob('a', kept, store.now + 2 * day)
  const key = await store.orphan('nobody has this')
  store.now += 30 * minute
  expect(await store.collection()({ trustClock: true, grace: 0 })).toMatchObject({ orphans: 0 })
  store.now += hour
  expect(await store.collection()({ trustClock: true, dryRun: true })).toMatchObject({ orphans: 0 })
  expect(await store.collection()({ trustClock: true, grace: 0 })).toMatchObject({ orphans: 1, orphanBytes: 15 })
  expect(await store.keys()).toEqual([(await store.metadata.findBlob('a', kept))?.key])
  expect(await store.blobs.read(key, 0, 1)).toBeUndefined()
})

it('files without a row go at once where nobody else has the store', async () => {
  await store.push('a', 'kept')
  await store.orphan('nobody has this')
  store.now += hour - 1
  expect(await store.collection()({ trustClock: true, exclusive: true })).toMatchObject({ orphans: 1, links: 0 })
  expect(await store.keys()).toHaveLength(1)
})

it('files that wait to be deleted, that are being uploaded, or that are not ours stay', async () => {
  const digest = await store.push('a', 'superseded')
  await store.metadata.unlinkBlob({ repository: 'a', digest, at: store.now + 2 * day, evenIfUsed: true }, grantOn('a'))
  const upload = await store.blobs.openUpload(randomUUID())
  await upload.write([Buffer.from('half')])
  await upload.close()
  mkdirSync(join(store.directory, 'blobs', 'notes'))
  writeFileSync(join(store.directory, 'blobs', 'sha256', 'ab', 'notes.txt'), 'mine')
  store.now += 2 * day
  expect(await store.collection()({ trustClock: true, exclusive: true })).toMatchObject(nothing)
  expect(await store.keys()).toHaveLength(1)
  expect(readdirSync(join(store.directory, 'uploads'))).toHaveLength(1)
  expect(readdirSync(join(store.directory, 'blobs', 'sha256', 'ab'))).toContain('notes.txt')
})

it('the file of a push between its bytes and its row stay', async () => {
  const stored = Promise.withResolvers<void>()
  const goOn = Promise.withResolvers<void>()
  const slow: MetadataStore = {
    ...store.metadata,
    finishUpload: async (...args) => {
      stored.resolve()
      await goOn.promise
      return store.metadata.finishUpload(...args)
    },
  }
  const pushed = store.push('a', 'on its way', slow)
  await stored.promise
  store.now += 59 * minute
  expect(await store.collection()({ trustClock: true, grace: 0 })).toMatchObject({ orphans: 0 })
  goOn.resolve()
  const row = await store.metadata.findBlob('a', await pushed)
  expect(await store.blobs.read(row?.key ?? '', 0, 10)).toEqual(Buffer.from('on its way'))
})

it('files are looked through once a day by the schedule, and each time when somebody asks', async () => {
  const collect = store.collection()
  const orphans = async (routine: boolean) => {
    await store.orphan(randomUUID())
    return (await collect({ trustClock: true, exclusive: true, routine })).orphans
  }
  store.now += hour
  expect(await orphans(true)).toBe(1)
  store.now += hour
  expect(await orphans(true)).toBe(0)
  expect(await orphans(false)).toBe(2)
  store.now += day
  expect(await orphans(true)).toBe(1)
})

it('files that cannot be deleted keep no others, and are tried again', async () => {
  const [bad] = [await store.orphan('one'), await store.orphan('two'), await store.orphan('three')]
  store.now += hour
  let failing = true
  const remove: BlobStore['delete'] = async (key) => {
    if (failing && key === bad) throw Object.assign(new Error('EIO: i/o error, unlink'), { code: 'EIO' })
    await store.blobs.delete(key)
  }
  const collect = store.collection({ blobs: { ...store.blobs, delete: remove } })
  expect(await collect({ trustClock: true, exclusive: true })).toMatchObject({ orphans: 2, incomplete: true })
  failing = false
  expect(await collect({ trustClock: true, exclusive: true })).toMatchObject({ orphans: 1, incomplete: false })
})
