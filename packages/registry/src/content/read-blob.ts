import type { Readable } from 'node:stream'
import type { Digest } from '@stowage/oci'
import type { BlobStore } from '../blobs/blob-store.ts'
import type { BlobRow, MetadataStore } from '../metadata/metadata-store.ts'

/** The bytes of a blob from `start` up to but not including `end`; undefined when the repository does not have them any more. */
export type ReadBlob = (
  repository: string,
  blob: BlobRow,
  start: number,
  end: number,
) => Promise<Uint8Array | Readable | undefined>

export interface ReadBlobOptions {
  readonly metadata: MetadataStore
  readonly blobs: BlobStore
  readonly now: () => number
  /** Told once of a blob whose bytes are missing, all or some. */
  readonly onMissingBytes?: (digest: Digest, key: string) => void
}

/** A key that is replaced as often while somebody reads has other problems. */
const mostKeys = 5

/**
 * Reads blobs, and puts in quarantine those whose bytes are not all there: the next HEAD says that the blob is missing, so the
 * next push brings it.
 */
export const createReadBlob = ({ metadata, blobs, now, onMissingBytes }: ReadBlobOptions): ReadBlob => {
  const read = async (key: string, start: number, end: number): Promise<Uint8Array | Readable | undefined> => {
    try {
      return await blobs.read(key, start, end)
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'BLOB_SHORT') return undefined
      throw error
    }
  }

  return async (repository, blob, start, end) => {
    let { key } = blob
    for (let keys = 0; keys < mostKeys; keys += 1) {
      const bytes = await read(key, start, end)
      if (bytes !== undefined) return bytes
      // A push of the same digest may have given it another key since the row was read: then this says nothing of the blob.
      const found = await metadata.upkeep.quarantineBlob({ digest: blob.digest, key, at: now() })
      if (found === 'quarantined') onMissingBytes?.(blob.digest, key)
      if (found !== 'moved') return undefined
      const again = await metadata.findBlob(repository, blob.digest)
      if (again === undefined || again.key === key) return undefined
      key = again.key
    }
    return undefined
  }
}
