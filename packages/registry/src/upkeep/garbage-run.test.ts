import { afterEach, beforeEach, expect, it } from 'vitest'
import { digestOf } from '../content/digester.ts'
import { MetadataError } from '../metadata/metadata-error.ts'
import type { MetadataStore } from '../metadata/metadata-store.ts'
import { day, type GarbageStore, grantOn, minute, nothing, openGarbageStore } from '../testing/garbage-store.ts'

let store: GarbageStore

beforeEach(async () => {
  store = await openGarbageStore()
})
afterEach(() => store[Symbol.asyncDispose]())

it('does what its dry run says, which changes nothing', async () => {
  const shared = await store.push('a', 'shared by all, unused by all')
  await store.mount('b', shared)
  await store.mount('c', shared)
  const used = await store.push('a', 'shared, and used in one')
  await store.mount('b', used)
  await store.metadata.putManifest(
    {
      repository: 'b',
      digest: digestOf(Buffer.from('{}'), 'sha256'),
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      bytes: Buffer.from('{}'),
      tags: [],
      references: [{ digest: used, role: 'layer' }],
      requiredBlobs: [used],
      requiredManifests: [],
      facts: { kind: 'image', contentSize: 0, platforms: [], annotations: {} },
      at: store.now,
    },
    grantOn('b'),
  )
  // More links than go in one step, and than are named. Whether they have bytes is the same to everybody here.
  await Promise.all(
    Array.from({ length: 600 }, async (_, number) => {
      const digest = digestOf(Buffer.from(`many ${number}`), 'sha256')
      const finish = { repository: 'a', digest, size: 10, key: `no file ${number}`, at: store.now }
      await store.metadata.finishUpload(finish, grantOn('a'))
      await store.mount(`b/${number % 10}`, digest)
    }),
  )
  await store.orphan('nobody has this')
  const gone = await store.push('a', 'gone, and its bytes are due')
  await store.metadata.unlinkBlob({ repository: 'a', digest: gone, at: store.now, evenIfUsed: true }, grantOn('a'))
  store.pass(2 * day)
  const young = await store.push('c', 'young')
  await store.mount('b', young)
  store.now += 1

  const before = { status: await store.metadata.statistics(), keys: await store.keys() }
  const dry = await store.collection()({ dryRun: true, trustClock: true })
  expect(dry).toMatchObject({ dryRun: true, links: 3 + 1 + 1200, blobs: 601, orphans: 1, orphanBytes: 15 })
  expect(dry.bytes).toBe(600 * 10 + 'shared by all, unused by all'.length)
  expect(dry.sample).toHaveLength(1000)
  expect({ status: await store.metadata.statistics(), keys: await store.keys() }).toEqual(before)
  expect(await store.metadata.upkeep.readState('garbage')).toBeUndefined()

  const real = await store.collection()({ trustClock: true })
  expect(real).toEqual({ ...dry, dryRun: false, sample: expect.any(Array) })
  expect(real.sample).toHaveLength(1000)
  expect((await store.metadata.statistics()).blobs).toBe(before.status.blobs - 601)
  expect(await store.metadata.findBlob('b', used)).toBeDefined()
  expect(await store.metadata.findBlob('c', young)).toBeDefined()
  store.pass(2 * minute)
  expect(await store.collection()({ trustClock: true })).toMatchObject(nothing)
  expect(await store.keys()).toHaveLength(2)
})

it('ends early when it is to, with what it did, and the next one does the rest', async () => {
  await Promise.all(Array.from({ length: 250 }, async (_, number) => store.push('a', `${number}`)))
  store.pass(2 * day)
  const stop = new AbortController()
  const collectBlobs: MetadataStore['upkeep']['collectBlobs'] = async (target) => {
    const collected = await store.metadata.upkeep.collectBlobs(target)
    stop.abort()
    return collected
  }
  const collect = store.collection({ metadata: store.withUpkeep({ collectBlobs }) })
  const cut = await collect({ trustClock: true, signal: stop.signal })
  expect(cut).toMatchObject({ links: 100, blobs: 100, incomplete: true })
  expect(cut.sample).toHaveLength(100)
  expect(await store.collection()({ trustClock: true })).toMatchObject({ links: 150, incomplete: false })
})

it('leaves what was asked for between the look and the decision', async () => {
  const [one, two] = [await store.push('a', 'one'), await store.push('a', 'two')]
  store.pass(2 * day)
  const collectBlobs: MetadataStore['upkeep']['collectBlobs'] = async (target) => {
    await store.metadata.upkeep.touchBlob('a', one, store.now)
    return store.metadata.upkeep.collectBlobs(target)
  }
  const collect = store.collection({ metadata: store.withUpkeep({ collectBlobs }) })
  expect(await collect({ trustClock: true })).toMatchObject({
    links: 1,
    sample: [{ repository: 'a', digest: two, size: 3 }],
    incomplete: false,
  })
})

it('leaves a repository that is too busy to the next run, and does the others', async () => {
  for (const repository of ['a', 'b', 'c']) await store.push(repository, repository)
  store.pass(2 * day)
  let busy = true
  const collectBlobs: MetadataStore['upkeep']['collectBlobs'] = async (target) => {
    if (busy && target.repository === 'b') throw new MetadataError('OVERLOADED', 'busy')
    return store.metadata.upkeep.collectBlobs(target)
  }
  const collect = store.collection({ metadata: store.withUpkeep({ collectBlobs }) })
  expect(await collect({ trustClock: true })).toMatchObject({ links: 2, incomplete: true })
  busy = false
  expect(await collect({ trustClock: true })).toMatchObject({ links: 1, incomplete: false })
})

it('makes what room it can on a full disk: bytes that are due, and files without a row', async () => {
  const digest = await store.push('a', 'gone')
  await store.metadata.unlinkBlob({ repository: 'a', digest, at: store.now, evenIfUsed: true }, grantOn('a'))
  await store.push('a', 'unused')
  await store.orphan('nobody has this')
  store.pass(2 * day)
  const full = async () => Promise.reject(new MetadataError('STORAGE_FULL', 'full'))
  const collect = store.collection({ metadata: store.withUpkeep({ collectBlobs: full, writeState: full }) })
  expect(await collect({ trustClock: true })).toMatchObject({ links: 0, orphans: 1, incomplete: true })
  expect(await store.keys()).toHaveLength(1)
})

it('fails when its database does, and says so, after it deleted the bytes that are due', async () => {
  const digest = await store.push('a', 'gone')
  await store.metadata.unlinkBlob({ repository: 'a', digest, at: store.now, evenIfUsed: true }, grantOn('a'))
  await store.push('a', 'one')
  store.pass(2 * day)
  const fail = async () => Promise.reject(new Error('broken'))
  const collect = store.collection({ metadata: store.withUpkeep({ collectBlobs: fail }) })
  await expect(collect({ trustClock: true })).rejects.toThrow('broken')
  expect(await store.keys()).toHaveLength(1)
})
