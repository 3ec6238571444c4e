import type { DigestAlgorithm } from '@stowage/oci'
import type { Grant } from '../access/grant.ts'
import { anonymous } from '../access/principal.ts'
import type { BlobStore, BlobUpload } from '../blobs/blob-store.ts'
import { RegistryError } from '../errors.ts'
import type { MetadataStore, UploadRow } from '../metadata/metadata-store.ts'
import { createDigester, type Digester } from './digester.ts'
import type { UnfinishedBytes } from './unfinished-bytes.ts'
import { createUploadLock, type Hold, type UploadLock } from './upload-lock.ts'

/** A grant for a request that names a repository. */
export type RepositoryGrant = Grant & { readonly repository: string }

/** An upload that this process has in hand. Everything in it can be made again from the two stores. */
export interface OpenUpload {
  readonly id: string
  readonly repository: string
  readonly actor: string
  readonly lock: UploadLock
  readonly bytes: BlobUpload
  /** Undefined when bytes are stored that it has not seen: the digest is then computed from the stored bytes. */
  digester: Digester | undefined
  touchedAt: number
  /** What the row says. */
  savedAt: number
}

export interface OpenUploads {
  /**
   * Begins an upload.
   *
   * @throws RegistryError of `too-many-requests` when there are as many as there may be.
   */
  begin(row: UploadRow, algorithm: DigestAlgorithm): Promise<void>
  find(grant: RepositoryGrant, id: string): Promise<OpenUpload>
  /** The upload with its lock held. */
  take(grant: RepositoryGrant, id: string, signal: AbortSignal): Promise<[OpenUpload, Hold]>
  /** The upload if it is in hand, or on its way there. */
  current(id: string): Promise<OpenUpload | undefined>
  has(id: string): boolean
  all(): OpenUpload[]
  /** The upload is over. */
  forget(upload: OpenUpload): void
  /** Lets go of an upload that nobody works on: its handle and digest. It goes on from its row. False when somebody does. */
  putAside(upload: OpenUpload): Promise<boolean>
  /** Forgets the upload and its bytes. */
  drop(upload: OpenUpload): Promise<void>
  /** A byte came. */
  alive(upload: OpenUpload): void
  /** A chunk is in: makes the row know it. */
  save(upload: OpenUpload): Promise<void>
  /** Uploads whose row says that they were touched before this have expired. */
  expiredBefore(): number
}

export interface OpenUploadsOptions {
  readonly metadata: MetadataStore
  readonly blobs: BlobStore
  readonly unfinished: UnfinishedBytes
  readonly expireAfter: number
  /** Uploads of one actor and of all, at most. Default: any number. */
  readonly maxOpen?: { readonly ofActor: number; readonly ofAll: number }
  readonly now: () => number
}

/** Uploads in hand at most, as far as they are idle: each has memory, and a descriptor once it has a byte. */
const mostOpen = 1000

export const uploadUnknown = (): RegistryError =>
  new RegistryError(
    'upload-unknown',
    'There is no such upload in this repository: it was finished, cancelled, or expired. Start a new one with POST.',
  )

/** Seconds: by then the sweep has taken away what has expired meanwhile. */
const retryAfter = 30

const tooMany = (): RegistryError =>
  new RegistryError(
    'too-many-requests',
    'As many uploads are unfinished as there may be. Finish or cancel some (DELETE on their Location), or try again later.',
    { hints: { retryAfter } },
  )

const neverAborted = new AbortController().signal

/** Keeps handles, locks and running digests of the uploads that are being worked on: one of each, however many requests come. */
export const createOpenUploads = (options: OpenUploadsOptions): OpenUploads => {
  const { metadata, blobs, unfinished, expireAfter, maxOpen, now } = options
  const active = new Map<string, OpenUpload>()
  const opening = new Map<string, Promise<OpenUpload>>()
  /** The row's clock may be this much behind: a transaction for every chunk would be the cost of the chunk many times over. */
  const saveEvery = Math.min(60_000, expireAfter / 4)

  // Nobody knows how far a row is behind, so every upload is given that much longer.
  const expiredBefore = (): number => now() - expireAfter - saveEvery

  const open = async (row: UploadRow, algorithm: DigestAlgorithm | undefined): Promise<OpenUpload> => {
    const bytes = await blobs.openUpload(row.id, row.state)
    return {
      id: row.id,
      repository: row.repository,
      actor: row.actor,
      lock: createUploadLock(now),
      bytes,
      // The state of a hash cannot be stored, so bytes that came before this process took over are read once more at the end.
      digester: bytes.size === 0 ? createDigester(algorithm ?? 'sha256') : undefined,
      touchedAt: row.touchedAt,
      savedAt: row.touchedAt,
    }
  }

  /** Whoever gives no name shares his with all who give none: they have what all have. */
  const limitsFor = (actor: string): typeof maxOpen =>
    maxOpen !== undefined && actor === anonymous.name ? { ...maxOpen, ofActor: maxOpen.ofAll } : maxOpen

  const begin: OpenUploads['begin'] = async (row, algorithm) => {
    // The store first: an upload without a byte holds nothing there that a failure of the row would leave behind.
    const upload = await open(row, algorithm)
    const result = await metadata.createUpload(row, limitsFor(row.actor))
    if (result.outcome === 'too-many') {
      await upload.bytes.close()
      throw tooMany()
    }
    keep(upload)
    // Not waited for: whoever works on it has to let go first.
    if (result.replaced !== undefined) void discard(result.replaced).catch(() => {})
  }

  /** Takes away the bytes of an upload whose row another one has got. What fails here is found as an orphan. */
  const discard = async (row: UploadRow): Promise<void> => {
    const upload = active.get(row.id) ?? (await opening.get(row.id)?.catch(() => undefined))
    unfinished.end(row.id)
    if (upload === undefined) return blobs.discardUpload(row.id, row.state)
    forget(upload)
    upload.lock.interrupt()
    using _ = await upload.lock.acquire(neverAborted)
    await drop(upload)
  }

  const keep = (upload: OpenUpload): void => {
    active.set(upload.id, upload)
    if (active.size <= mostOpen) return
    for (const idle of active.values()) {
      // The oldest that is free; what cannot be put aside is still in hand, and the sweep comes for it.
      if (idle === upload || idle.lock.isHeld()) continue
      void putAside(idle).catch(() => {})
      return
    }
  }

  const putAside: OpenUploads['putAside'] = async (upload) => {
    const hold = upload.lock.tryAcquire()
    if (hold === undefined) return false
    using _ = hold
    const { id, touchedAt, savedAt } = upload
    const known = touchedAt > savedAt ? await metadata.saveUpload(id, { touchedAt }) : true
    release(upload)
    await (known ? upload.bytes.close() : drop(upload))
    return true
  }

  const reopen = async (row: UploadRow): Promise<OpenUpload> => {
    try {
      const upload = await open(row, undefined)
      unfinished.set(upload, upload.bytes.size)
      keep(upload)
      return upload
    } finally {
      opening.delete(row.id)
    }
  }

  /** The upload, if it is the caller's own and of the repository that was authorised: an id alone opens nothing (CVE-2026-32589). */
  const find: OpenUploads['find'] = async (grant, id) => {
    let upload = active.get(id) ?? (await opening.get(id))
    if (upload === undefined) {
      const row = await metadata.findUpload(grant.repository, id)
      if (row === undefined || row.touchedAt < expiredBefore()) throw uploadUnknown()
      upload = active.get(id)
      if (upload === undefined) {
        // Two requests for one upload must share one handle, or each would append at its own idea of the end.
        let pending = opening.get(id)
        if (pending === undefined) {
          pending = reopen(row)
          opening.set(id, pending)
        }
        upload = await pending
      }
    }
    const { repository, actor, touchedAt } = upload
    if (repository !== grant.repository || actor !== grant.actor || touchedAt < expiredBefore()) throw uploadUnknown()
    // To the end of the line of those that may be put aside.
    if (active.get(id) === upload && active.delete(id)) active.set(id, upload)
    return upload
  }

  const take: OpenUploads['take'] = async (grant, id, signal) => {
    for (;;) {
      // More than once only when the upload was put aside while we waited.
      const upload = await find(grant, id)
      const hold = await upload.lock.acquire(signal)
      if (active.get(id) === upload) return [upload, hold]
      // It ended, or was idle and put aside. Its row knows.
      hold[Symbol.dispose]()
    }
  }

  /** Its row and its bytes stay, and count. */
  const release = (upload: OpenUpload): void => {
    if (active.get(upload.id) === upload) active.delete(upload.id)
  }

  const forget = (upload: OpenUpload): void => {
    release(upload)
    unfinished.end(upload.id)
  }

  const drop = async (upload: OpenUpload): Promise<void> => {
    forget(upload)
    await upload.bytes.close()
    await blobs.discardUpload(upload.id, upload.bytes.state())
  }

  const write = async (upload: OpenUpload, state: string | undefined): Promise<void> => {
    upload.savedAt = upload.touchedAt
    try {
      await metadata.saveUpload(upload.id, { touchedAt: upload.touchedAt, ...(state === undefined ? {} : { state }) })
    } catch {
      // The bytes are in, and the row was never promised to be up to date. A chunk refused for this would come a second time.
    }
  }

  return {
    begin,
    find,
    take,
    current: async (id) => active.get(id) ?? (await opening.get(id)?.catch(() => undefined)),
    has: (id) => active.has(id) || opening.has(id),
    all: () => [...active.values()],
    forget,
    putAside,
    drop,
    alive: (upload) => {
      upload.touchedAt = now()
      // Also in the middle of a chunk, which may take hours: after a crash the row is all that is known of it.
      if (upload.touchedAt - upload.savedAt >= saveEvery) void write(upload, undefined)
    },
    save: async (upload) => {
      upload.touchedAt = now()
      const state = upload.bytes.state()
      if (state !== undefined || upload.touchedAt - upload.savedAt >= saveEvery) await write(upload, state)
    },
    expiredBefore,
  }
}
