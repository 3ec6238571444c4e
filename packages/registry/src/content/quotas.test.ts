import { once } from 'node:events'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Digest } from '@stowage/oci'
import { sample } from '@stowage/testkit'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
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
  /** Milliseconds by which the clock of uploads is ahead. */
  let later: number

  const open = (maxOpen?: { ofActor: number; ofAll: number }): Uploads =>
    createUploads({
      metadata,
      blobs,
      expireAfter: 600_000,
      maxBlobSize: 1_000_000,
      now: () => Date.now() + later,
      ...(maxOpen !== undefined && { maxOpen }),
    })

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'stowage-quotas-'))
    metadata = await sqliteMetadata({ path: ':memory:' })
    blobs = await fileSystemBlobs({ root: directory })
    uploads = open()
    taken = 0
    later = 0
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

  const aborted = async (promise: Promise<unknown>): Promise<void> =>
    expect(promise).rejects.toMatchObject({ name: 'AbortError' })

  /** A body that goes silent after this, until it is told to end. */
  const stalled = (content: string, client = new AbortController().signal): Body =>
    body([], {
      signal: client,
      async *chunks(signal) {
        taken += content.length
        yield Buffer.from(content)
        await once(signal, 'abort')
        signal.throwIfAborted()
      },
    })

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

  it('do not let endless bytes in under the digest of a blob that is there', async () => {
    await whole('12345')
    const grant = within(of('*', 5))
    const invalid = { fault: 'digest-invalid', detail: { given: sha256('12345') } }
    expect(await failure(uploads.receiveWhole(grant, sha256('12345'), text('123456')))).toMatchObject(invalid)
    expect(taken).toBe(5)
    expect(await failure(uploads.receiveWhole(grant, sha256('12345'), endless()))).toMatchObject(invalid)
    expect(taken).toBeLessThan(3000)
    expect(await failure(uploads.receiveWhole(grant, sha256('12345'), text('1234')))).toMatchObject(invalid)
    expect(await kept()).toEqual({ blobs: 1, uploads: 0, rows: 0 })
  })

  it('are read once for a request, however many pieces it has, and not where there are none', async () => {
    const usage = vi.spyOn(metadata, 'usage')
    const findBlob = vi.spyOn(metadata, 'findBlob')
    const pieces = Array.from({ length: 500 }, () => 'x')
    const { id } = await uploads.start(free, 'sha256')
    await uploads.append(free, id, body(pieces))
    await uploads.finish(free, id, sha256('x'.repeat(500)), undefined)
    await whole('12345')
    expect(usage).not.toHaveBeenCalled()
    expect(findBlob).not.toHaveBeenCalled()
    const grant = within(of('*', 2000), by('ann', 2000))
    const limited = await uploads.start(grant, 'sha256')
    usage.mockClear()
    await uploads.append(grant, limited.id, body(pieces))
    expect(usage).toHaveBeenCalledTimes(2)
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
        // As in processes of their own, which know nothing of each other's unfinished bytes.
        const other = open()
        const { id } = await other.start(grant, 'sha256')
        await other.append(grant, id, text(content))
        return async () => other.finish(grant, id, sha256(content), undefined)
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

  describe('count what is not finished', () => {
    const ann = within(of('*', 1_000_000), of('a/*', 1000))
    const chunk = text('x'.repeat(900))
    const beyond = (unfinished = 900) => ({
      fault: 'quota-exceeded',
      detail: { limit: 1000, used: 0, unfinished },
      hints: {},
    })
    const begin = async (size = 900, service = uploads): Promise<string> => {
      const { id } = await service.start(ann, 'sha256')
      await service.append(ann, id, text('x'.repeat(size)))
      return id
    }

    it('so that uploads which nobody finishes keep no more than there may be', async () => {
      const results = await Promise.allSettled(Array.from({ length: 50 }, () => begin()))
      expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
      expect(await kept()).toEqual({ blobs: 0, uploads: 1, rows: 1 })
      // For whoever pushes under the same limit, and in whatever way.
      expect(await failure(begin())).toEqual(beyond())
      expect(await failure(uploads.receiveWhole({ ...ann, actor: 'bob' }, sha256('x'), chunk))).toEqual(beyond())
      await uploads.receiveWhole({ ...within(of('c', 1000)), repository: 'c' }, sha256('x'.repeat(900)), chunk)
      await uploads.receiveWhole(within(by('ann', 2700)), sha256('y'.repeat(900)), text('y'.repeat(900)))
    })

    it('while it comes', async () => {
      const id = await begin(1)
      const working = aborted(uploads.append(ann, id, stalled('x'.repeat(899))))
      await expect.poll(() => taken).toBe(900)
      const client = new AbortController()
      const part = stalled('x'.repeat(100), client.signal)
      const single = aborted(uploads.receiveWhole({ ...ann, repository: 'a/c' }, sha256('x'), part))
      await expect.poll(() => taken).toBe(1000)
      expect(await failure(uploads.start(ann, 'sha256'))).toEqual(beyond(1000))
      await uploads.cancel(ann, id)
      await working
      expect(await failure(begin(901))).toEqual(beyond(100))
      client.abort()
      await single
      await begin(1000)
    })

    it('and no longer when it is finished, cancelled or refused', async () => {
      await uploads.cancel(ann, await begin())
      const closing = await begin()
      expect(await failure(uploads.finish(ann, closing, sha256('other'), text('x'.repeat(100))))).toMatchObject({
        fault: 'digest-invalid',
      })
      await uploads.receiveWhole(ann, sha256('y'.repeat(100)), text('y'.repeat(100)))
      await uploads.finish(ann, closing, sha256('x'.repeat(900)), undefined)
      expect(await failure(uploads.start(ann, 'sha256'))).toEqual(exceeded(1000, 1000))
      const other = within(of('*', 2000))
      expect(await failure(uploads.receiveWhole(other, sha256('other'), chunk))).toMatchObject({
        fault: 'digest-invalid',
      })
      const { id } = await uploads.start(other, 'sha256')
      expect(await failure(uploads.append(other, id, endless()))).toEqual(exceeded(2000, 1000))
      await uploads.receiveWhole(other, sha256('z'.repeat(1000)), text('z'.repeat(1000)))
    })

    it('once: what is being linked counts as stored, or not yet', async () => {
      const id = await begin(500)
      const finishUpload = metadata.finishUpload.bind(metadata)
      vi.spyOn(metadata, 'finishUpload').mockImplementation(async (...args) => {
        const result = await finishUpload(...args)
        // The rows are there, and whoever brought them does not know it yet.
        await begin(10)
        return result
      })
      await uploads.finish(ann, id, sha256('x'.repeat(500)), undefined)
      await uploads.receiveWhole(ann, sha256('y'.repeat(480)), text('y'.repeat(480)))
      expect(await failure(begin(1))).toEqual({
        ...exceeded(1000, 980),
        detail: { limit: 1000, used: 980, unfinished: 20 },
      })
    })

    it('until it expires, though nobody has it in hand', async () => {
      await begin()
      later = 120_000
      expect(await uploads.sweep()).toBe(0)
      expect(await failure(begin())).toEqual(beyond())
      later = 1_000_000
      expect(await uploads.sweep()).toBe(1)
      expect(await kept()).toEqual(nothing)
      await begin()
    })

    it('from when it is opened again after a restart, until another process ends it', async () => {
      const id = await begin()
      await uploads[Symbol.asyncDispose]()
      uploads = open()
      await uploads.status(ann, id)
      expect(await failure(begin())).toEqual(beyond())
      // Idle here for so long that it is nobody's, it goes on there.
      later = 120_000
      await uploads.sweep()
      await open().finish(ann, id, sha256('x'.repeat(900)), undefined)
      expect(await failure(begin(101))).toMatchObject({ detail: { used: 900, unfinished: 900 } })
      later = 1_000_000
      await uploads.sweep()
      await begin(100)
    })
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

  it('of unfinished uploads let somebody in who has none, in the place of the oldest of whoever has most', async () => {
    uploads = open({ ofActor: 3, ofAll: 3 })
    const begin = async (actor: string): Promise<string> => {
      later += 1000
      return (await uploads.start({ ...free, actor }, 'sha256')).id
    }
    const [idle, busy, last] = [await begin('ann'), await begin('ann'), await begin('ann')]
    const ann = within(by('ann', 20))
    await uploads.append(ann, idle, text('1234567890'))
    const working = aborted(uploads.append(ann, busy, stalled('1234567890')))
    await expect.poll(() => taken).toBe(20)
    await begin('bob')
    expect(await failure(uploads.status(ann, idle))).toMatchObject({ fault: 'upload-unknown' })
    await begin('cid')
    await working
    expect(await failure(uploads.finish(ann, busy, sha256('1234567890'), undefined))).toMatchObject({
      fault: 'upload-unknown',
    })
    // Their bytes are gone, and count no more.
    await expect.poll(kept).toEqual({ ...nothing, rows: 3 })
    await uploads.append(ann, last, text('12345678901234567890'))
    expect(await failure(uploads.start(free, 'sha256'))).toMatchObject({ fault: 'too-many-requests' })
  })

  it('of unfinished uploads give those without a name together what all have', async () => {
    uploads = open({ ofActor: 1, ofAll: 3 })
    const nobody = { ...free, actor: 'anonymous' }
    for (let count = 0; count < 3; count++) await uploads.start(nobody, 'sha256')
    expect(await failure(uploads.start(nobody, 'sha256'))).toMatchObject({ fault: 'too-many-requests' })
  })
})
