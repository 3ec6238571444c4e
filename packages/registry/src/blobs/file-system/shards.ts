import { dirname, join } from 'node:path'
import { makeDirectory, refuseForeign } from './data-directory.ts'
import type { DirectorySync } from './directory-sync.ts'
import type { Layout } from './layout.ts'

/** Makes the shard directories of algorithms other than sha256 when the first blob of a shard comes. */
export interface Shards {
  /** @param shard Path below `blobs`: `sha512/ab`. */
  prepare(shard: string): Promise<void>
}

export const createShards = (layout: Layout, directories: DirectorySync): Shards => {
  const prepared = new Map<string, Promise<void>>()

  // Syncs the parent also when the directory is there: who made it may have been cut off before the sync.
  const once = (path: string): Promise<void> => {
    let ready = prepared.get(path)
    if (ready === undefined) {
      ready = (async () => {
        await makeDirectory(path)
        await refuseForeign(path)
        await directories.sync(dirname(path))
      })()
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
