import { LRUCache } from 'lru-cache'
import { errorCode, type FileOperations } from './file-operations.ts'
import { readFlags } from './layout.ts'

/** A file held open for one reader. */
export interface OpenFile {
  readonly fd: number
  /** The first bytes of the file, when somebody read them. */
  head: Uint8Array | undefined
  /** To be called once, when no read of this reader is under way any more. */
  release(): void
}

/**
 * Keeps the files of blobs that are read often open. A key's bytes never change, so an open file is never stale; a read of
 * such a blob is one system call, or none.
 */
export interface OpenFiles extends AsyncDisposable {
  /** The file, at once when it is open already; undefined when there is none. */
  acquire(key: string): OpenFile | undefined | Promise<OpenFile | undefined>
  /** Lets the file go. Readers that have it keep it until they release it. */
  forget(key: string): void
}

interface Handle extends OpenFile {
  users: number
  cached: boolean
}

interface Opening {
  waiters: number
  readonly handle: Promise<Handle | undefined>
}

/** @param pathOf The file of a key, or undefined when the key is not one of ours. */
export const createOpenFiles = (
  files: FileOperations,
  max: number,
  pathOf: (key: string) => string | undefined,
): OpenFiles => {
  const closing = new Set<Promise<void>>()
  const opening = new Map<string, Opening>()

  const closeIfUnused = (handle: Handle): void => {
    if (handle.users > 0 || handle.cached) return
    const closed = files
      .close(handle.fd)
      // Nothing was written through it, so nothing is lost when closing fails.
      .catch(() => {})
      .finally(() => closing.delete(closed))
    closing.add(closed)
  }

  const cache = new LRUCache<string, Handle>({
    max,
    dispose: (handle) => {
      handle.cached = false
      closeIfUnused(handle)
    },
  })

  const open = async (key: string, path: string, self: () => Opening): Promise<Handle | undefined> => {
    try {
      const fd = await files.open(path, readFlags)
      const handle: Handle = {
        fd,
        head: undefined,
        // Counted for the waiters before they run: one of them must not find it closed by the release of another.
        users: self().waiters,
        cached: opening.get(key) === self(),
        release: () => {
          handle.users -= 1
          closeIfUnused(handle)
        },
      }
      if (handle.cached) cache.set(key, handle)
      return handle
    } catch (error) {
      const code = errorCode(error)
      if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
      throw error
    } finally {
      if (opening.get(key) === self()) opening.delete(key)
    }
  }

  return {
    acquire: (key) => {
      const handle = cache.get(key)
      if (handle !== undefined) {
        handle.users += 1
        return handle
      }
      let pending = opening.get(key)
      if (pending === undefined) {
        const path = pathOf(key)
        if (path === undefined) return undefined
        const created: Opening = { waiters: 0, handle: open(key, path, () => created) }
        pending = created
        opening.set(key, created)
      }
      pending.waiters += 1
      return pending.handle
    },
    forget: (key) => {
      // A file that is being opened right now may be the one that was just deleted: its openers get it, the cache does not.
      opening.delete(key)
      cache.delete(key)
    },
    [Symbol.asyncDispose]: async () => {
      const pending = [...opening.values()].map((each) => each.handle)
      opening.clear()
      await Promise.allSettled(pending)
      cache.clear()
      await Promise.all(closing)
    },
  }
}
