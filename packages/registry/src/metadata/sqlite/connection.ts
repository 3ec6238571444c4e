import { DummyDriver, Kysely, SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler } from 'kysely'
import { chmodSync, closeSync, openSync, statSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import type { StatementSync } from 'node:sqlite'
import type { Operation, Query, Rows } from '../operation.ts'
import type { Schema } from '../schema.ts'
import type { AnyStatement, CompiledStatement, Statement, Value } from '../statement.ts'
import { createCompiler } from '../statement.ts'
import { applyPragmas } from './pragmas.ts'

/** Kysely only writes the SQL here; it never runs any. */
const compiler = new Kysely<Schema>({
  dialect: {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  },
})

const compile = createCompiler(compiler, 'sqlite')

export interface Connection {
  readonly database: DatabaseSync
  /** Runs the operation to its end in this call. Transactions are the caller's. */
  readonly drive: <Result>(operation: Operation<Result>) => Result
  /** A question for one row, ready to be asked, for calls too frequent for `drive`. Values in the order of the SQL. */
  readonly prepare: <Row>(statement: Statement<never, Row>) => (...values: readonly Value[]) => Row | undefined
  readonly close: () => void
}

export function openConnection(path: string): Connection {
  if (path !== ':memory:') keepToOwner(path)
  const database = new DatabaseSync(path)
  try {
    applyPragmas(database, { inMemory: path === ':memory:' })
  } catch (error) {
    database.close()
    throw error
  }
  return connect(database)
}

/** Statements on an open database. */
export function connect(database: DatabaseSync): Connection {
  const prepared = new Map<AnyStatement, Prepared | undefined>()

  function find(statement: AnyStatement): Prepared | undefined {
    const found = prepared.get(statement)
    if (found !== undefined) return found
    const compiled = compile(statement)
    if (compiled === undefined) return undefined
    const ready = { ...compiled, statement: database.prepare(compiled.sql) }
    prepared.set(statement, ready)
    return ready
  }

  function execute({ statement, parameters }: Query): Rows {
    const ready = find(statement)
    return ready === undefined ? [] : ready.statement.all(...ready.values(parameters))
  }

  return {
    database,
    drive(operation) {
      let step = operation.next([])
      while (step.done !== true) {
        let rows
        try {
          rows = execute(step.value)
        } catch (error) {
          step = operation.throw(error)
          continue
        }
        step = operation.next(rows)
      }
      return step.value
    },
    prepare<Row>(statement: Statement<never, Row>) {
      const ready = find(statement)?.statement
      if (ready === undefined) throw new Error('SQLite does not need this statement.')
      // Kysely derived the type from the statement.
      return (...values: readonly Value[]) => ready.get(...values) as Row | undefined
    },
    close() {
      prepared.clear()
      database.close()
    },
  }
}

/**
 * Names, hashes and sealed keys are nobody else's to read, whatever the mask and the directory say; what SQLite puts beside the
 * file gets its mode. No other descriptor is opened for a file that is there: closing one would let go of SQLite's locks.
 */
function keepToOwner(path: string): void {
  try {
    closeSync(openSync(path, 'wx', 0o600))
    return
  } catch (error) {
    // What else can be wrong SQLite says better.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') return
  }
  for (const file of [path, `${path}-wal`, `${path}-shm`]) {
    const found = statSync(file, { throwIfNoEntry: false })
    if (found === undefined || (found.mode & 0o077) === 0) continue
    try {
      chmodSync(file, 0o600)
    } catch {
      // Another user's file, shared on purpose, or a file system without modes.
    }
  }
}

type Prepared = CompiledStatement & { readonly statement: StatementSync }
