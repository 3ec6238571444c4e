import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Digest } from '@stowage/oci'
import { sample } from '@stowage/testkit'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Quota } from '../access/grant.ts'
import type { BlobStore } from '../blobs/blob-store.ts'
import { fileSystemBlobs } from '../blobs/file-system/file-system-blobs.ts'
import { RegistryError } from '../errors.ts'
import type { MetadataStore } from '../metadata/metadata-store.ts'
import { sqliteMetadata } from '../metadata/sqlite/sqlite-metadata.ts'
import { createBlobs } from './blobs.ts'
import { digestOf } from './digester.ts'
import { createManifests } from './manifests.ts'
import { type Body, createUploads, type RepositoryGrant, type Uploads } from './uploads.ts'

const sha256 = (content: string): Digest => digestOf(Buffer.from(content), 'sha256')
const of = (glob: string, bytes: number): Quota => ({ kind: 'repositories', glob, bytes })
const by = (actor: string, bytes: number): Quota => ({ kind: 'actor', actor, bytes })

/** A push by ann to `a/b` within these limits. */
const within = (...quotas: Quota[]): RepositoryGrant => ({
  actor: 'ann',
  action: 'push',
  repository: 'a/b',
  overwriteTags: true,
  quotas,
})

const free = within()

/** What went wrong, for a client. */
const failure = async (promise: Promise<unknown>): Promise<Pick<RegistryError, 'fault' | 'detail' | 'hints'>> => {
  try {
    await promise
  } catch (error) {
    if (error instanceof RegistryError) return { fault: error.fault, detail: error.detail, hints: error.hints }
    throw error
  }
  throw new Error('Nothing went wrong.')
}

const exceeded = (limit: number, used: number) => ({ fault: 'quota-exceeded', detail: { limit, used }, hints: {} })

describe('quotas', () => {
  let directory: string
  let metadata: MetadataStore
  let blobs: BlobStore
  let uploads: Uploads
  let taken: number

  const open = (maxOpen?: { ofActor: number; ofAll: number }): Uploads =>
    createUploads({
      metadata,
      blobs,
      expireAfter: 600_000,
      maxBlobSize: 1_000_000,
      now: Date.now,
      ...(maxOpen !== undefined && { maxOpen }),
    })

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'stowage-quotas-'))
    metadata = await sqliteMetadata({ path: ':memory:' })
    blobs = await fileSystemBlobs({ root: directory })
    uploads = open()
    taken = 0
  })
  afterEach(async () => {
    await uploads[Symbol.asyncDispose]()
    await blobs[Symbol.asyncDispose]()
    await metadata[Symbol.asyncDispose]()
    await rm(directory, { recursive: true })
  })

  /** A body of these pieces; `taken` counts what was asked of it. */
  const body = (pieces: readonly string[], more: Partial<Body> = {}): Body => ({
    length: undefined,
    owned: false,
    range: undefined,
    signal: new AbortController().signal,
    async *chunks() {
      for (const piece of pieces) {
        taken += piece.length
        yield Buffer.from(piece)
      }
    },
    ...more,
  })
  const text = (content: string): Body => body([content], { length: content.length })
  const endless = (): Body => body(Array.from({ length: 10_000 }, () => 'x'.repeat(1000)))

  const whole = async (content: string, grant = free): Promise<void> =>
    uploads.receiveWhole(grant, sha256(content), text(content))

  /** Files of blobs and of uploads, and rows of uploads. */
  const kept = async (): Promise<{ blobs: number; uploads: number; rows: number }> => ({
    blobs: (await readdir(join(directory, 'blobs'), { recursive: true })).filter((name) => name.includes('.')).length,
    uploads: (await Array.fromAsync(blobs.listUploads())).length,
    rows: (await metadata.statistics()).uploads,
  })
  const nothing = { blobs: 0, uploads: 0, rows: 0 }

  it('are looked at when an upload begins', async () => {
    await whole('12345')
    expect(await failure(uploads.start(within(of('a/*', 5)), 'sha256'))).toEqual(exceeded(5, 5))
    expect(await failure(uploads.start(within(by('ann', 4)), 'sha256'))).toEqual(exceeded(4, 5))
    expect(await kept()).toEqual({ blobs: 1, uploads: 0, rows: 0 })
    // The tightest decides.
    expect(await failure(uploads.start(within(of('*', 100), by('ann', 3), of('a/*', 4)), 'sha256'))).toEqual(
      exceeded(3, 5),
    )
    await uploads.start(within(of('a/*', 6), by('ann', 6)), 'sha256')
    expect((await kept()).rows).toBe(1)
  })

  it('refuse what announces to be too much, before a byte of it comes', async () => {
    const grant = within(of('*', 10))
    expect(await failure(uploads.receiveWhole(grant, sha256('12345678901'), text('12345678901')))).toEqual(
      exceeded(10, 0),
    )
    expect(taken).toBe(0)
    const { id } = await uploads.start(grant, 'sha256')
    await uploads.append(grant, id, text('123456'))
    taken = 0
    expect(await failure(uploads.append(grant, id, text('12345')))).toEqual(exceeded(10, 0))
    const ranged = await uploads.start(grant, 'sha256')
    const chunk = body(['12345678901'], { range: { first: 0, last: 10 } })
    expect(await failure(uploads.append(grant, ranged.id, chunk))).toEqual(exceeded(10, 0))
    expect(taken).toBe(0)
    expect(await kept()).toEqual(nothing)
    expect(await failure(uploads.status(grant, id))).toMatchObject({ fault: 'upload-unknown' })
  })

  it('stop a stream that does not say how long it is as soon as it goes beyond', async () => {
    await whole('12345')
    const grant = within(of('*', 1_000_000), by('ann', 2505))
    const { id } = await uploads.start(grant, 'sha256')
    expect(await failure(uploads.append(grant, id, endless()))).toEqual(exceeded(2505, 5))
    expect(taken).toBeLessThan(5000)
    taken = 0
    expect(await failure(uploads.receiveWhole(grant, sha256('x'), endless()))).toEqual(exceeded(2505, 5))
    expect(taken).toBeLessThan(5000)
    const closing = await uploads.start(grant, 'sha256')
    await uploads.append(grant, closing.id, text('kept until then'))
    taken = 0
    expect(await failure(uploads.finish(grant, closing.id, sha256('x'), endless()))).toEqual(exceeded(2505, 5))
    expect(taken).toBeLessThan(5000)
    expect(await kept()).toEqual({ blobs: 1, uploads: 0, rows: 0 })
  })

  it('admit what fits to the byte', async () => {
    const grant = within(of('*', 10))
    const { id } = await uploads.start(grant, 'sha256')
    await uploads.append(grant, id, body(['1234', '5678']))
    await uploads.finish(grant, id, sha256('1234567890'), text('90'))
    expect(await metadata.usage(of('*', 0))).toBe(10)
    expect(await kept()).toEqual({ blobs: 1, uploads: 0, rows: 0 })
  })

  it('are decided when the blob is linked: of several that fit alone, as many stay as fit together', async () => {
    const grant = within(of('*', 25))
    const contents = Array.from({ length: 5 }, (_, number) => `${number}`.repeat(10))
    const finishing = await Promise.all(
      contents.map(async (content) => {
        const { id } = await uploads.start(grant, 'sha256')
        await uploads.append(grant, id, text(content))
        return async () => uploads.finish(grant, id, sha256(content), undefined)
      }),
    )
    const results = await Promise.allSettled(finishing.map((finish) => finish()))
    const reasons = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as RegistryError] : []))
    expect(reasons.map(({ fault }) => fault)).toEqual(['quota-exceeded', 'quota-exceeded', 'quota-exceeded'])
    expect(await kept()).toEqual({ blobs: 2, uploads: 0, rows: 0 })
    const wholes = await Promise.allSettled(['a', 'b'].map((letter) => whole(letter.repeat(5), grant)))
    expect(wholes.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
    expect(await kept()).toEqual({ blobs: 3, uploads: 0, rows: 0 })
  })

  it('do not stop a blob that the repository has already', async () => {
    await whole('12345')
    await whole('12345', within(of('*', 1), by('ann', 1)))
    expect(await metadata.usage(of('*', 0))).toBe(5)
    expect(await failure(whole('1234', within(of('*', 1))))).toEqual(exceeded(1, 5))
  })

  it('hold for mounts and manifests', async () => {
    const image = sample.image('limited')
    for (const { bytes } of [image.config, image.layer]) {
      await uploads.receiveWhole(free, sample.sha256(bytes), body([Buffer.from(bytes).toString()]))
    }
    const used = image.config.bytes.byteLength + image.layer.bytes.byteLength
    const service = createBlobs({ metadata, blobs, removeUsed: false, now: Date.now, onMissingBytes: () => {} })
    const mounting = { ...within(by('ann', used)), repository: 'c' }
    expect(await failure(service.mount(mounting, image.layer.digest, { from: 'a/b' }))).toEqual(exceeded(used, used))
    expect(await service.mount(mounting, sha256('nothing'), { from: 'a/b' })).toBe(false)
    const manifests = createManifests({
      metadata,
      blobs,
      allowMissingBlobs: false,
      allowMissingManifests: true,
      cacheSize: 1_000_000,
      now: Date.now,
    })
    const put = async (grant: RepositoryGrant) =>
      manifests.put(grant, { bytes: image.manifest, contentType: image.mediaType, digest: undefined, tags: ['v1'] })
    expect(await failure(put(within(of('a/b', used))))).toEqual(exceeded(used, used))
    expect(await put(within(of('a/b', used + image.manifest.byteLength)))).toMatchObject({ digest: image.digest })
  })

  it('of unfinished uploads say when to come again, and keep nothing of those they refuse', async () => {
    uploads = open({ ofActor: 2, ofAll: 3 })
    const bob = { ...free, actor: 'bob' }
    const ids = [await uploads.start(free, 'sha256'), await uploads.start(free, 'sha256')].map(({ id }) => id)
    const refused = { fault: 'too-many-requests', detail: undefined, hints: { retryAfter: 30 } }
    expect(await failure(uploads.start(free, 'sha256'))).toEqual(refused)
    await uploads.start(bob, 'sha256')
    expect(await failure(uploads.start(bob, 'sha256'))).toEqual(refused)
    expect(await kept()).toEqual({ ...nothing, rows: 3 })
    // Whole blobs, and uploads that are there, go on.
    await whole('12345')
    await uploads.append(free, ids[0] ?? '', text('12'))
    await uploads.cancel(free, ids[1] ?? '')
    await uploads.start(bob, 'sha256')
  })
  it('of unfinished uploads give those without a name together what all have', async () => {
    uploads = open({ ofActor: 1, ofAll: 3 })
    const nobody = { ...free, actor: 'anonymous' }
    for (let count = 0; count < 3; count++) await uploads.start(nobody, 'sha256')
    expect(await failure(uploads.start(nobody, 'sha256'))).toMatchObject({ fault: 'too-many-requests' })
  })
})
