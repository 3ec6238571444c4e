/**
 * - `OVERLOADED`: too much is waiting already; nothing was done, try again later.
 * - `STORAGE_FULL`: the disk or the quota of the database is full; nothing was written.
 * - `UNAVAILABLE`: the database does not answer. Of a write it is unknown whether it happened.
 * - `WRITES_STOPPED`: a write of unknown outcome came before, and none is taken until the next start; nothing was done.
 * - `CLOSED`: the store has been disposed of.
 */
export type MetadataErrorCode = 'OVERLOADED' | 'STORAGE_FULL' | 'UNAVAILABLE' | 'WRITES_STOPPED' | 'CLOSED'

/** A fault of the machine that a caller can tell from others; whatever else a store throws is a defect. */
export class MetadataError extends Error {
  override readonly name = 'MetadataError'
  readonly code: MetadataErrorCode

  constructor(code: MetadataErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.code = code
  }
}

/** The database cannot be used as it is; the message says why, and what to do. */
export class DatabaseUnusableError extends Error {
  override readonly name = 'DatabaseUnusableError'
  readonly code = 'DATABASE_UNUSABLE'
}
