import { mkdtempSync, rmSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { doors, type OpenDoor, sample } from '@stowage/testkit'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { fileSystemBlobs } from '../blobs/file-system/file-system-blobs.ts'
import { memoryBlobs } from '../blobs/memory/memory-blobs.ts'
import type { MetadataStore, RegistryEvent } from '../metadata/metadata-store.ts'
import { sqliteMetadata } from '../metadata/sqlite/sqlite-metadata.ts'
import type { RegistryOptions } from '../options.ts'
import type { GarbageRun } from './upkeep.ts'

/* What a client sees of garbage collection: a whole registry over a real database and real files. */

const minute = 60_000
const hour = 60 * minute
const day = 24 * hour

let directory: string
let metadata: MetadataStore
let now: number
let door: OpenDoor
let events: RegistryEvent[]

const open = async (options: Partial<RegistryOptions> = {}): Promise<void> => {
  metadata = await sqliteMetadata({ path: join(directory, 'registry.db') })
  const storage = { metadata, blobs: await fileSystemBlobs({ root: directory }) }
  const hooks = { receivers: { one: async (event: RegistryEvent) => void events.push(event) } }
  const [fetchDoor] = doors
  if (fetchDoor === undefined) throw new Error('There is no door.')
  door = await fetchDoor.open({ storage, now: () => now, hooks, ...options })
}

const reopen: typeof open = async (options) => {
  await door[Symbol.asyncDispose]()
  await open(options)
}

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'stowage-garbage-'))
  now = Date.now()
  events = []
  await open()
})
afterEach(async () => {
  await door[Symbol.asyncDispose]()
  rmSync(directory, { recursive: true })
})

const gc = async (run: GarbageRun = {}) => door.registry.upkeep.collectGarbage({ trustClock: true, ...run })

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)

const pushBlob = async (text: string, repository = 'a') => sample.pushBlob(door, repository, bytesOf(text))

const head = async (path: string): Promise<number> => (await door.send('HEAD', `/v2/${path}`)).status

const get = async (path: string): Promise<number> => (await door.send('GET', `/v2/${path}`)).status

const files = async (): Promise<string[]> =>
  (await readdir(join(directory, 'blobs'), { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map(({ name }) => name.slice(0, 12))

const putManifest = async (
  repository: string,
  reference: string,
  { manifest, mediaType }: ReturnType<typeof sample.image>,
) =>
  door.send('PUT', `/v2/${repository}/manifests/${reference}`, {
    body: manifest,
    headers: { 'content-type': mediaType },
  })

/** For what happens soon, on a machine that has other things to do. */
const patient = { timeout: 10_000 }

const nothing = { links: 0, blobs: 0, bytes: 0, orphans: 0, orphanBytes: 0, incomplete: false }

it('takes a blob that nothing used for the grace period, and its bytes a minute later', async () => {
  const digest = await pushBlob('one')
  now += day
  expect(await gc()).toEqual({ dryRun: false, ...nothing, sample: [] })
  now += 1
  expect(await gc()).toEqual({
    ...nothing,
    dryRun: false,
    links: 1,
    blobs: 1,
    bytes: 3,
    sample: [{ repository: 'a', digest, size: 3 }],
  })
  expect(await head(`a/blobs/${digest}`)).toBe(404)
  // For a reader that looked the blob up just before.
  expect(await files()).toHaveLength(1)
  now += minute + 1
  expect(await gc()).toMatchObject(nothing)
  expect(await files()).toEqual([])
  expect(await door.registry.status()).toMatchObject({ blobs: 0, blobBytes: 0 })
})

it('leaves what a manifest uses, and counts from its deletion on', async () => {
  const image = sample.image('used')
  await sample.pushImage(door, 'a', 'latest', image)
  now += 30 * day
  expect(await gc()).toMatchObject(nothing)
  expect((await door.send('DELETE', `/v2/a/manifests/${image.digest}`)).status).toBe(202)
  now += day
  expect(await gc()).toMatchObject(nothing)
  now += 1
  expect(await gc()).toMatchObject({ links: 2, blobs: 2 })
})

it('says in events and counters what went', async () => {
  const [one, two] = [await pushBlob('one'), await pushBlob('two!')]
  await putManifest('a', 'kept', sample.image('nothing here'))
  const before = await metadata.usage({ kind: 'repositories', glob: 'a', bytes: 0 })
  now += 2 * day
  await gc()
  expect(await metadata.usage({ kind: 'repositories', glob: 'a', bytes: 0 })).toBe(before - 7)
  await expect.poll(() => events.filter(({ type }) => type === 'blob.deleted'), patient).toHaveLength(2)
  for (const digest of [one, two]) {
    expect(events).toContainEqual(
      expect.objectContaining({
        type: 'blob.deleted',
        repository: 'a',
        digest,
        at: now,
        actor: 'stowage:garbage-collection',
      }),
    )
  }
})

it('keeps what was mounted, where it was mounted', async () => {
  const digest = await pushBlob('one')
  now += 2 * day
  const mounted = await door.send('POST', `/v2/b/blobs/uploads/?mount=${digest}&from=a`)
  expect(mounted.status).toBe(201)
  expect(await gc()).toMatchObject({ links: 1, blobs: 0 })
  expect(await head(`a/blobs/${digest}`)).toBe(404)
  expect(await get(`b/blobs/${digest}`)).toBe(200)
  now += 20 * hour
  // A mount of what is there begins its time again.
  await pushBlob('one', 'a')
  expect((await door.send('POST', `/v2/b/blobs/uploads/?mount=${digest}&from=a`)).status).toBe(201)
  now += 20 * hour
  expect(await gc()).toMatchObject(nothing)
  expect(await get(`b/blobs/${digest}`)).toBe(200)
})

it('refuses a manifest whose blobs have just gone, and takes it when they are pushed again', async () => {
  const image = sample.image('late')
  await sample.pushBlob(door, 'a', image.config.bytes)
  await sample.pushBlob(door, 'a', image.layer.bytes)
  now += 2 * day
  expect(await gc()).toMatchObject({ links: 2 })
  const refused = await putManifest('a', 'latest', image)
  expect([refused.status, refused.text()]).toEqual([400, expect.stringContaining('MANIFEST_BLOB_UNKNOWN')])
  await sample.pushImage(door, 'a', 'latest', image)
  expect(await get(`a/blobs/${image.layer.digest}`)).toBe(200)
})

it('leaves the blobs of a manifest that came in time', async () => {
  const image = sample.image('in time')
  await sample.pushBlob(door, 'a', image.config.bytes)
  await sample.pushBlob(door, 'a', image.layer.bytes)
  now += 2 * day
  expect((await putManifest('a', 'latest', image)).status).toBe(201)
  expect(await gc()).toMatchObject(nothing)
  expect(await get(`a/blobs/${image.layer.digest}`)).toBe(200)
})

it('never breaks an image that is pushed while it runs without any grace', async () => {
  let refused = 0
  const push = async (number: number): Promise<void> => {
    const image = sample.image(`shared ${number % 5}`, { annotations: { number: String(number) } })
    const repository = `team/${number % 3}`
    for (;;) {
      for (const { bytes, digest } of [image.config, image.layer]) {
        if ((await head(`${repository}/blobs/${digest}`)) !== 200) await sample.pushBlob(door, repository, bytes)
      }
      await sleep(number % 7)
      const answer = await putManifest(repository, `t${number}`, image)
      if (answer.status === 201) break
      expect(answer.text()).toContain('MANIFEST_BLOB_UNKNOWN')
      refused += 1
    }
    for (const { digest } of [image.config, image.layer]) expect(await get(`${repository}/blobs/${digest}`)).toBe(200)
    const deleted = await door.send('DELETE', `/v2/${repository}/manifests/${image.digest}`)
    expect(deleted.status).toBe(202)
  }
  // Whoever looks at the clock finds it later than the one before.
  const storage = { metadata: await sqliteMetadata({ path: ':memory:' }), blobs: memoryBlobs() }
  await reopen({ now: () => ++now, storage })
  const pushed = new AbortController()
  const collecting = (async () => {
    while (!pushed.signal.aborted) await gc({ grace: 0 })
  })()
  try {
    for (let round = 0; round < 20; round += 1) {
      await Promise.all(Array.from({ length: 12 }, async (_, number) => push(12 * round + number)))
    }
  } finally {
    pushed.abort()
    await collecting
  }
  // They have met.
  expect(refused).toBeGreaterThan(0)
})

it('changes nothing while the registry is read-only, and says so', async () => {
  const digest = await pushBlob('one')
  now += 2 * day
  await reopen({ policies: { readOnly: true } })
  expect(await gc()).toMatchObject({ ...nothing, withheld: { reason: 'read-only' } })
  expect(await gc({ dryRun: true })).toMatchObject({ links: 1, blobs: 1, bytes: 3 })
  expect(await get(`a/blobs/${digest}`)).toBe(200)
})

it('is withheld in a new store, until somebody says that the clock is right', async () => {
  const digest = await pushBlob('one')
  now += 2 * day
  await reopen()
  expect(await gc({ trustClock: false })).toMatchObject({ ...nothing, withheld: { reason: 'clock' } })
  expect(await get(`a/blobs/${digest}`)).toBe(200)
  expect(await gc({ trustClock: false, dryRun: true })).toMatchObject({ links: 1, withheld: { reason: 'clock' } })
  expect(await gc()).toMatchObject({ links: 1 })
})

it('goes on after a restart where it was: what has to go goes', async () => {
  await pushBlob('one')
  now += 2 * day
  expect(await gc()).toMatchObject({ links: 1, blobs: 1 })
  await pushBlob('two')
  await reopen()
  now += minute + 1
  // The clock goes on from the last run: nobody needs to be told to trust it.
  expect(await gc({ trustClock: false })).toEqual({ dryRun: false, ...nothing, sample: [] })
  expect(await files()).toEqual([sample.sha256(bytesOf('two')).slice(7, 19)])
})

it('runs by itself when it is to', async () => {
  const digest = await pushBlob('one')
  await gc()
  now += 1
  await reopen({ upkeep: { garbage: { every: 0.005, grace: 0 } } })
  await expect.poll(async () => get(`a/blobs/${digest}`), patient).toBe(404)
  // Its receivers are woken: by themselves they would look after half a minute.
  await expect.poll(() => events.map(({ type }) => type), patient).toContain('blob.deleted')
})
