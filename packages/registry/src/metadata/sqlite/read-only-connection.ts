import { existsSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'
import type { Operation } from '../operation.ts'
import type { Connection } from './connection.ts'
import { connect } from './connection.ts'
import { applyReadOnlyPragmas } from './pragmas.ts'

/** A connection that changes nothing, neither the database nor what stands beside it, whether a server has it open or none. */
export interface ReadOnlyConnection extends Disposable {
  /** Runs the operation that `start` makes, which only reads, to its end in this call. It may be made twice. */
  readonly drive: <Result>(start: () => Operation<Result>) => Result
  /** The same for whoever needs the database itself. */
  readonly look: <Result>(question: (database: DatabaseSync) => Result) => Result
}

/** @throws Error of SQLite when there is no database, or what is there is none. */
export function openReadOnly(path: string): ReadOnlyConnection {
  let opened = open(path)

  function look<Result>(question: (connection: Connection) => Result): Result {
    for (;;) {
      if (!opened.alone || !isInUse(path)) {
        const answer = attempt(() => question(opened.connection))
        // A server that has started meanwhile may have written between two looks at the file: then this was no one state of it.
        if (!opened.alone || !isInUse(path)) return answer.value
      }
      opened.connection.close()
      opened = open(path)
    }
  }

  return {
    drive: (start) => look(({ drive }) => drive(start())),
    look: (question) => look(({ database }) => question(database)),
    [Symbol.dispose]: () => opened.connection.close(),
  }
}

interface Opened {
  readonly connection: Connection
  readonly alone: boolean
}

function open(path: string): Opened {
  const { database, alone } = openDatabaseReadOnly(path)
  try {
    applyReadOnlyPragmas(database)
    return { connection: connect(database), alone }
  } catch (error) {
    database.close()
    throw error
  }
}

/**
 * SQLite makes files beside a database in WAL mode even for who only reads, unless it is told that the database cannot change.
 * That may be said while there is no log: then nobody has it open. Where there is one, its index is there already, of a server
 * or of one that died.
 *
 * @returns `alone`: nobody else had it open, and it is read as if nobody ever would. Who reads asks afterwards whether it is
 * in use by now: then what was read may be no one state of it.
 */
export function openDatabaseReadOnly(path: string): { readonly database: DatabaseSync; readonly alone: boolean } {
  const url = pathToFileURL(path)
  const alone = !isInUse(path)
  if (alone) url.searchParams.set('immutable', '1')
  else if (existsSync(`${path}-shm`)) url.searchParams.set('readonly_shm', '1')
  return { database: new DatabaseSync(url, { readOnly: true }), alone }
}

/** Whether somebody has the database open, or had when he died. */
export const isInUse = (path: string): boolean => existsSync(`${path}-wal`)

/** What came of it, to be told later. */
const attempt = <Result>(work: () => Result): { readonly value: Result } => {
  try {
    const value = work()
    return { value }
  } catch (error) {
    return {
      get value(): Result {
        throw error
      },
    }
  }
}
