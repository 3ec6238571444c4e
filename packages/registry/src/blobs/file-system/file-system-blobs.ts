import { randomBytes, randomUUID } from 'node:crypto'
import { dirname, resolve } from 'node:path'
import type { Readable } from 'node:stream'
import type { BlobStore, BlobUpload } from '../blob-store.ts'
import { prepareDataDirectory } from './data-directory.ts'
import { createDirectorySync } from './directory-sync.ts'
import { type FileOperations, fileOperations } from './file-operations.ts'
import { createFileUpload } from './file-upload.ts'
import { createFlags, createLayout, fileMode } from './layout.ts'
import { createOpenFiles } from './open-files.ts'
import { readBytes, streamBytes } from './read-range.ts'
import { createRoom } from './room.ts'
import { createShards } from './shards.ts'
import { createStoredFiles, ignoreMissing } from './stored-files.ts'
import { createTrust } from './trust.ts'

export interface FileSystemBlobsOptions {
  /**
   * The data directory, made when missing. Blobs are in `blobs/<algorithm>/<ab>/<hex>.<generation>` below it, bytes of
   * unfinished uploads in `uploads/<id>`. One process owns it at a time.
   */
  readonly root: string
  /** How many files of blobs stay open for the next read, each with up to 64 KiB in memory; 256 unless said. */
  readonly openFiles?: number
  /**
   * Bytes of the file system that no blob takes, so that the database can go on, and something be deleted, when the disk is
   * full; 16 MiB unless said, or a tenth of a small disk.
   */
  readonly keepFree?: number
}

/** Ranges up to this many bytes are given at once, longer ones as a stream. */
const shortRange = 256 * 1024

/**
 * Opens a store that keeps each blob in a file. A committed blob survives power loss, as far as the disk keeps what fsync
 * promises.
 *
 * @throws DataDirectoryError when the directory is writable by everybody or has a symbolic link where blobs would go.
 */
export const fileSystemBlobs = async (
  options: FileSystemBlobsOptions,
  files: FileOperations = fileOperations,
): Promise<BlobStore> => {
  const { openFiles: maxOpenFiles = 256, keepFree } = options
  if (!Number.isSafeInteger(maxOpenFiles) || maxOpenFiles < 1) {
    throw new RangeError(`openFiles must be a whole number from 1 on, not ${maxOpenFiles}.`)
  }
  if (keepFree !== undefined && !(Number.isSafeInteger(keepFree) && keepFree >= 0)) {
    throw new RangeError(`keepFree must be a whole number of bytes, not ${keepFree}.`)
  }
  if (options.root === '') throw new TypeError('root must name a directory.')
  const layout = createLayout(resolve(options.root))
  const removeFile = async (path: string): Promise<void> => {
    await files.unlink(path).catch(ignoreMissing)
  }

  /** Writes a file through to the disk and takes it away: what a push needs. */
  const tryDisk = async (): Promise<void> => {
    // The name of an upload: what a crash leaves of it goes with those that have no row.
    const path = layout.upload(randomUUID())
    const fd = await files.open(path, createFlags, fileMode)
    try {
      // Bytes that were never there, so that no cache can have them.
      await files.write(fd, [randomBytes(16)], 0)
      await files.sync(fd).catch((error: unknown) => {
        trust.lost(error)
        throw error
      })
      await directories.sync(layout.uploads)
    } finally {
      await files.close(fd).catch(() => {})
      // What stays goes with the bytes of uploads that have no row.
      await files.unlink(path).catch(() => {})
    }
  }
  const trust = createTrust(tryDisk)
  const directories = createDirectorySync(files, trust.lost)
  try {
    await prepareDataDirectory(files, layout, directories)
  } catch (error) {
    await directories[Symbol.asyncDispose]()
    throw error
  }
  const openFiles = createOpenFiles(files, maxOpenFiles, layout.blob)
  const stored = createStoredFiles(files, layout)
  const shards = createShards(files, layout, directories, trust)
  const room = createRoom(files, layout.uploads, keepFree)
  const held = new Set<BlobUpload>()
  const streams = new Set<Readable>()
  let closed = false

  const requireOpen = (): void => {
    if (closed) throw new Error('The blob store is closed.')
  }

  const context = { files, layout, directories, shards, held, requireOpen, trust, room }

  const openUpload: BlobStore['openUpload'] = async (id) => {
    requireOpen()
    return createFileUpload(context, id, await sizeOf(files, layout.upload(id)))
  }

  const discardUpload: BlobStore['discardUpload'] = async (id) => {
    await removeFile(layout.upload(id))
  }

  const read: BlobStore['read'] = async (key, start, end) => {
    requireOpen()
    if (!Number.isSafeInteger(start) || !Number.isSafeInteger(end) || start < 0 || end < start) {
      throw new RangeError(`${start} to ${end} is not a range of bytes.`)
    }
    const acquired = openFiles.acquire(key)
    const file = acquired instanceof Promise ? await acquired : acquired
    if (file === undefined) {
      await stored.requireShard(key)
      return undefined
    }
    if (end - start <= shortRange) {
      try {
        return await readBytes(files, file, start, end)
      } catch (error) {
        openFiles.forget(key)
        throw error
      } finally {
        file.release()
      }
    }
    const stream = await streamBytes(files, file, start, end).catch((error: unknown) => {
      // The next reader opens it anew: this descriptor may lead to a file system that is not mounted there any more.
      openFiles.forget(key)
      throw error
    })
    streams.add(stream)
    stream.once('close', () => streams.delete(stream))
    return stream
  }

  const remove: BlobStore['delete'] = async (key) => {
    const path = layout.blob(key)
    if (path === undefined) return
    await removeFile(path)
    openFiles.forget(key)
    // Or power loss could bring back a file that nothing points to any more. Also when it was gone: an earlier delete may have
    // been cut off here.
    await directories.sync(dirname(path)).catch(ignoreMissing)
  }

  const check: BlobStore['check'] = async () => {
    requireOpen()
    await trust.check()
  }

  const dispose = async (): Promise<void> => {
    closed = true
    for (const stream of streams) stream.destroy(new Error('The blob store was closed while a blob was read.'))
    await Promise.all([...held].map((upload) => upload.close()))
    await Promise.all([openFiles[Symbol.asyncDispose](), directories[Symbol.asyncDispose]()])
  }

  return {
    kind: 'file-system',
    openUpload,
    discardUpload,
    listUploads: stored.listUploads,
    read,
    inspect: stored.inspect,
    listBlobs: stored.listBlobs,
    delete: remove,
    check,
    [Symbol.asyncDispose]: dispose,
  } satisfies BlobStore
}

/** The size of a regular file, or undefined when there is nothing. */
const sizeOf = async (files: FileOperations, path: string): Promise<number | undefined> => {
  const facts = await files.lstat(path).catch(ignoreMissing)
  if (facts === undefined) return undefined
  if (facts.kind !== 'file') throw new Error(`${path} is not a regular file. Somebody put it there: remove it.`)
  return facts.size
}
