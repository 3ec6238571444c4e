import { doors, type OpenDoor, sample } from '@stowage/testkit'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { memoryBlobs } from '../blobs/memory/memory-blobs.ts'
import { MetadataError } from '../metadata/metadata-error.ts'
import type { MetadataStore } from '../metadata/metadata-store.ts'
import { sqliteMetadata } from '../metadata/sqlite/sqlite-metadata.ts'
import type { RegistryOptions } from '../options.ts'
import type { GarbageReport } from '../upkeep/upkeep.ts'

/* A client that asks by HEAD what is there, and does not send it: what it was told must still be so when its manifest comes. */

const minute = 60_000
const hour = 60 * minute

let now: number
let metadata: MetadataStore
let door: OpenDoor

/** A registry over the same stores, which outlive it. */
const open = async (options: Partial<RegistryOptions> = {}, upkeep: Partial<MetadataStore['upkeep']> = {}) => {
  const [fetchDoor] = doors
  if (fetchDoor === undefined) throw new Error('There is no door.')
  const lasting = { ...metadata, upkeep: { ...metadata.upkeep, ...upkeep }, [Symbol.asyncDispose]: async () => {} }
  door = await fetchDoor.open({ storage: { metadata: lasting, blobs }, now: () => now, ...options })
}

const reopen: typeof open = async (...options) => {
  await door[Symbol.asyncDispose]()
  await open(...options)
}

const blobs = { ...memoryBlobs(), [Symbol.asyncDispose]: async () => {} }

beforeEach(async () => {
  now = 1_700_000_000_000
  metadata = await sqliteMetadata({ path: ':memory:' })
  await open()
})
afterEach(async () => {
  await door[Symbol.asyncDispose]()
  await metadata[Symbol.asyncDispose]()
})

const gc = async (): Promise<GarbageReport> => door.registry.upkeep.collectGarbage({ trustClock: true })

const pushBlob = async (text: string, repository = 'a') =>
  sample.pushBlob(door, repository, new TextEncoder().encode(text))

const head = async (path: string, headers: Record<string, string> = {}): Promise<number> =>
  (await door.send('HEAD', `/v2/${path}`, { headers })).status

const get = async (path: string): Promise<number> => (await door.send('GET', `/v2/${path}`)).status

it('keeps for the grace period what a HEAD found, in each repository for itself', async () => {
  const digest = await pushBlob('one')
  await pushBlob('one', 'b')
  now += 23 * hour
  expect(await head(`a/blobs/${digest}`)).toBe(200)
  now += 23 * hour
  // What caches ask with is a question like any other.
  expect(await head(`a/blobs/${digest}`, { 'if-none-match': `"${digest}"` })).toBe(304)
  now += 23 * hour
  expect(await get(`a/blobs/${digest}`)).toBe(200)
  expect(await gc()).toMatchObject({ links: 1, blobs: 0 })
  expect(await head(`b/blobs/${digest}`)).toBe(404)
  now += hour + 1
  // A pull is no push.
  expect(await gc()).toMatchObject({ links: 1, blobs: 1 })
})

it('writes at most once in ten minutes for those who ask again and again', async () => {
  const digest = await pushBlob('one')
  const since = async () => (await metadata.findBlob('a', digest))?.unusedSince
  const begun = now
  now += 10 * minute - 1
  await head(`a/blobs/${digest}`)
  expect(await since()).toBe(begun)
  now += 1
  await head(`a/blobs/${digest}`)
  expect(await since()).toBe(now)
  // A shorter grace leaves less time for that.
  await reopen({ upkeep: { garbage: { grace: 60 } } })
  now += 15_000
  await head(`a/blobs/${digest}`)
  expect(await since()).toBe(now)
})

it('keeps a manifest without a tag that a HEAD found, as one that comes', async () => {
  const image = sample.image('untagged')
  await sample.pushImage(door, 'a', image.digest, image)
  const since = async () => (await metadata.findManifest('a', { digest: image.digest }))?.untaggedSince
  now += 10 * minute
  expect(await get(`a/manifests/${image.digest}`)).toBe(200)
  expect(await since()).toBe(now - 10 * minute)
  expect(await head(`a/manifests/${image.digest}`)).toBe(200)
  expect(await since()).toBe(now)
  await sample.pushImage(door, 'a', 'latest', image)
  now += hour
  expect(await head(`a/manifests/latest`)).toBe(200)
  expect(await since()).toBeNull()
})

it('answers a HEAD although nothing can be written', async () => {
  const digest = await pushBlob('one')
  const image = sample.image('untagged')
  await sample.pushImage(door, 'a', image.digest, image)
  now += hour
  for (const failure of [
    new MetadataError('STORAGE_FULL', 'full'),
    new Error('attempt to write a readonly database'),
  ]) {
    const fail = async () => Promise.reject(failure)
    await reopen({}, { touchBlob: fail, touchManifest: fail })
    expect(await head(`a/blobs/${digest}`)).toBe(200)
    expect(await head(`a/manifests/${image.digest}`)).toBe(200)
  }
})

it('does not say of a blob that it is there when it went the moment before', async () => {
  const digest = await pushBlob('one')
  now += hour
  const { upkeep } = metadata
  await reopen(
    {},
    {
      touchBlob: async (repository, ...rest) => {
        await upkeep.collectBlobs({ repository, digests: [digest], unusedBefore: now, at: now })
        await upkeep.touchBlob(repository, ...rest)
      },
    },
  )
  expect(await head(`a/blobs/${digest}`)).toBe(404)
})
