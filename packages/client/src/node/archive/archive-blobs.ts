import { type Digest, digestAlgorithm, digestEncoded, imageLayout } from '@stowage/oci'
import { ClientError } from '../../errors.ts'
import type { ArchiveOutput } from './archive-output.ts'
import type { Archive } from './open-archive.ts'
import type { TarFile } from './tar-index.ts'
import type { TarPart } from './write-tar.ts'

/** The blobs that an archive will have: those it had, and those that wait to be written. */
export interface ArchiveBlobs {
  size(digest: Digest): Promise<number | undefined>
  /** @param buffer As of `readPieces`. @throws {ClientError} `not-found` */
  read(digest: Digest, buffer?: Uint8Array): AsyncIterable<Uint8Array>
  write(digest: Digest, chunks: AsyncIterable<Uint8Array>): Promise<void>
  remove(digest: Digest): Promise<void>
  /** Those that wait. */
  readonly written: ReadonlySet<Digest>
  readonly removed: ReadonlySet<Digest>
  /** A blob as a file of an archive. @throws {ClientError} `not-found` */
  part(digest: Digest): Promise<TarPart>
}

export interface ArchiveBlobsOptions {
  readonly subject: string
  readonly output: ArchiveOutput
  readonly base: Archive | undefined
  /** Where a blob is in the archive as it was. */
  find(digest: Digest): TarFile | undefined
}

export const createArchiveBlobs = ({ subject, output, base, find }: ArchiveBlobsOptions): ArchiveBlobs => {
  const written = new Set<Digest>()
  const removed = new Set<Digest>()
  const inBase = (digest: Digest): TarFile | undefined => (removed.has(digest) ? undefined : find(digest))

  const notFound = (digest: Digest): ClientError =>
    new ClientError('not-found', `${subject} has no blob ${digest}.`, { subject })

  const size: ArchiveBlobs['size'] = async (digest) =>
    written.has(digest) ? (await output.blobs()).size(digest) : inBase(digest)?.size

  async function* read(digest: Digest, buffer?: Uint8Array): AsyncIterable<Uint8Array> {
    if (written.has(digest)) {
      yield* (await output.blobs()).read(digest, buffer)
      return
    }
    const file = inBase(digest)
    if (file === undefined || base === undefined) throw notFound(digest)
    yield* base.read(file, buffer)
  }

  return {
    size,
    read,
    async write(digest, chunks) {
      await (await output.blobs()).write(digest, chunks)
      written.add(digest)
      removed.delete(digest)
    },
    async remove(digest) {
      removed.add(digest)
      if (written.delete(digest)) await (await output.blobs()).remove(digest)
    },
    written,
    removed,
    async part(digest) {
      const bytes = await size(digest)
      if (bytes === undefined) throw notFound(digest)
      return { name: blobPath(digest), size: bytes, read: (buffer) => read(digest, buffer) }
    },
  }
}

/** Where an image layout keeps a blob. */
export const blobPath = (digest: Digest): string =>
  `${imageLayout.blobsDirectory}/${digestAlgorithm(digest)}/${digestEncoded(digest)}`
