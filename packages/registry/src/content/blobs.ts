import type { Readable } from 'node:stream'
import type { Digest } from '@stowage/oci'
import type { RepositoryFilter } from '../access/grant.ts'
import type { BlobStore } from '../blobs/blob-store.ts'
import { RegistryError } from '../errors.ts'
import type { BlobRow, MetadataStore } from '../metadata/metadata-store.ts'
import { tagImmutable } from './immutable-tags.ts'
import { quotaExceeded } from './quotas.ts'
import { createReadBlob } from './read-blob.ts'
import { type Touch, untouched } from './touch.ts'
import type { RepositoryGrant } from './uploads.ts'

export interface Blobs {
  /** The blob's row, if the repository of the grant links it. */
  find(grant: RepositoryGrant, digest: Digest): Promise<BlobRow>
  /** The same for who asks before a push, and will not send what is there: from now on it stays for the grace period. */
  findToKeep(grant: RepositoryGrant, digest: Digest): Promise<BlobRow>
  /** The bytes from `start` up to but not including `end`. */
  read(grant: RepositoryGrant, blob: BlobRow, start: number, end: number): Promise<Uint8Array | Readable>
  /** @returns whether the blob is now in the repository. */
  mount(grant: RepositoryGrant, digest: Digest, source: MountSource): Promise<boolean>
  remove(grant: RepositoryGrant, digest: Digest): Promise<void>
  /** Deletes bytes that no row points to any more. Returns how many keys it deleted. */
  sweep(): Promise<number>
}

/** A repository the caller may pull from, or whichever of those it may pull from. */
export type MountSource = { readonly from: string } | { readonly readable: RepositoryFilter }

export interface BlobOptions {
  readonly metadata: MetadataStore
  readonly blobs: BlobStore
  /** Whether a blob may go while a manifest of its repository needs it. */
  readonly removeUsed: boolean
  /** Default: nothing has a time that is to be set anew. */
  readonly touch?: Touch
  readonly now: () => number
  /** Told once of a blob whose bytes are missing, all or some. */
  readonly onMissingBytes: (digest: Digest, key: string) => void
}

/** How long bytes stay after their row went, for a reader that looked the key up just before. Milliseconds. */
const garbageGrace = 60_000

export const createBlobs = (options: BlobOptions): Blobs => {
  const { metadata, blobs, now, touch = untouched } = options

  const find: Blobs['find'] = async (grant, digest) => {
    const row = await metadata.findBlob(grant.repository, digest)
    if (row === undefined) throw unknown(digest)
    return row
  }

  const findToKeep: Blobs['findToKeep'] = async (grant, digest) => {
    const row = await find(grant, digest)
    if (row.unusedSince === null) return row
    const { repository } = grant
    // Before the answer: what a client is told is there must still be there when it comes with the manifest.
    const touched = await touch(row.unusedSince, async (at) => metadata.upkeep.touchBlob(repository, digest, at))
    // It may have been taken away just before.
    return touched ? find(grant, digest) : row
  }

  const readBlob = createReadBlob(options)
  const read: Blobs['read'] = async (grant, blob, start, end) => {
    const bytes = await readBlob(grant.repository, blob, start, end)
    if (bytes === undefined) throw unknown(blob.digest)
    return bytes
  }

  const mount: Blobs['mount'] = async (grant, digest, source) => {
    const mounted = await metadata.mountBlob(
      {
        repository: grant.repository,
        digest,
        at: now(),
        ...('from' in source ? { from: source.from, readable: { kind: 'all' } } : { readable: source.readable }),
      },
      grant,
    )
    if (mounted?.outcome === 'over-quota') throw quotaExceeded(mounted)
    return mounted !== undefined
  }

  const remove: Blobs['remove'] = async (grant, digest) => {
    const result = await metadata.unlinkBlob(
      { repository: grant.repository, digest, at: now(), evenIfUsed: options.removeUsed },
      grant,
    )
    switch (result.outcome) {
      case 'deleted':
        return
      case 'unknown':
        throw unknown(digest)
      case 'tag-immutable':
        throw tagImmutable(result.tag, 'An image with this tag needs the blob, so it stays.')
      case 'in-use':
        throw new RegistryError(
          'blob-in-use',
          'A manifest of this repository needs the blob. Delete the manifest first.',
          {
            detail: { digest, manifest: result.by },
          },
        )
    }
  }

  const sweep: Blobs['sweep'] = async () => {
    const garbage = await metadata.listGarbage({ limit: 1000 })
    const due = garbage.filter((row) => row.since + garbageGrace < now()).map((row) => row.key)
    const deleted: string[] = []
    const failures: unknown[] = []
    for (const key of due) {
      try {
        // One at a time: deleting must never compete with pulls.
        await blobs.delete(key)
        deleted.push(key)
      } catch (error) {
        // One file that cannot be deleted must not keep all the others on the disk.
        failures.push(error)
      }
    }
    // Bytes first, then the reminder: a crash between the two deletes twice, which is harmless; keys are never used again.
    if (deleted.length > 0) await metadata.forgetGarbage(deleted)
    if (failures.length > 0) {
      throw new Error(`${failures.length} of ${due.length} superseded blobs could not be deleted.`, {
        cause: failures[0],
      })
    }
    return deleted.length
  }

  return { find, findToKeep, read, mount, remove, sweep }
}

const unknown = (digest: Digest): RegistryError =>
  new RegistryError(
    'blob-unknown',
    'This repository has no such blob. Push it, or mount it from a repository that has.',
    {
      detail: { digest },
    },
  )
