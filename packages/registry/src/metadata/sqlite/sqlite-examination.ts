import { existsSync } from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'
import type { ExaminedMetadata } from '../examined-metadata.ts'
import { DatabaseUnusableError } from '../metadata-error.ts'
import { migrations } from '../migrations/migrate.ts'
import { listGarbage } from '../operations/blobs.ts'
import { knownUploads, listManifests } from '../operations/examined.ts'
import { inspect } from '../operations/inspect.ts'
import { knownKeys } from '../operations/known-keys.ts'
import { listRepositories } from '../operations/repositories.ts'
import { listBlobs, listContents, storedBlob } from '../operations/scrub.ts'
import { isDamage } from './error-code.ts'
import { inspectDatabase } from './inspect-database.ts'
import { openReadOnly, type ReadOnlyConnection } from './read-only-connection.ts'

export interface SqliteExamination extends ExaminedMetadata, Disposable {
  readonly kind: 'sqlite'
}

/**
 * Opens a database to look at it, also while a server has it open. Nothing is made, changed or locked.
 *
 * @throws DatabaseUnusableError when it is none of this version.
 */
export function openSqliteExamination(path: string): SqliteExamination {
  if (!existsSync(path)) throw new DatabaseUnusableError(`There is no database at ${path}.`)
  const connection = openChecked(path)
  const { drive } = connection
  return {
    kind: 'sqlite',
    listRepositories: async (page) => drive(() => listRepositories(page)),
    listGarbage: async (page) => drive(() => listGarbage(page)),
    upkeep: {
      listBlobs: async (page) => drive(() => listBlobs(page)),
      storedBlob: async (digest) => drive(() => storedBlob(digest)),
      listContents: async (page) => drive(() => listContents(page)),
      listManifests: async (page) => drive(() => listManifests(page)),
      knownKeys: async (keys) => drive(() => knownKeys(keys)),
      knownUploads: async (ids) => drive(() => knownUploads(ids)),
      inspect: async (limit) => {
        const damage = connection.look((database) => inspectDatabase(database, limit))
        // Where pages are damaged, whatever else is found may come of that.
        return damage.some(({ kind }) => kind === 'database-damaged')
          ? damage
          : [...damage, ...drive(() => inspect(limit))]
      },
    },
    [Symbol.dispose]: () => connection[Symbol.dispose](),
  }
}

const openChecked = (path: string): ReadOnlyConnection => {
  let connection: ReadOnlyConnection | undefined
  try {
    connection = openReadOnly(path)
    requireSchema(connection.look(appliedMigrations), path)
    return connection
  } catch (error) {
    connection?.[Symbol.dispose]()
    if (!isDamage(error)) throw error
    throw new DatabaseUnusableError(`${path} is damaged. Stop the server and restore a backup.`, { cause: error })
  }
}

/** Undefined when the database is not one of a registry. */
const appliedMigrations = (database: DatabaseSync): string[] | undefined => {
  const table = database.prepare("select 1 from sqlite_master where name = 'schema_migrations'").get()
  if (table === undefined) return undefined
  return database
    .prepare('select name from schema_migrations order by name')
    .all()
    .map(({ name }) => String(name))
}

const requireSchema = (applied: readonly string[] | undefined, path: string): void => {
  if (applied === undefined) throw new DatabaseUnusableError(`${path} is not the database of a registry.`)
  const known = migrations.map(({ name }) => name)
  const newer = applied.filter((name) => !known.includes(name))
  if (newer.length > 0) {
    throw new DatabaseUnusableError(
      `${path} was written by a newer version of Stowage: this one does not know its migration ${newer.join(', ')}. ` +
        'Examine it with that version or a newer one.',
    )
  }
  const missing = known.filter((name) => !applied.includes(name))
  if (missing.length > 0) {
    throw new DatabaseUnusableError(
      `${path} was written by an older version of Stowage and lacks the migration ${missing.join(', ')}. Make a backup, ` +
        'start the server of this version once, which brings it up to date, then examine it again.',
    )
  }
}
