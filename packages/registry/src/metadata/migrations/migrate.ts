import { DatabaseUnusableError } from '../metadata-error.ts'
import type { Operation } from '../operation.ts'
import { all, run } from '../operation.ts'
import type { Dialect } from '../statement.ts'
import { rawStatement, statement } from '../statement.ts'
import { initial } from './0001-initial.ts'
import { accounts } from './0002-accounts.ts'
import { upkeep } from './0003-upkeep.ts'
import type { Migration } from './migration.ts'

/** Oldest first. */
export const migrations: readonly Migration[] = [initial, accounts, upkeep]

const createHistory = statement<object>()((db, _p, dialect) =>
  db.schema
    .createTable('schema_migrations')
    .ifNotExists()
    .addColumn('name', 'text', (column) => column.primaryKey().notNull())
    .addColumn('applied_at', dialect === 'postgres' ? 'bigint' : 'integer', (column) => column.notNull()),
)

const listApplied = statement<object>()((db) => db.selectFrom('schema_migrations').select('name').orderBy('name'))

const addApplied = statement<{ name: string; at: number }>()((db, p) =>
  db.insertInto('schema_migrations').values({ name: p.name, applied_at: p.at }),
)

/**
 * Brings the schema to what this program knows. The caller runs it in one transaction: cut off anywhere, it has changed
 * nothing, and the next start begins again. Gives the names of the migrations it applied.
 */
export function* migrate(dialect: Dialect, at: number, known: readonly Migration[] = migrations): Operation<string[]> {
  yield* run(createHistory, {})
  const applied = (yield* all(listApplied, {})).map((row) => row.name)
  const unknown = applied.filter((name) => !known.some((migration) => migration.name === name))
  if (unknown.length > 0) {
    throw new DatabaseUnusableError(
      `The database was written by a newer version of Stowage: this one does not know its migration ${unknown.join(', ')}. ` +
        'Start that version or a newer one, or restore a backup made before the upgrade.',
    )
  }
  const pending = known.filter((migration) => !applied.includes(migration.name))
  for (const { name, steps } of pending) {
    for (const step of steps(dialect)) yield* run(rawStatement(step), {})
    yield* run(addApplied, { name, at })
  }
  return pending.map((migration) => migration.name)
}
