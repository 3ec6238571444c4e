import { mkdir, open, readdir, realpath, rename, rm, rmdir } from 'node:fs/promises'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { backUp } from '../metadata/sqlite/backup.ts'
import { openSqliteExamination } from '../metadata/sqlite/sqlite-examination.ts'
import { backUpBlobs } from './back-up-blobs.ts'
import { BackupError, type BackupReport } from './backup-report.ts'

export interface BackUpDirectoryOptions {
  /** Milliseconds since the epoch; for tests. */
  readonly now?: () => number
  readonly signal?: AbortSignal
}

/**
 * Makes a backup of a data directory, whether a server runs on it or none: a copy of the database as it is at one moment, then
 * exactly the files that it names, as hard links where the file system allows it. A server started on `target` is the restored
 * registry. Everything is durable when this resolves; `registry.db` gets its name last, so a directory that has one is whole.
 *
 * Everything that was acknowledged before is in it, as far as it is not deleted before this resolves. The secret that seals
 * signing keys is not in it.
 *
 * @param target A directory that does not exist, or is empty, outside of `source`.
 * @throws BackupError when it is neither.
 */
export const backUpDirectory = async (
  source: string,
  target: string,
  options: BackUpDirectoryOptions = {},
): Promise<BackupReport> => {
  const { now = Date.now, signal } = options
  const from = resolve(source)
  const to = resolve(target)
  // Says what is wrong with the source before anything is made.
  using live = openSqliteExamination(join(from, 'registry.db'))
  await requireOutside(from, to)
  const made = await makeEmpty(to)
  const unfinished = join(to, 'registry.db.unfinished')
  try {
    signal?.throwIfAborted()
    // First the database, then the files: none of them is ever changed, and what comes later is in no row of the copy.
    await backUp(join(from, 'registry.db'), unfinished)
    const report = await backUpBlobs({ from, to, database: unfinished, live, now, signal })
    await rename(unfinished, join(to, 'registry.db'))
    await syncPath(to)
    if (made) await syncPath(dirname(to))
    return report
  } catch (error) {
    await rm(join(to, 'blobs'), { recursive: true, force: true })
    for (const end of ['', '-wal', '-shm']) await rm(`${unfinished}${end}`, { force: true })
    if (made) await rmdir(to).catch(() => {})
    throw error
  }
}

/** Links included: the target is where it leads. */
const requireOutside = async (from: string, to: string): Promise<void> => {
  const parent = await realpath(dirname(to)).catch((error: unknown) => {
    throw new BackupError(`${dirname(to)} is not there. Make it, then try again.`, { cause: error })
  })
  // The target itself may be a link to an empty directory, or not be there yet.
  const target = await realpath(to).catch(() => join(parent, basename(to)))
  const way = relative(await realpath(from), target)
  if (way === '' || !(way.startsWith('..') || resolve(way) === way)) {
    throw new BackupError(`${to} is in ${from} itself. A backup belongs elsewhere, best on another disk.`)
  }
}

/** @returns whether it was made. */
const makeEmpty = async (directory: string): Promise<boolean> => {
  try {
    await mkdir(directory, { mode: 0o700 })
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    const entries = await readdir(directory)
    if (entries.length === 0) return false
    throw new BackupError(`${directory} is not empty. A backup replaces nothing: name a directory that does not exist.`)
  }
}

const syncPath = async (path: string): Promise<void> => {
  // Windows cannot open a directory for this; NTFS journals its entries.
  if (process.platform === 'win32') return
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
