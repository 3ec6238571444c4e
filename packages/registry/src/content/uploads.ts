import { randomUUID } from 'node:crypto'
import { type Digest, type DigestAlgorithm, digestAlgorithm } from '@stowage/oci'
import type { BlobStore, BlobUpload } from '../blobs/blob-store.ts'
import { RegistryError } from '../errors.ts'
import { MetadataError } from '../metadata/metadata-error.ts'
import type { BlobRow, FinishUploadResult, MetadataStore } from '../metadata/metadata-store.ts'
import { createDigester } from './digester.ts'
import { createOpenUploads, type OpenUpload, type RepositoryGrant, uploadUnknown } from './open-uploads.ts'
import { quotaExceeded, roomFor } from './quotas.ts'
import { receive } from './receive.ts'
import { createTakeChunk, tooLarge } from './take-chunk.ts'
import { createUnfinishedBytes } from './unfinished-bytes.ts'
import { type Hold, stalledAfter } from './upload-lock.ts'
import { createUploadSweep } from './upload-sweep.ts'

export type { RepositoryGrant } from './open-uploads.ts'

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
  /** Whether the bytes are for us alone, and their memory ours to give back. */
  readonly owned: boolean
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
  /** Waits for a request that is at work on the upload, unless bytes keep coming to it. */
  status(grant: RepositoryGrant, id: string, signal?: AbortSignal): Promise<UploadStatus>
  cancel(grant: RepositoryGrant, id: string): Promise<void>
  /** Forgets uploads that had no byte for `expireAfter`, and closes handles nobody uses. Returns how many it forgot. */
  sweep(): Promise<number>
}

export interface UploadOptions {
  readonly metadata: MetadataStore
  readonly blobs: BlobStore
  /** Milliseconds without a byte after which an upload is forgotten. */
  readonly expireAfter: number
  /** The largest blob that is accepted, bytes. */
  readonly maxBlobSize: number
  /** Unfinished uploads of one actor and of all, at most. Default: any number. */
  readonly maxOpen?: { readonly ofActor: number; readonly ofAll: number }
  readonly now: () => number
}

export const createUploads = (options: UploadOptions): Uploads => {
  const { metadata, blobs, maxBlobSize, now } = options
  const unfinished = createUnfinishedBytes(now)
  const open = createOpenUploads({ ...options, unfinished })
  /** Ids of bytes that are being received without a row. */
  const rowless = new Set<string>()
  const sweep = createUploadSweep({ metadata, blobs, open, unfinished, rowless, now })

  const takeChunk = createTakeChunk({ metadata, open, unfinished, maxBlobSize })

  /** A refused upload leaves nothing behind: nobody comes back for what can never be finished. */
  const abandon = async (grant: RepositoryGrant, upload: OpenUpload): Promise<void> => {
    await metadata.cancelUpload(grant.repository, upload.id).catch(ignore)
    await open.drop(upload).catch(ignore)
  }

  /** Makes bytes whose digest was verified a blob of the repository, or throws and leaves nothing visible. */
  const link = async (grant: RepositoryGrant, bytes: BlobUpload, digest: Digest, uploadId?: string): Promise<void> => {
    const { repository } = grant
    const size = bytes.size
    const key = await bytes.commit(digest)
    // Bytes before rows: from here on a crash leaves bytes that no row points to, never a row without bytes.
    let result: FinishUploadResult
    try {
      const upload = uploadId === undefined ? {} : { uploadId }
      result = await metadata.finishUpload({ repository, digest, size, key, at: now(), ...upload }, grant)
    } catch (error) {
      // Otherwise the rows may be there, although their store could not say so: then the bytes must be there too.
      if (wroteNothing(error)) await blobs.delete(key).catch(ignore)
      throw error
    }
    if (result.outcome === 'linked') return
    await blobs.delete(key)
    throw result.outcome === 'over-quota' ? quotaExceeded(result) : uploadUnknown()
  }

  const start: Uploads['start'] = async (grant, algorithm) => {
    const id = randomUUID()
    const room = await roomFor(metadata, unfinished, grant, id)
    room?.assert(1)
    const at = now()
    await open.begin({ id, repository: grant.repository, actor: grant.actor, startedAt: at, touchedAt: at }, algorithm)
    return { id, size: 0 }
  }

  const receiveWhole: Uploads['receiveWhole'] = async (grant, digest, body) => {
    if ((body.length ?? 0) > maxBlobSize) throw tooLarge(maxBlobSize)
    const id = randomUUID()
    // One that the repository has already takes no room, and has no more bytes than it has.
    const known = (grant.quotas ?? []).length === 0 ? undefined : await metadata.findBlob(grant.repository, digest)
    if (known !== undefined && (body.length ?? 0) > known.size) throw longerThan(known)
    const room = known === undefined ? await roomFor(metadata, unfinished, grant, id) : undefined
    room?.assert(body.length ?? 0)
    const bytes = await blobs.openUpload(id)
    rowless.add(id)
    try {
      const digester = createDigester(digestAlgorithm(digest))
      const limit = Math.min(body.length ?? Infinity, maxBlobSize, known?.size ?? Infinity)
      const { signal, owned } = body
      const onBytes = room?.take ?? ignore
      const received = await receive(body.chunks, bytes, { digester, onBytes, signal, limit, owned })
      if (received.bytes > maxBlobSize) throw tooLarge(maxBlobSize)
      if (body.length !== undefined && received.bytes !== body.length) {
        throw new RegistryError('size-invalid', `The body does not have the ${body.length} bytes that were announced.`)
      }
      if (known !== undefined && received.bytes > known.size) throw longerThan(known)
      expectDigest(digester.digest(), digest)
      if (digester.size !== bytes.size) throw new Error(`Of ${digester.size} bytes the blob store kept ${bytes.size}.`)
      unfinished.end(id)
      await link(grant, bytes, digest)
    } catch (error) {
      await bytes.close().catch(ignore)
      await blobs.discardUpload(id, bytes.state()).catch(ignore)
      throw error
    } finally {
      unfinished.end(id)
      rowless.delete(id)
    }
  }

  const append: Uploads['append'] = async (grant, id, body) => {
    const [upload, hold] = await open.take(grant, id, body.signal)
    using _ = hold
    try {
      await takeChunk(grant, upload, hold, body)
    } catch (error) {
      if (isOverQuota(error)) await abandon(grant, upload)
      throw error
    }
    await open.save(upload)
    return { id, size: upload.bytes.size }
  }

  const finish: Uploads['finish'] = async (grant, id, digest, body) => {
    const [upload, hold] = await open.take(grant, id, body?.signal ?? neverAborted)
    using _ = hold
    const from = upload.bytes.size
    const before = upload.digester?.fork()
    try {
      if (body !== undefined) await takeChunk(grant, upload, hold, body)
      expectDigest(await digestStored(upload, digestAlgorithm(digest), hold), digest)
    } catch (error) {
      if (isOverQuota(error)) {
        await abandon(grant, upload)
        throw error
      }
      // The closing request failed: the upload stands where it stood before it, ready for the same bytes or the right digest.
      await upload.bytes.truncate(from)
      unfinished.change(id, from)
      upload.digester = before
      throw error
    }
    // In hand until it is over: who comes now waits for the lock, and then learns from the row what became of the upload.
    // From here on the transaction counts its bytes: twice, they would refuse others that do fit.
    unfinished.end(id)
    try {
      await link(grant, upload.bytes, digest, id)
      open.forget(upload)
    } catch (error) {
      // Its bytes are gone, so the upload must go too: a client that still found it would go on where nothing is.
      await abandon(grant, upload)
      throw error
    }
  }

  const status: Uploads['status'] = async (grant, id, signal = neverAborted) => {
    // Who lost the connection asks at once, and often before we have come to the end of what arrived over it. What we say
    // must still be so when the client goes on from there: without Content-Range nothing shows that it does not fit.
    const patience = AbortSignal.timeout(patient)
    try {
      const [{ bytes }, hold] = await open.take(grant, id, AbortSignal.any([signal, patience]))
      using _ = hold
      return { id, size: bytes.size }
    } catch (error) {
      if (signal.aborted || !patience.aborted) throw error
      return { id, size: (await open.find(grant, id)).bytes.size }
    }
  }

  const cancel: Uploads['cancel'] = async (grant, id) => {
    const found = await open.find(grant, id)
    // The row decides who wins against a finishing request; then the bytes go.
    if (!(await metadata.cancelUpload(grant.repository, id))) throw uploadUnknown()
    // It may have been put aside and opened again since we found it. Without its row nobody opens it any more.
    const upload = (await open.current(id)) ?? found
    open.forget(upload)
    upload.lock.interrupt()
    using _ = await upload.lock.acquire(neverAborted)
    await open.drop(upload)
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
      // One that cannot be saved or closed must not keep the others, or the stores, from being closed.
      await Promise.allSettled(
        open.all().map(async (upload) => {
          open.forget(upload)
          if (upload.touchedAt > upload.savedAt) {
            await metadata.saveUpload(upload.id, { touchedAt: upload.touchedAt }).catch(ignore)
          }
          await upload.bytes.close()
        }),
      )
    },
  }
}

/** For how long a request that is alive holds up who asks about its upload: longer than one that is not. Milliseconds. */
const patient = stalledAfter + 1000

const neverAborted = new AbortController().signal

const ignore = (): void => {}

const isOverQuota = (error: unknown): boolean => error instanceof RegistryError && error.fault === 'quota-exceeded'

/** Whether the metadata store says that nothing of a write is there or will be. */
const wroteNothing = (error: unknown): boolean => error instanceof MetadataError && error.code !== 'UNAVAILABLE'

/**
 * The digest of everything stored, by the algorithm the client named. The running digest serves when it is of that
 * algorithm and saw every byte; a client that sends sha512 without having said so costs one more reading.
 */
const digestStored = async (upload: OpenUpload, algorithm: DigestAlgorithm, hold: Hold): Promise<Digest> => {
  const { bytes, digester: running } = upload
  if (running?.algorithm === algorithm && running.size === bytes.size) return running.digest()
  const digester = createDigester(algorithm)
  for await (const chunk of bytes.read()) {
    digester.update(chunk)
    hold.alive()
  }
  return digester.digest()
}

const longerThan = ({ digest, size }: BlobRow): RegistryError =>
  new RegistryError('digest-invalid', `The blob of this digest has ${size} bytes, and the body has more.`, {
    detail: { given: digest },
  })

const expectDigest = (computed: Digest, promised: Digest): void => {
  if (computed === promised) return
  throw new RegistryError(
    'digest-invalid',
    'The bytes received do not have the digest that was given. Send the digest of exactly these bytes, or the bytes again.',
    { detail: { given: promised, received: computed } },
  )
}
