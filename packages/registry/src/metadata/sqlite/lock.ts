import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { SqliteCode, sqliteCode } from './error-code.ts'

/** Holds the lock; beside it stands who does. Nothing but SQLite may open it, see below. */
const LOCK_FILE = 'lock.db'
const PID_FILE = 'lock.pid'

/**
 * The locks of this process. Without this a lock that its holder only keeps, and never touches again, would be garbage:
 * the collector closes the database, and the directory is free while it is in use.
 */
const held = new Set<DatabaseSync>()

/**
 * Makes this process the only one that uses the directory, until the lock is disposed of or the process ends, however it
 * ends. Throws an error that names the directory and the holder when another process has it.
 *
 * Node has no `flock`, but SQLite locks files: an exclusive transaction on a small database of its own, never committed.
 * The operating system takes the lock back when the process dies. (It also does when any code of this process opens and
 * closes `lock.db` by other means: that is how POSIX record locks are. Copy a data directory without this file.)
 */
export function lockDirectory(directory: string): Disposable {
  const pidFile = join(directory, PID_FILE)
  const database = new DatabaseSync(join(directory, LOCK_FILE), { timeout: 0 })
  try {
    database.exec('begin exclusive')
  } catch (error) {
    database.close()
    if (sqliteCode(error) !== SqliteCode.busy) throw error
    throw new DirectoryLockedError(directory, readHolder(pidFile), { cause: error })
  }
  writeFileSync(pidFile, `${process.pid}\n`)
  held.add(database)
  return {
    [Symbol.dispose]() {
      if (!held.delete(database)) return
      // Before the lock is let go: afterwards it may be the file of the next holder.
      rmSync(pidFile, { force: true })
      database.close()
    },
  }
}

export class DirectoryLockedError extends Error {
  override readonly name = 'DirectoryLockedError'
  readonly code = 'DIRECTORY_LOCKED'
  readonly directory: string
  /** Process id of the holder, when it could be read. */
  readonly holder: number | undefined

  constructor(directory: string, holder: number | undefined, options?: { cause?: unknown }) {
    const who = holder === undefined ? 'another process' : `the process with the id ${holder}`
    super(`${directory} is in use by ${who}. Stop it first, or use another directory.`, options)
    this.directory = directory
    this.holder = holder
  }
}

function readHolder(pidFile: string): number | undefined {
  try {
    const pid = Number.parseInt(readFileSync(pidFile, 'utf8'), 10)
    return Number.isSafeInteger(pid) ? pid : undefined
  } catch {
    // The holder has the lock but not yet, or no longer, written its name.
    return undefined
  }
}
