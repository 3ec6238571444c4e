import { randomUUID } from 'node:crypto'
import { type Digest, type DigestAlgorithm, digestAlgorithm } from '@stowage/oci'
import type { Grant } from '../access/grant.ts'
import type { BlobStore, BlobUpload } from '../blobs/blob-store.ts'
import { RegistryError } from '../errors.ts'
import type { MetadataStore, UploadRow } from '../metadata/metadata-store.ts'
import { createDigester, type Digester } from './digester.ts'
import { receive } from './receive.ts'
import { createUploadLock, type Hold } from './upload-lock.ts'

/** Where an upload stands. */
export interface UploadStatus {
  readonly id: string
  /** Bytes received and kept. */
  readonly size: number
}

/** A body that comes with a request. */
export interface Body {
  /** The bytes, once. When the signal aborts, waiting for more of them ends with its reason. */
  readonly chunks: (signal: AbortSignal) => AsyncIterable<Uint8Array>
  /** What `Content-Length` announces, if it does. */
  readonly length: number | undefined
  /** What `Content-Range` says, inclusive ends, if it is there. */
  readonly range: { readonly first: number; readonly last: number } | undefined
  readonly signal: AbortSignal
}

export interface Uploads extends AsyncDisposable {
  start(grant: RepositoryGrant, algorithm: DigestAlgorithm): Promise<UploadStatus>
  /** A whole blob in one request: no upload that anybody could see begins. */
  receiveWhole(grant: RepositoryGrant, digest: Digest, body: Body): Promise<void>
  append(grant: RepositoryGrant, id: string, body: Body): Promise<UploadStatus>
  /** @param body The last chunk, when the closing request brings one. */
  finish(grant: RepositoryGrant, id: string, digest: Digest, body: Body | undefined): Promise<void>
  status(grant: RepositoryGrant, id: string): Promise<UploadStatus>
  cancel(grant: RepositoryGrant, id: string): Promise<void>
  /** Forgets uploads that had no byte for `expireAfter`, and closes handles nobody uses. Returns how many it forgot. */
  sweep(): Promise<number>
}

/** A grant for a request that names a repository. */
export type RepositoryGrant = Grant & { readonly repository: string }

export interface UploadOptions {
  readonly metadata: MetadataStore
  readonly blobs: BlobStore
  /** Milliseconds without a byte after which an upload is forgotten. */
  readonly expireAfter: number
  /** The largest blob that is accepted, bytes. */
  readonly maxBlobSize: number
  readonly now: () => number
}

/** An upload that this process has in hand. Everything in it can be made again from the two stores. */
interface ActiveUpload {
  readonly id: string
  readonly repository: string
  readonly lock: ReturnType<typeof createUploadLock>
  readonly bytes: BlobUpload
  /** Undefined when bytes are stored that it has not seen: the digest is then computed from the stored bytes. */
  digester: Digester | undefined
  touchedAt: number
  /** What the row says. */
  savedAt: number
}

/** How long an upload keeps its handle and digest without being used. Milliseconds. */
const keepOpen = 60_000

export const createUploads = (options: UploadOptions): Uploads => {
  const { metadata, blobs, expireAfter, maxBlobSize, now } = options
  const active = new Map<string, ActiveUpload>()
  const opening = new Map<string, Promise<ActiveUpload>>()
  /** The row's clock may be this much behind: a transaction for every chunk would be the cost of the chunk many times over. */
  const saveEvery = Math.min(60_000, expireAfter / 4)

  const unknown = (): RegistryError =>
    new RegistryError(
      'upload-unknown',
      'There is no such upload in this repository: it was finished, cancelled, or expired. Start a new one with POST.',
    )

  const remember = async (row: UploadRow, algorithm: DigestAlgorithm | undefined): Promise<ActiveUpload> => {
    const bytes = await blobs.openUpload(row.id, row.state)
    const upload: ActiveUpload = {
      id: row.id,
      repository: row.repository,
      lock: createUploadLock(now),
      bytes,
      // The state of a hash cannot be stored, so bytes that came before this process took over are read once more at the end.
      digester: bytes.size === 0 ? createDigester(algorithm ?? 'sha256') : undefined,
      touchedAt: row.touchedAt,
      savedAt: row.touchedAt,
    }
    active.set(row.id, upload)
    return upload
  }

  /** The upload, if it is of the repository that was authorised: an id alone opens nothing (compare CVE-2026-32589). */
  const find = async (grant: RepositoryGrant, id: string): Promise<ActiveUpload> => {
    let upload = active.get(id) ?? (await opening.get(id))
    if (upload === undefined) {
      const row = await metadata.findUpload(grant.repository, id)
      if (row === undefined || row.touchedAt + expireAfter + saveEvery < now()) throw unknown()
      upload = active.get(id)
      if (upload === undefined) {
        // Two requests for one upload must share one handle, or each would append at its own idea of the end.
        let pending = opening.get(id)
        if (pending === undefined) {
          pending = remember(row, undefined).finally(() => opening.delete(id))
          opening.set(id, pending)
        }
        upload = await pending
      }
    }
    if (upload.repository !== grant.repository || upload.touchedAt + expireAfter < now()) throw unknown()
    return upload
  }

  /** The upload with its lock held. It may have ended while we waited. */
  const take = async (grant: RepositoryGrant, id: string, signal: AbortSignal): Promise<[ActiveUpload, Hold]> => {
    const upload = await find(grant, id)
    const hold = await upload.lock.acquire(signal)
    if (active.get(id) !== upload) {
      hold[Symbol.dispose]()
      throw unknown()
    }
    return [upload, hold]
  }

  const touch = async (upload: ActiveUpload): Promise<void> => {
    upload.touchedAt = now()
    const state = upload.bytes.state()
    if (state === undefined && upload.touchedAt - upload.savedAt < saveEvery) return
    upload.savedAt = upload.touchedAt
    await metadata.saveUpload(upload.id, { touchedAt: upload.touchedAt, ...(state === undefined ? {} : { state }) })
  }

  /** Takes a chunk in, or throws and leaves the upload where the bytes that were kept end. */
  const takeChunk = async (upload: ActiveUpload, hold: Hold, body: Body): Promise<void> => {
    const from = upload.bytes.size
    if (body.range !== undefined) {
      // "If a chunk is uploaded out of order, the registry MUST respond with a 416 Requested Range Not Satisfiable code."
      if (body.range.first !== from) throw outOfOrder(upload, body.range.first)
      const length = body.range.last - body.range.first + 1
      if (body.length !== undefined && body.length !== length) {
        throw new RegistryError(
          'size-invalid',
          `Content-Range describes ${length} bytes but Content-Length says ${body.length}. Make them agree.`,
        )
      }
    }
    const expected = body.range === undefined ? body.length : body.range.last - body.range.first + 1
    if (from + (expected ?? 0) > maxBlobSize) throw tooLarge()
    const digester = upload.digester
    upload.digester = undefined
    let settled = false
    try {
      const { bytes } = await receive(body.chunks, upload.bytes, {
        digester,
        onBytes: () => {
          hold.alive()
          upload.touchedAt = now()
        },
        signal: AbortSignal.any([body.signal, hold.signal]),
        limit: Math.min(expected ?? Infinity, maxBlobSize - from),
      })
      if (expected !== undefined && bytes !== expected) {
        throw new RegistryError(
          'size-invalid',
          `The body has ${bytes > expected ? `more than ${expected}` : bytes} bytes where ${expected} were announced. ` +
            'Nothing of this chunk was kept.',
        )
      }
      if (from + bytes > maxBlobSize) throw tooLarge()
      settled = true
    } catch (error) {
      // A chunk that contradicts itself is taken back; one whose connection broke keeps what came.
      if (error instanceof RegistryError) await upload.bytes.truncate(from)
      throw error
    } finally {
      if (settled) upload.digester = digester
    }
  }

  const tooLarge = (): RegistryError =>
    new RegistryError('size-invalid', `A blob may have at most ${maxBlobSize} bytes in this registry.`)

  const outOfOrder = (upload: ActiveUpload, first: number): RegistryError =>
    new RegistryError(
      'upload-out-of-order',
      `The chunk begins at byte ${first} but the upload has ${upload.bytes.size} bytes. Go on from there.`,
      { hints: { upload: { id: upload.id, size: upload.bytes.size } } },
    )

  /** Ends an upload whose bytes have the digest that was promised, or throws and leaves nothing visible. */
  const link = async (grant: RepositoryGrant, bytes: BlobUpload, digest: Digest, uploadId?: string): Promise<void> => {
    const size = bytes.size
    const key = await bytes.commit(digest)
    // Bytes before rows: from here on a crash leaves bytes that no row points to, never a row without bytes.
    const result = await metadata.finishUpload(
      { repository: grant.repository, digest, size, key, at: now(), ...(uploadId === undefined ? {} : { uploadId }) },
      grant,
    )
    if (result.outcome === 'upload-unknown') {
      await blobs.delete(key)
      throw unknown()
    }
  }

  const start: Uploads['start'] = async (grant, algorithm) => {
    const id = randomUUID()
    const at = now()
    const row: UploadRow = { id, repository: grant.repository, actor: grant.actor, startedAt: at, touchedAt: at }
    await metadata.createUpload(row)
    await remember(row, algorithm)
    return { id, size: 0 }
  }

  const receiveWhole: Uploads['receiveWhole'] = async (grant, digest, body) => {
    const id = randomUUID()
    const bytes = await blobs.openUpload(id)
    try {
      if ((body.length ?? 0) > maxBlobSize) throw tooLarge()
      const digester = createDigester(digestAlgorithm(digest))
      const limit = Math.min(body.length ?? Infinity, maxBlobSize)
      const received = await receive(body.chunks, bytes, { digester, onBytes: () => {}, signal: body.signal, limit })
      if (received.bytes > maxBlobSize) throw tooLarge()
      if (body.length !== undefined && received.bytes !== body.length) {
        throw new RegistryError('size-invalid', `The body does not have the ${body.length} bytes that were announced.`)
      }
      expectDigest(digester.digest(), digest)
      await link(grant, bytes, digest)
    } catch (error) {
      await bytes.close()
      await blobs.discardUpload(id, bytes.state())
      throw error
    }
  }

  const append: Uploads['append'] = async (grant, id, body) => {
    const [upload, hold] = await take(grant, id, body.signal)
    using _ = hold
    await takeChunk(upload, hold, body)
    await touch(upload)
    return { id, size: upload.bytes.size }
  }

  const finish: Uploads['finish'] = async (grant, id, digest, body) => {
    const [upload, hold] = await take(grant, id, body?.signal ?? neverAborted)
    using _ = hold
    const from = upload.bytes.size
    const before = upload.digester?.fork()
    if (body !== undefined) await takeChunk(upload, hold, body)
    try {
      expectDigest(await digestStored(upload, digestAlgorithm(digest), hold), digest)
    } catch (error) {
      // The closing request failed: the upload stands where it stood before it, ready for the right digest.
      await upload.bytes.truncate(from)
      upload.digester = before
      throw error
    }
    active.delete(id)
    try {
      await link(grant, upload.bytes, digest, id)
    } catch (error) {
      await drop(upload)
      throw error
    }
  }

  /**
   * The digest of everything stored, by the algorithm the client named. The running digest serves when it is of that
   * algorithm and saw every byte; a client that sends sha512 without having said so costs one more reading.
   */
  const digestStored = async (upload: ActiveUpload, algorithm: DigestAlgorithm, hold: Hold): Promise<Digest> => {
    if (upload.digester?.algorithm === algorithm) return upload.digester.digest()
    const digester = createDigester(algorithm)
    for await (const chunk of upload.bytes.read()) {
      digester.update(chunk)
      hold.alive()
    }
    return digester.digest()
  }

  const status: Uploads['status'] = async (grant, id) => {
    const upload = await find(grant, id)
    return { id, size: upload.bytes.size }
  }

  const cancel: Uploads['cancel'] = async (grant, id) => {
    // The row decides who wins against a finishing request; then the bytes go.
    const upload = active.get(id)
    if (upload !== undefined && upload.repository !== grant.repository) throw unknown()
    if (!(await metadata.cancelUpload(grant.repository, id))) throw unknown()
    active.delete(id)
    if (upload === undefined) await blobs.discardUpload(id)
    else await dropWhenFree(upload)
  }

  const drop = async (upload: ActiveUpload): Promise<void> => {
    active.delete(upload.id)
    await upload.bytes.close()
    await blobs.discardUpload(upload.id, upload.bytes.state())
  }

  const dropWhenFree = async (upload: ActiveUpload): Promise<void> => {
    using _ = await upload.lock.acquire(neverAborted)
    await drop(upload)
  }

  const sweep: Uploads['sweep'] = async () => {
    let forgotten = 0
    const deadline = now() - expireAfter
    for (const upload of active.values()) {
      if (upload.touchedAt >= now() - Math.min(keepOpen, expireAfter)) continue
      // oxlint-disable-next-line no-await-in-loop -- a sweep is in no hurry, and one upload at a time bounds its load
      using _ = await upload.lock.acquire(neverAborted)
      if (upload.touchedAt >= now() - Math.min(keepOpen, expireAfter)) continue
      if (active.get(upload.id) !== upload) continue
      // oxlint-disable-next-line no-await-in-loop
      await metadata.saveUpload(upload.id, { touchedAt: upload.touchedAt })
      active.delete(upload.id)
      // oxlint-disable-next-line no-await-in-loop
      await upload.bytes.close()
    }
    for (;;) {
      // oxlint-disable-next-line no-await-in-loop
      const rows = await metadata.listExpiredUploads({ touchedBefore: deadline, limit: 100 })
      let removed = 0
      for (const row of rows) {
        if (active.has(row.id) || opening.has(row.id)) continue
        // oxlint-disable-next-line no-await-in-loop
        if (!(await metadata.expireUpload(row.id, deadline))) continue
        // oxlint-disable-next-line no-await-in-loop
        await blobs.discardUpload(row.id, row.state)
        removed += 1
      }
      forgotten += removed
      if (removed === 0 || rows.length < 100) return forgotten
    }
  }

  return {
    start,
    receiveWhole,
    append,
    finish,
    status,
    cancel,
    sweep,
    [Symbol.asyncDispose]: async () => {
      const open = [...active.values()]
      active.clear()
      await Promise.all(
        open.map(async (upload) => {
          if (upload.touchedAt > upload.savedAt) await metadata.saveUpload(upload.id, { touchedAt: upload.touchedAt })
          await upload.bytes.close()
        }),
      )
    },
  }
}

const neverAborted = new AbortController().signal

const expectDigest = (computed: Digest, promised: Digest): void => {
  if (computed === promised) return
  throw new RegistryError(
    'digest-invalid',
    'The bytes received do not have the digest that was given. Send the digest of exactly these bytes, or the bytes again.',
    { detail: { given: promised, received: computed } },
  )
}
