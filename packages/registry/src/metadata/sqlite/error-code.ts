import { MetadataError } from '../metadata-error.ts'

/** SQLite's primary result codes (sqlite.org/rescode.html). */
export const SqliteCode = { busy: 5, ioError: 10, full: 13 } as const

/** The primary result code of an error that SQLite gave; extended codes have theirs in the lowest byte. */
export function sqliteCode(error: unknown): number | undefined {
  if (!(error instanceof Error && 'errcode' in error && typeof error.errcode === 'number')) return undefined
  return error.errcode & 0xff
}

/** Errors of the machine as the port names them, others as they are. */
export function explain(error: unknown): unknown {
  switch (sqliteCode(error)) {
    case SqliteCode.full:
      return new MetadataError('STORAGE_FULL', 'There is no room on the disk for the database.', { cause: error })
    case SqliteCode.busy:
      return new MetadataError('OVERLOADED', 'Another program holds the database for writing.', { cause: error })
    case SqliteCode.ioError:
      return new MetadataError(
        'UNAVAILABLE',
        'The disk of the database failed. Whether the write happened is unknown.',
        {
          cause: error,
        },
      )
    case undefined:
    default:
      return error
  }
}
