import { migrate, migrations } from '../migrations/migrate.ts'
import type { Connection } from './connection.ts'

/** One transaction: a process that dies in the middle has changed nothing. Throws when the database is of a newer version. */
export function migrateDatabase({ database, drive }: Connection, known = migrations): void {
  database.exec('begin immediate')
  try {
    drive(migrate('sqlite', Date.now(), known))
    database.exec('commit')
  } catch (error) {
    if (database.isTransaction) database.exec('rollback')
    throw error
  }
}
