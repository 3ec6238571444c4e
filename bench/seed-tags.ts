import { openSync, closeSync, readSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

export interface Seed {
  readonly repositories: number
  readonly tagsOfEach: number
}

/** Names of what the seed makes: the load asks for them. */
export const repositoryName = (index: number): string => `scale/repository-${`${index}`.padStart(5, '0')}`
export const tagName = (index: number): string => `v${`${index}`.padStart(3, '0')}`

/**
 * Multiplies what one push has written, in the database of a Stowage that is not running: pushing a million tags over HTTP
 * would take longer than the bench. Every repository gets the manifest of `from` under its own tags, with the links and
 * references that a push would have made. What it copies it finds in the schema, so a column more is copied too.
 */
export function seedTags(data: string, from: string, { repositories, tagsOfEach }: Seed): void {
  using database = new DatabaseSync(findDatabase(data))
  database.exec('PRAGMA foreign_keys = ON; BEGIN')
  const numbers = 'WITH RECURSIVE numbers(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM numbers WHERE i + 1 < :count)'
  database
    .prepare(
      `INSERT INTO repositories (name, created_at) ${numbers}
       SELECT printf('scale/repository-%05d', i), (SELECT created_at FROM repositories WHERE name = :from) FROM numbers`,
    )
    .run({ count: repositories, from })
  for (const table of ['repository_blobs', 'manifests', 'manifest_references']) copyRows(database, table, from)
  const made = database
    .prepare(
      `INSERT INTO tags (repository_id, name, digest, updated_at) ${numbers}
       SELECT r.id, printf('v%03d', i), m.digest, m.pushed_at
       FROM repositories r JOIN manifests m ON m.repository_id = r.id CROSS JOIN numbers
       WHERE r.name LIKE 'scale/%' ORDER BY r.id, i`,
    )
    .run({ count: tagsOfEach })
  const expected = repositories * tagsOfEach
  if (Number(made.changes) !== expected) throw new Error(`the seed made ${made.changes} tags, not ${expected}`)
  database.exec('COMMIT; PRAGMA wal_checkpoint(TRUNCATE)')
}

function copyRows(database: DatabaseSync, table: string, from: string): void {
  const columns = database
    .prepare(`SELECT name FROM pragma_table_info(:table) WHERE name <> 'repository_id'`)
    .all({ table })
    .map(({ name }) => `"${String(name)}"`)
  database
    .prepare(
      `INSERT INTO ${table} (repository_id, ${columns.join(', ')})
       SELECT r.id, ${columns.map((column) => `t.${column}`).join(', ')}
       FROM repositories r CROSS JOIN ${table} t
       WHERE r.name LIKE 'scale/%' AND t.repository_id = (SELECT id FROM repositories WHERE name = :from)
       ORDER BY r.id`,
    )
    .run({ from })
}

/** The largest SQLite file below the data directory: another, small one only holds the lock. */
function findDatabase(data: string): string {
  const [largest] = readdirSync(data, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter(isSqlite)
    .toSorted((a, b) => statSync(b).size - statSync(a).size)
  if (largest === undefined) throw new Error(`no SQLite database below ${data}`)
  return largest
}

function isSqlite(path: string): boolean {
  const file = openSync(path, 'r')
  try {
    const magic = Buffer.alloc(16)
    readSync(file, magic)
    return magic.toString('latin1') === 'SQLite format 3\0'
  } finally {
    closeSync(file)
  }
}
