import type { Operation } from '../../operation.ts'
import { one } from '../../operation.ts'
import { statement } from '../../statement.ts'

const readVersion = statement<object>()((db) => db.selectFrom('access_version').select('version').where('id', '=', 1))

export function* accessVersion(): Operation<number> {
  return theRow(yield* one(readVersion, {})).version
}

const increaseVersion = statement<object>()((db) =>
  db
    .updateTable('access_version')
    .set((eb) => ({ version: eb('version', '+', 1) }))
    .where('id', '=', 1)
    .returning('version'),
)

/**
 * The first step of every write that can change a verdict. Its row is locked to the end of the transaction: these writes come
 * one after the other, so what one of them has looked at is still so when it writes, and no two can wait for each other.
 */
export function* changeAccess(): Operation<void> {
  theRow(yield* one(increaseVersion, {}))
}

const lockVersion = statement<object>()((db, _p, dialect) =>
  db
    .selectFrom('access_version')
    .select('version')
    .where('id', '=', 1)
    .$if(dialect === 'postgres', (query) => query.forUpdate()),
)

/** The first step of the others: they take their turn too, and change no verdict. */
export function* holdAccess(): Operation<void> {
  theRow(yield* one(lockVersion, {}))
}

function theRow<Row>(row: Row | undefined): Row {
  if (row === undefined) throw new Error('The row of the table access_version is gone. Restore a backup.')
  return row
}
