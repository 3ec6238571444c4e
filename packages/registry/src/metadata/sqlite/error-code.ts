import { MetadataError } from '../metadata-error.ts'
import type { Connection } from './connection.ts'

/** SQLite's primary result codes (sqlite.org/rescode.html). */
export const SqliteCode = {
  busy: 5,
  noMemory: 7,
  readOnly: 8,
  ioError: 10,
  corrupt: 11,
  full: 13,
  cannotOpen: 14,
  notADatabase: 26,
} as const

/** Extended codes of `ioError` that are about memory, or room for the index of the log, and not about bytes on the disk. */
const transient: ReadonlySet<number> = new Set([
  // SQLITE_IOERR_NOMEM
  3082,
  // SQLITE_IOERR_SHMSIZE
  4874,
])

/** The primary result code of an error that SQLite gave; extended codes have theirs in the lowest byte. */
export function sqliteCode(error: unknown): number | undefined {
  const code = extendedCode(error)
  return code === undefined ? undefined : code & 0xff
}

function extendedCode(error: unknown): number | undefined {
  return error instanceof Error && 'errcode' in error && typeof error.errcode === 'number' ? error.errcode : undefined
}

/** Whether, after a write that failed so, no later write of this connection may be believed. */
export function endsTrust(error: unknown): boolean {
  switch (sqliteCode(error)) {
    case SqliteCode.ioError:
      return !transient.has(extendedCode(error) ?? 0)
    case SqliteCode.readOnly:
    case SqliteCode.corrupt:
    case SqliteCode.cannotOpen:
    case SqliteCode.notADatabase:
      return true
    case undefined:
    default:
      return false
  }
}

/** Whether the file of the database is not what SQLite wrote. */
export function isDamage(error: unknown): error is Error {
  const code = sqliteCode(error)
  return code === SqliteCode.corrupt || code === SqliteCode.notADatabase
}

/** Errors of the machine as the port names them, others as they are. */
export function explain(error: unknown): unknown {
  switch (sqliteCode(error)) {
    case SqliteCode.full:
      return new MetadataError('STORAGE_FULL', 'There is no room on the disk for the database.', { cause: error })
    case SqliteCode.busy:
      return new MetadataError('OVERLOADED', 'Another program holds the database for writing.', { cause: error })
    case SqliteCode.noMemory:
    case SqliteCode.ioError:
    case SqliteCode.readOnly:
    case SqliteCode.corrupt:
    case SqliteCode.cannotOpen:
    case SqliteCode.notADatabase:
      return new MetadataError('UNAVAILABLE', whatToDo(error), { cause: error })
    case undefined:
    default:
      return error
  }
}

function whatToDo(error: unknown): string {
  if (!endsTrust(error)) return 'There was no memory for the database. Whether a write happened is unknown.'
  const damaged = sqliteCode(error) === SqliteCode.corrupt || sqliteCode(error) === SqliteCode.notADatabase
  return (
    `The database failed (${error instanceof Error ? error.message : String(error)}). Whether a write happened is unknown, ` +
    'and after a failed write none is taken until the next start; what is stored can still be read. ' +
    (damaged
      ? 'Check the file with `stowage doctor`, and restart, or restore a backup.'
      : 'Check the disk, the kernel log, and that the file system is not mounted read-only; then restart.')
  )
}

/** The connection, with errors of the machine as the port names them. */
export function explaining(connection: Connection): Connection {
  return {
    ...connection,
    drive: (operation) => named(() => connection.drive(operation)),
    prepare: (statement) => {
      const ask = connection.prepare(statement)
      return (...values) => named(() => ask(...values))
    },
  }
}

function named<T>(ask: () => T): T {
  try {
    return ask()
  } catch (error) {
    throw explain(error)
  }
}
