import type { DatabaseSync } from 'node:sqlite'
import type { MetadataProblem } from '../upkeep-store.ts'
import { isDamage } from './error-code.ts'

/** Links between tables that have a kind of their own, see `operations/inspect.ts`. */
const known = new Set([
  'tags manifests',
  'repository_blobs blobs',
  'manifests manifest_contents',
  'manifest_references manifests',
])

/** Whether the file is whole: its pages, its indexes, and its links between tables. At most `limit` problems of each kind. */
export function inspectDatabase(database: DatabaseSync, limit: number): MetadataProblem[] {
  const damage = damaged(database, limit)
  // What does not hang together cannot be asked for more.
  return damage.length > 0 ? damage : orphans(database, limit)
}

function damaged(database: DatabaseSync, limit: number): MetadataProblem[] {
  // The quick one first: it finds torn pages in a fraction of the time, and the other would only repeat it.
  for (const check of ['quick_check', 'integrity_check']) {
    const lines = answers(database, `pragma ${check}(${limit})`).filter((line) => line !== 'ok')
    if (lines.length > 0) return lines.map((line) => ({ kind: 'database-damaged', subject: check, message: line }))
  }
  return []
}

/** What cannot even be read to be checked is an answer, too. */
function answers(database: DatabaseSync, question: string): string[] {
  try {
    return database
      .prepare(question)
      .all()
      .flatMap((row) => Object.values(row).map(String))
  } catch (error) {
    if (!isDamage(error)) throw error
    return [error.message]
  }
}

function orphans(database: DatabaseSync, limit: number): MetadataProblem[] {
  const found: MetadataProblem[] = []
  for (const { table, parent, rowid } of database.prepare('pragma foreign_key_check').iterate()) {
    if (known.has(`${String(table)} ${String(parent)}`)) continue
    const row = rowid === null ? 'A row' : `Row ${String(rowid)}`
    const message = `${row} of the table ${String(table)} belongs to one of ${String(parent)} that is not there.`
    found.push({ kind: 'row-orphaned', subject: String(table), message })
    if (found.length >= limit) break
  }
  return found
}
