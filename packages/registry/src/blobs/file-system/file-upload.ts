import { dirname } from 'node:path'
import type { BlobUpload } from '../blob-store.ts'
import type { DirectorySync } from './directory-sync.ts'
import { errorCode, type FileOperations } from './file-operations.ts'
import { continueFlags, createFlags, fileMode, type Layout, newKey, readFlags, shardOf } from './layout.ts'
import { ShortFileError } from './short-file-error.ts'
import type { Room } from './room.ts'
import type { Shards } from './shards.ts'
import type { Trust } from './trust.ts'

export interface UploadContext {
  readonly files: FileOperations
  readonly layout: Layout
  readonly directories: DirectorySync
  readonly shards: Shards
  /** Uploads that hold a descriptor. */
  readonly held: Set<BlobUpload>
  /** @throws when the store is closed. */
  requireOpen(): void
  readonly trust: Trust
  readonly room: Room
}

/** The bytes of an upload could not be made durable. It is over: they are to be sent again, in another upload. */
export class UploadSpoiledError extends Error {
  override readonly name = 'UploadSpoiledError'
  /** Of the system call that failed. */
  readonly code: string

  constructor(id: string, cause: unknown) {
    super(`The file system could not make upload ${id} durable. Its bytes are not trusted any more: discard it.`, {
      cause,
    })
    this.code = errorCode(cause) ?? 'UNAVAILABLE'
  }
}

/** Bytes read at once when the digest of an upload is computed again. */
const pieceSize = 512 * 1024

/**
 * An upload whose bytes are the file `uploads/<id>`. The file is made when the first byte comes.
 *
 * @param found Size of the file that is there already; undefined when there is none.
 */
export const createFileUpload = (context: UploadContext, id: string, found: number | undefined): BlobUpload => {
  const { files, layout, directories, shards, held, trust, room } = context
  const path = layout.upload(id)
  let exists = found !== undefined
  let size = found ?? 0
  let fd: number | undefined
  /** Why nothing can be done with it any more. */
  let over: Error | undefined
  /** The file may be longer than `size`. */
  let untidy = false
  let last: Promise<unknown> = Promise.resolve()

  /** One operation after the other, so that no descriptor closes under a write. */
  const inTurn = <T>(operation: () => Promise<T>): Promise<T> => {
    const result = last.then(operation, operation)
    last = result.catch(() => {})
    return result
  }

  const open = async (): Promise<number> => {
    context.requireOpen()
    if (over !== undefined) throw over
    if (fd === undefined) {
      fd = exists ? await files.open(path, continueFlags, fileMode) : await create()
      exists = true
      held.add(upload)
    }
    if (untidy) await files.truncate(fd, size)
    untidy = false
    return fd
  }

  const create = async (): Promise<number> => {
    try {
      return await files.open(path, createFlags, fileMode)
    } catch (error) {
      // A file that was made although the call failed would be in the way of the next try. One that was there is not ours.
      if (errorCode(error) !== 'EEXIST') await files.unlink(path).catch(() => {})
      throw error
    }
  }

  const closeFile = async (): Promise<void> => {
    const closing = fd
    fd = undefined
    held.delete(upload)
    if (closing !== undefined) await files.close(closing)
  }

  const write = async (chunks: readonly Uint8Array[]): Promise<void> => {
    let rest = chunks.filter((chunk) => chunk.byteLength > 0)
    if (rest.length === 0) return
    await trust.require()
    await room.take(rest.reduce((sum, { byteLength }) => sum + byteLength, 0))
    const to = await open()
    try {
      while (rest.length > 0) {
        // Each write names its offset: where the file ends does not matter, and a repeated write changes nothing.
        // More than once only when the system takes less than was given.
        const count = await files.write(to, rest, size)
        if (count === 0) throw noRoom(id)
        size += count
        rest = dropBytes(rest, count)
      }
    } catch (error) {
      // What the failed call wrote is not known; `size` is. Make the file agree, or a restart would find another offset.
      untidy = true
      // What cannot be taken back now is when the next write comes.
      await files.truncate(to, size).then(
        () => (untidy = false),
        () => {},
      )
      throw error
    }
  }

  const truncate = async (to: number): Promise<void> => {
    if (!Number.isSafeInteger(to) || to < 0) throw new RangeError(`An upload cannot be truncated to ${to} bytes.`)
    if (to >= size) return
    await files.truncate(await open(), to)
    size = to
  }

  const commit: BlobUpload['commit'] = async (digest) => {
    const key = newKey(digest)
    const target = layout.blob(key)
    if (target === undefined)
      throw new TypeError(`${JSON.stringify(digest)} is not a digest that blobs are stored under.`)
    await trust.require()
    const { losses } = trust
    const from = await open()
    // Both to their end, whatever becomes of the other: a descriptor must not close under an fsync.
    const ready = await Promise.allSettled([sync(from), shards.prepare(shardOf(key))])
    for (const each of ready) if (each.status === 'rejected') throw each.reason
    await files.rename(path, target)
    exists = false
    over = new Error(`Upload ${id} is over: it was committed.`)
    try {
      // Only now: the directory must be synced after the new name is in it, or power loss may leave the blob without one.
      const [durable] = await Promise.allSettled([directories.sync(dirname(target)), closeFile()])
      if (durable.status === 'rejected') throw durable.reason
      trust.confirm(losses)
    } catch (error) {
      await files.unlink(target).catch(() => {})
      throw error
    }
    return key
  }

  const sync = async (of: number): Promise<void> => {
    try {
      await files.sync(of)
    } catch (error) {
      // Linux marks the pages clean when writing them back fails, so that a second fsync would succeed with the bytes lost
      // (Rebello et al., "Can Applications Recover from fsync Failures?", USENIX ATC 2020). It is never tried again.
      // The file goes at once: after a restart its pages might still look right in memory, and only there.
      trust.lost(error)
      over = new UploadSpoiledError(id, error)
      await files.unlink(path).catch(() => {})
      throw over
    }
  }

  // A descriptor of its own, so that an upload that is only read again needs none for writing.
  async function* read(): AsyncIterable<Uint8Array> {
    if (size === 0) return
    const from = await files.open(path, readFlags)
    let ahead: Promise<Uint8Array> | undefined
    try {
      const end = size
      let position = 0
      const next = async (): Promise<Uint8Array> => {
        const piece = Buffer.allocUnsafeSlow(Math.min(pieceSize, end - position))
        const count = await files.read(from, piece, position)
        if (count === 0) throw new ShortFileError(end, position)
        position += count
        return piece.subarray(0, count)
      }
      ahead = next()
      while (ahead !== undefined) {
        // The consumer works on one piece while the next one is read.
        const piece: Uint8Array = await ahead
        ahead = position < end ? next() : undefined
        // Reported by the await above, when the consumer comes for it.
        ahead?.catch(() => {})
        yield piece
      }
    } finally {
      await ahead?.catch(() => {})
      await files.close(from)
    }
  }

  const upload: BlobUpload = {
    get size() {
      return size
    },
    write: (chunks) => inTurn(() => write(chunks)),
    truncate: (to) => inTurn(() => truncate(to)),
    read,
    commit: (digest) => inTurn(() => commit(digest)),
    state: () => undefined,
    close: () => inTurn(closeFile),
  }
  return upload
}

/** The system took nothing and gave no reason: as if the disk were full, which is the reason there is. */
const noRoom = (id: string): Error =>
  Object.assign(new Error(`The file system takes no more bytes for upload ${id}.`), { code: 'ENOSPC' })

const dropBytes = (chunks: readonly Uint8Array[], count: number): Uint8Array[] => {
  const rest: Uint8Array[] = []
  let left = count
  for (const chunk of chunks) {
    if (left >= chunk.byteLength) left -= chunk.byteLength
    else {
      rest.push(left === 0 ? chunk : chunk.subarray(left))
      left = 0
    }
  }
  return rest
}
