import { dirname, join } from 'node:path'
import { makeDirectory, refuseForeign } from './data-directory.ts'
import type { DirectorySync } from './directory-sync.ts'
import { errorCode, type FileOperations } from './file-operations.ts'
import type { Layout } from './layout.ts'
import type { Trust } from './trust.ts'

/** Makes the shard directories of algorithms other than sha256 when the first blob of a shard comes. */
export interface Shards {
  /** @param shard Path below `blobs`: `sha512/ab`. */
  prepare(shard: string): Promise<void>
}

export const createShards = (
  files: FileOperations,
  layout: Layout,
  directories: DirectorySync,
  trust: Trust,
): Shards => {
  const prepared = new Map<string, Promise<void>>()
  /** Directories that were made, and whose entries could not be made durable. */
  const doubtful = new Set<string>()

  const prepare = async (path: string): Promise<void> => {
    const { losses } = trust
    await unmake(path)
    if (await makeDirectory(files, path)) doubtful.add(path)
    try {
      await refuseForeign(files, path)
      // Also when the directory is there: who made it may have been cut off before the sync.
      await directories.sync(dirname(path))
      trust.confirm(losses)
      doubtful.delete(path)
    } catch (error) {
      await unmake(path).catch(() => {})
      throw error
    }
  }

  /** A second fsync would say yes to an entry that the first one lost. One that is made anew is written anew. */
  const unmake = async (path: string): Promise<void> => {
    if (!doubtful.has(path)) return
    try {
      await files.rmdir(path)
    } catch (error) {
      if (errorCode(error) !== 'ENOENT') throw error
    }
    doubtful.delete(path)
  }

  const once = (path: string): Promise<void> => {
    let ready = prepared.get(path)
    if (ready === undefined) {
      ready = prepare(path)
      prepared.set(path, ready)
      ready.catch(() => prepared.delete(path))
    }
    return ready
  }

  return {
    prepare: async (shard) => {
      const algorithm = dirname(shard)
      if (algorithm === 'sha256') return
      await once(join(layout.blobs, algorithm))
      await once(join(layout.blobs, shard))
    },
  }
}
