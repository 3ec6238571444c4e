import { dirname, join } from 'node:path'
import type { BlobStore, InspectedBytes, StoredBytes } from '../blob-store.ts'
import { type DirectoryEntry, errorCode, type FileOperations } from './file-operations.ts'
import { isUploadId, type Layout, readFlags } from './layout.ts'

/**
 * The directory where a blob's file would be is not there: then it says nothing of the blob that its file is missing. Somebody
 * forgot to mount the disk, say.
 */
export class ShardMissingError extends Error {
  override readonly name = 'ShardMissingError'
  /** As a store says that it cannot be used for now. */
  readonly code = 'UNAVAILABLE'

  constructor(directory: string) {
    super(`${directory} is missing, which is never removed while blobs are in it. Is the disk mounted?`)
  }
}

/** What is stored, looked at without any of it being held open or remembered. */
export interface StoredFiles extends Pick<BlobStore, 'inspect' | 'listBlobs' | 'listUploads'> {
  /** @throws ShardMissingError when no file of the key could be there. */
  requireShard(key: string): Promise<void>
}

/** Small enough to be hashed between two requests without any of them noticing: a fifth of a millisecond. */
const pieceSize = 256 * 1024

export const createStoredFiles = (files: FileOperations, layout: Layout): StoredFiles => {
  const requireShard: StoredFiles['requireShard'] = async (key) => {
    const path = layout.blob(key)
    if (path === undefined) return
    const directory = dirname(path)
    const facts = await files.stat(directory).catch(ignoreMissing)
    if (facts?.kind !== 'directory') throw new ShardMissingError(directory)
  }

  async function* read(path: string): AsyncIterable<Uint8Array> {
    const fd = await files.open(path, readFlags)
    try {
      // One buffer for all pieces: who checks a terabyte must not make garbage of a terabyte.
      const buffer = Buffer.allocUnsafeSlow(pieceSize)
      for (let position = 0; ;) {
        const count = await files.read(fd, buffer, position)
        if (count === 0) return
        position += count
        yield buffer.subarray(0, count)
      }
    } finally {
      // Nothing was written through it, so nothing is lost when closing fails.
      await files.close(fd).catch(() => {})
    }
  }

  /** Of a directory that is not there: nothing. A backup, for instance, has no uploads. */
  async function* list(path: string): AsyncIterable<DirectoryEntry> {
    try {
      yield* files.list(path)
    } catch (error) {
      ignoreMissing(error)
    }
  }

  return {
    requireShard,

    inspect: async (key): Promise<InspectedBytes | undefined> => {
      const path = layout.blob(key)
      if (path === undefined) return undefined
      const facts = await files.lstat(path).catch(ignoreMissing)
      if (facts?.kind === 'file') {
        return { size: facts.size, storedAt: facts.changedAt, read: () => read(path) }
      }
      if (facts === undefined) await requireShard(key)
      return undefined
    },

    async *listUploads() {
      for await (const { name } of list(layout.uploads)) {
        if (!isUploadId(name)) continue
        const facts = await files.lstat(join(layout.uploads, name)).catch(ignoreMissing)
        if (facts?.kind === 'file') yield { id: name, touchedAt: facts.modifiedAt }
      }
    },

    async *listBlobs(): AsyncIterable<StoredBytes> {
      for await (const algorithm of list(layout.blobs)) {
        if (algorithm.kind !== 'directory') continue
        for await (const shard of list(join(layout.blobs, algorithm.name))) {
          if (shard.kind !== 'directory') continue
          for await (const file of list(join(layout.blobs, algorithm.name, shard.name))) {
            const key = `${algorithm.name}/${shard.name}/${file.name}`
            const path = layout.blob(key)
            const facts = path === undefined ? undefined : await files.lstat(path).catch(ignoreMissing)
            // A rename sets the time of the last change: the bytes themselves may be older.
            if (facts?.kind === 'file') yield { key, size: facts.size, storedAt: facts.changedAt }
          }
        }
      }
    },
  }
}

export const ignoreMissing = (error: unknown): undefined => {
  const code = errorCode(error)
  if (code !== 'ENOENT' && code !== 'ENOTDIR') throw error
  return undefined
}
