import type { Stats } from 'node:fs'
import { lstat, mkdir, readdir, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { DirectorySync } from './directory-sync.ts'
import { errorCode } from './file-operations.ts'
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
export const prepareDataDirectory = async (layout: Layout, directories: DirectorySync): Promise<void> => {
  const { root, uploads, blobs } = layout
  const made = await mkdir(root, { recursive: true, mode: directoryMode })
  refuseWorldWritable(root, await stat(root))
  await Promise.all([makeDirectory(uploads), makeDirectory(blobs)])
  const [uploadsAt, blobsAt] = await Promise.all([refuseForeign(uploads), refuseForeign(blobs)])
  if (uploadsAt.dev !== blobsAt.dev) {
    throw new DataDirectoryError(
      `${uploads} and ${blobs} are on different file systems. A finished upload is renamed from one to the other: put both on one.`,
    )
  }
  const sha256 = join(blobs, 'sha256')
  await makeDirectory(sha256)
  await refuseForeign(sha256)
  const present = new Map((await readdir(sha256, { withFileTypes: true })).map((entry) => [entry.name, entry]))
  await Promise.all(
    shardNames.map(async (name) => {
      const entry = present.get(name)
      if (entry === undefined) await makeDirectory(join(sha256, name))
      else if (!entry.isDirectory()) await refuseForeign(join(sha256, name))
    }),
  )
  // Also when nothing was made: an earlier start may have been cut off between making and syncing.
  for (const directory of [sha256, blobs, root, ...parentsOf(root, made)]) {
    // From the inside out: a parent's entry is worth nothing before its child's.
    await directories.sync(directory)
  }
}

const shardNames = Array.from({ length: 256 }, (_, index) => index.toString(16).padStart(2, '0'))

/** The directories that got a new entry when `root` was made; `first` is the outermost one made, if any was. */
const parentsOf = (root: string, first: string | undefined): string[] => {
  const parents: string[] = []
  if (first === undefined) return parents
  for (let made = root; ; made = dirname(made)) {
    parents.push(dirname(made))
    if (made === first || dirname(made) === made) return parents
  }
}

/** Makes a directory, if it is not there. Its entry is durable once the parent is synced. */
export const makeDirectory = async (path: string): Promise<void> => {
  try {
    await mkdir(path, { mode: directoryMode })
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error
  }
}

/** @throws DataDirectoryError when the path is anything but a directory that is really here. */
export const refuseForeign = async (path: string): Promise<Stats> => {
  const stats = await lstat(path)
  if (stats.isSymbolicLink()) {
    throw new DataDirectoryError(
      `${path} is a symbolic link. Whoever can change it decides where blobs are written: make it a directory, ` +
        'or mount the other place there.',
    )
  }
  if (!stats.isDirectory()) throw new DataDirectoryError(`${path} is not a directory. Move it away.`)
  refuseWorldWritable(path, stats)
  return stats
}

const refuseWorldWritable = (path: string, stats: Stats): void => {
  // Windows has no such bits; Node makes them up.
  if (process.platform === 'win32') return
  if ((stats.mode & 0o002) !== 0) {
    throw new DataDirectoryError(
      `${path} is writable by everybody on this machine (mode ${(stats.mode & 0o7777).toString(8)}), who could then replace ` +
        `blobs. Run: chmod o-w ${path}`,
    )
  }
}
