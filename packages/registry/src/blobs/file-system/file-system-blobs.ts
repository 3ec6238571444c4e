import { randomUUID } from 'node:crypto'
import { lstat, opendir } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import type { Readable } from 'node:stream'
import type { BlobStore, BlobUpload, StoredBytes } from '../blob-store.ts'
import { prepareDataDirectory } from './data-directory.ts'
import { createDirectorySync } from './directory-sync.ts'
import { errorCode, type FileOperations, fileOperations } from './file-operations.ts'
import { createFileUpload } from './file-upload.ts'
import { createFlags, createLayout, fileMode, isUploadId } from './layout.ts'
import { createOpenFiles } from './open-files.ts'
import { readBytes, streamBytes } from './read-range.ts'
import { createShards } from './shards.ts'

export interface FileSystemBlobsOptions {
  /**
   * The data directory, made when missing. Blobs are in `blobs/<algorithm>/<ab>/<hex>.<generation>` below it, bytes of
   * unfinished uploads in `uploads/<id>`. One process owns it at a time.
   */
  readonly root: string
  /** How many files of blobs stay open for the next read, each with up to 64 KiB in memory; 256 unless said. */
  readonly openFiles?: number
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
  const { openFiles: maxOpenFiles = 256 } = options
  if (!Number.isSafeInteger(maxOpenFiles) || maxOpenFiles < 1) {
    throw new RangeError(`openFiles must be a whole number from 1 on, not ${maxOpenFiles}.`)
  }
  if (options.root === '') throw new TypeError('root must name a directory.')
  const layout = createLayout(resolve(options.root))
  const directories = createDirectorySync(files)
  try {
    await prepareDataDirectory(layout, directories)
  } catch (error) {
    await directories[Symbol.asyncDispose]()
    throw error
  }
  const openFiles = createOpenFiles(files, maxOpenFiles, layout.blob)
  const shards = createShards(layout, directories)
  const held = new Set<BlobUpload>()
  const streams = new Set<Readable>()
  let broken: unknown
  let closed = false

  const onSyncFailure = (error: unknown): void => {
    // A full disk can be emptied; a disk that fails to write may have lost more than this, and someone should look.
    if (errorCode(error) !== 'ENOSPC' && errorCode(error) !== 'EDQUOT') broken ??= error
  }

  const requireOpen = (): void => {
    if (closed) throw new Error('The blob store is closed.')
  }

  const context = { files, layout, directories, shards, held, requireOpen, onSyncFailure }

  const openUpload: BlobStore['openUpload'] = async (id) => {
    requireOpen()
    return createFileUpload(context, id, await sizeOf(layout.upload(id)))
  }

  const discardUpload: BlobStore['discardUpload'] = async (id) => {
    await removeFile(layout.upload(id))
  }

  async function* listUploads(): AsyncIterable<{ id: string; touchedAt: number }> {
    for await (const { name } of await opendir(layout.uploads)) {
      if (!isUploadId(name)) continue
      const stats = await lstat(join(layout.uploads, name)).catch(ignoreMissing)
      if (stats?.isFile() === true) yield { id: name, touchedAt: Math.trunc(stats.mtimeMs) }
    }
  }

  const read: BlobStore['read'] = async (key, start, end) => {
    requireOpen()
    if (!Number.isSafeInteger(start) || !Number.isSafeInteger(end) || start < 0 || end < start) {
      throw new RangeError(`${start} to ${end} is not a range of bytes.`)
    }
    const acquired = openFiles.acquire(key)
    const file = acquired instanceof Promise ? await acquired : acquired
    if (file === undefined) return undefined
    if (end - start <= shortRange) {
      try {
        return await readBytes(files, file, start, end)
      } finally {
        file.release()
      }
    }
    const stream = await streamBytes(files, file, start, end)
    streams.add(stream)
    stream.once('close', () => streams.delete(stream))
    return stream
  }

  const remove: BlobStore['delete'] = async (key) => {
    const path = layout.blob(key)
    if (path === undefined) return
    const removed = await removeFile(path)
    openFiles.forget(key)
    // Or power loss could bring back a file that nothing points to any more.
    if (removed) await directories.sync(dirname(path))
  }

  async function* listBlobs(): AsyncIterable<StoredBytes> {
    for await (const algorithm of await opendir(layout.blobs)) {
      if (!algorithm.isDirectory()) continue
      for await (const shard of await opendir(join(layout.blobs, algorithm.name))) {
        if (!shard.isDirectory()) continue
        for await (const file of await opendir(join(layout.blobs, algorithm.name, shard.name))) {
          const key = `${algorithm.name}/${shard.name}/${file.name}`
          const path = layout.blob(key)
          const stats = path === undefined ? undefined : await lstat(path).catch(ignoreMissing)
          // A rename sets the time of the last change: the bytes themselves may be older.
          if (stats?.isFile() === true) yield { key, size: stats.size, storedAt: Math.trunc(stats.ctimeMs) }
        }
      }
    }
  }

  const removeFile = async (path: string): Promise<boolean> => {
    try {
      await files.unlink(path)
      return true
    } catch (error) {
      ignoreMissing(error)
      return false
    }
  }

  /** Writes a file through to the disk and takes it away: what a push needs. */
  const probe = async (): Promise<void> => {
    const path = join(layout.uploads, `check-${randomUUID()}`)
    const fd = await files.open(path, createFlags, fileMode)
    try {
      await files.write(fd, [Buffer.from('check')], 0)
      await files.sync(fd)
    } finally {
      await files.close(fd)
      await removeFile(path)
    }
  }

  let probing: Promise<void> | undefined
  const check: BlobStore['check'] = async () => {
    requireOpen()
    if (broken !== undefined) {
      throw new Error('Writing to the disk failed earlier. Check the disk and the kernel log, then restart.', {
        cause: broken,
      })
    }
    probing ??= probe().finally(() => (probing = undefined))
    await probing
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
    listUploads,
    read,
    listBlobs,
    delete: remove,
    check,
    [Symbol.asyncDispose]: dispose,
  } satisfies BlobStore
}

/** The size of a regular file, or undefined when there is nothing. */
const sizeOf = async (path: string): Promise<number | undefined> => {
  const stats = await lstat(path).catch(ignoreMissing)
  if (stats === undefined) return undefined
  if (!stats.isFile()) throw new Error(`${path} is not a regular file. Somebody put it there: remove it.`)
  return stats.size
}

const ignoreMissing = (error: unknown): undefined => {
  const code = errorCode(error)
  if (code !== 'ENOENT' && code !== 'ENOTDIR') throw error
  return undefined
}
