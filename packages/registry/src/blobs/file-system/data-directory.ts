import { dirname, join } from 'node:path'
import type { DirectorySync } from './directory-sync.ts'
import { errorCode, type FileFacts, type FileOperations } from './file-operations.ts'
import { directoryMode, type Layout } from './layout.ts'

/** The directory cannot be used as it is; the message says what to change. */
export class DataDirectoryError extends Error {
  override readonly name = 'DataDirectoryError'
}

/**
 * Makes what is missing of a data directory, durably, and refuses one that others could tamper with.
 *
 * The 256 shards of sha256 are made here so that no push has to: their entries are then durable before the first blob is.
 */
export const prepareDataDirectory = async (
  files: FileOperations,
  layout: Layout,
  directories: DirectorySync,
): Promise<void> => {
  const { root, uploads, blobs } = layout
  await makeWithParents(files, root)
  const rootAt = await files.stat(root)
  refuseWorldWritable(root, rootAt)
  await Promise.all([makeDirectory(files, uploads), makeDirectory(files, blobs)])
  const [uploadsAt, blobsAt] = await Promise.all([refuseForeign(files, uploads), refuseForeign(files, blobs)])
  if (uploadsAt.device !== blobsAt.device) {
    throw new DataDirectoryError(
      `${uploads} and ${blobs} are on different file systems. A finished upload is renamed from one to the other: put both on one.`,
    )
  }
  const sha256 = join(blobs, 'sha256')
  await makeDirectory(files, sha256)
  await refuseForeign(files, sha256)
  const present = new Map<string, FileFacts['kind']>()
  for await (const { name, kind } of files.list(sha256)) present.set(name, kind)
  await Promise.all(
    shardNames.map(async (name) => {
      const kind = present.get(name)
      if (kind === undefined) await makeDirectory(files, join(sha256, name))
      else if (kind !== 'directory') await refuseForeign(files, join(sha256, name))
    }),
  )
  // Also when nothing was made: an earlier start may have been cut off between making and syncing.
  for (const directory of [sha256, blobs, root]) {
    // From the inside out: a parent's entry is worth nothing before its child's.
    await directories.sync(directory)
  }
  await syncAbove(files, directories, root, rootAt.device)
}

/**
 * Makes the way to the root durable, as far as it is on the same file system: whoever made those directories, an earlier start
 * or a script, may not have synced them, and a blob is worth nothing in a directory that power loss takes away.
 */
const syncAbove = async (
  files: FileOperations,
  directories: DirectorySync,
  root: string,
  device: number,
): Promise<void> => {
  for (let child = root, parent = dirname(root); parent !== child; child = parent, parent = dirname(parent)) {
    try {
      if ((await files.stat(parent)).device !== device) return
      await directories.sync(parent)
    } catch (error) {
      const code = errorCode(error)
      // Ours to pass through but not to read, then not ours to sync; and not every file system syncs what it gives to read.
      if (code !== 'EACCES' && code !== 'EPERM' && code !== 'EROFS' && code !== 'EINVAL') throw error
    }
  }
}

const shardNames = Array.from({ length: 256 }, (_, index) => index.toString(16).padStart(2, '0'))

/** Makes the directory, and those above it that are missing. */
const makeWithParents = async (files: FileOperations, path: string): Promise<void> => {
  try {
    await makeDirectory(files, path)
  } catch (error) {
    if (errorCode(error) !== 'ENOENT' || dirname(path) === path) throw error
    await makeWithParents(files, dirname(path))
    await makeDirectory(files, path)
  }
}

/**
 * Makes a directory, if it is not there. Its entry is durable once the parent is synced.
 *
 * @returns whether it was made.
 */
export const makeDirectory = async (files: FileOperations, path: string): Promise<boolean> => {
  try {
    await files.mkdir(path, directoryMode)
    return true
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error
    return false
  }
}

/** @throws DataDirectoryError when the path is anything but a directory that is really here. */
export const refuseForeign = async (files: FileOperations, path: string): Promise<FileFacts> => {
  const facts = await files.lstat(path)
  if (facts.kind === 'link') {
    throw new DataDirectoryError(
      `${path} is a symbolic link. Whoever can change it decides where blobs are written: make it a directory, ` +
        'or mount the other place there.',
    )
  }
  if (facts.kind !== 'directory') throw new DataDirectoryError(`${path} is not a directory. Move it away.`)
  refuseWorldWritable(path, facts)
  return facts
}

const refuseWorldWritable = (path: string, { mode }: FileFacts): void => {
  // Windows has no such bits; Node makes them up.
  if (process.platform === 'win32') return
  if ((mode & 0o002) !== 0) {
    throw new DataDirectoryError(
      `${path} is writable by everybody on this machine (mode ${(mode & 0o7777).toString(8)}), who could then replace ` +
        `blobs. Run: chmod o-w ${path}`,
    )
  }
}
