import { mkdir, realpath, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { type Digest, digestAlgorithm, digestEncoded, imageLayout } from '@stowage/oci'
import { ClientError } from '../../errors.ts'
import { isMissing, onFile } from '../file-errors.ts'
import { openPlainFile, type OpenFile, plainFileSize, readPieces } from '../read-file.ts'
import { syncDirectory, writeWhole } from './write-file.ts'

/** The directory `blobs` of an image layout: `blobs/<algorithm>/<hex>`. */
export interface BlobDirectory {
  /** undefined when it is not there */
  size(digest: Digest): Promise<number | undefined>
  /** @throws {ClientError} `not-found` */
  read(digest: Digest, buffer?: Uint8Array): AsyncIterable<Uint8Array>
  write(digest: Digest, chunks: AsyncIterable<Uint8Array>): Promise<void>
  remove(digest: Digest): Promise<void>
  /** Makes durable that the blobs written since are there. */
  sync(): Promise<void>
}

export interface BlobDirectoryOptions {
  /** The directory that holds `blobs`, without symbolic links on its way. */
  readonly root: string
  /** What the directory is, for messages. */
  readonly subject: string
  /** Whether what was written must outlive a power cut. */
  readonly durable: boolean
}

export const createBlobDirectory = ({ root, subject, durable }: BlobDirectoryOptions): BlobDirectory => {
  const blobs = join(root, imageLayout.blobsDirectory)
  const unsynced = new Set<string>()
  const pathOf = (digest: Digest): string => join(blobs, digestAlgorithm(digest), digestEncoded(digest))

  /** Whether the directory is there and really here: whoever made the layout may have put a link to anywhere in its place. */
  const isHere = async (directory: string): Promise<boolean> => {
    const real = await onFile(directory, async () => {
      try {
        return await realpath(directory)
      } catch (error) {
        if (isMissing(error)) return undefined
        throw error
      }
    })
    if (real === undefined || real === directory) return real !== undefined
    throw new ClientError('invalid-content', `${directory} is a symbolic link, which is not followed here.`, {
      subject,
      hint: 'Put a copy of the directory in its place.',
    })
  }

  const openBlob = async (digest: Digest): Promise<OpenFile | undefined> => {
    const path = pathOf(digest)
    return (await isHere(dirname(path))) ? openPlainFile(path, subject) : undefined
  }

  const makeDirectory = async (directory: string): Promise<void> => {
    if (await isHere(directory)) return
    await onFile(directory, () => mkdir(directory, { recursive: true }))
    unsynced.add(dirname(directory))
  }

  return {
    async size(digest) {
      const path = pathOf(digest)
      return (await isHere(dirname(path))) ? plainFileSize(path, subject) : undefined
    },

    async *read(digest, buffer) {
      const path = pathOf(digest)
      const file = await openBlob(digest)
      if (file === undefined) throw new ClientError('not-found', `${subject} has no blob ${digest}.`, { subject })
      try {
        yield* readPieces(file.handle, { start: 0, end: file.size, path, ...(buffer === undefined ? {} : { buffer }) })
      } finally {
        await file.handle.close()
      }
    },

    async write(digest, chunks) {
      const path = pathOf(digest)
      await makeDirectory(blobs)
      await makeDirectory(dirname(path))
      await writeWhole(path, chunks, { directory: root, durable })
      unsynced.add(dirname(path))
    },

    async remove(digest) {
      const path = pathOf(digest)
      if (await isHere(dirname(path))) await onFile(path, () => rm(path, { force: true }))
    },

    async sync() {
      const directories = [...unsynced]
      unsynced.clear()
      // From the inside out: a parent's entry is worth nothing before its child's.
      for (const directory of directories.toSorted((one, other) => other.length - one.length)) {
        await syncDirectory(directory)
      }
    },
  }
}
