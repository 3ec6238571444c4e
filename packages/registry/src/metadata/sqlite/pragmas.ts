import type { DatabaseSync } from 'node:sqlite'
import { DatabaseUnusableError } from '../metadata-error.ts'

/** How long a statement waits for another process that holds the database, an administrator's shell for instance. */
const BUSY_TIMEOUT_MS = 5_000

/**
 * Sets what durability and speed depend on, and reads every value back: a build of SQLite, or a database on a file system
 * that cannot do it, may answer a pragma with another value and no error. With WAL and `synchronous = FULL` a commit
 * survives power loss; with NORMAL, the default of some builds, none of the last ones does.
 */
export function applyPragmas(database: DatabaseSync, options: { readonly inMemory: boolean }): void {
  setPragma(database, 'busy_timeout', BUSY_TIMEOUT_MS)
  setPragma(database, 'journal_mode', options.inMemory ? 'memory' : 'wal')
  setPragma(database, 'synchronous', Synchronous.full)
  setPragma(database, 'foreign_keys', 1)
  setPragma(database, 'temp_store', 2)
  // In KiB when negative.
  setPragma(database, 'cache_size', -16_384)
  if (options.inMemory) return
  // A disk error in a mapped page kills the process where a read would fail with an error.
  setPragma(database, 'mmap_size', 0)
  setPragma(database, 'wal_autocheckpoint', 1_000)
  // What a large transaction has blown the log up to is given back at the next checkpoint.
  setPragma(database, 'journal_size_limit', 64 * 1024 * 1024)
}

/** For a connection that only looks: what it sorts may be more than the memory has room for. */
export function applyReadOnlyPragmas(database: DatabaseSync): void {
  setPragma(database, 'busy_timeout', BUSY_TIMEOUT_MS)
  setPragma(database, 'query_only', 1)
  setPragma(database, 'temp_store', 1)
  setPragma(database, 'cache_size', -16_384)
  setPragma(database, 'mmap_size', 0)
}

export const Synchronous = { normal: 1, full: 2 } as const

export function setPragma(database: DatabaseSync, name: string, value: string | number): void {
  database.exec(`pragma ${name} = ${value}`)
  const found = readPragma(database, name)
  if (found !== value) {
    throw new DatabaseUnusableError(
      `SQLite keeps ${name} at ${String(found)} where ${value} is needed. ` +
        'Is the database on a network file system, or open in another program?',
    )
  }
}

export function readPragma(database: DatabaseSync, name: string): unknown {
  const row = database.prepare(`pragma ${name}`).get()
  return row && Object.values(row)[0]
}
