import { sql } from 'kysely'
import type { RepositoryFilter } from '../../access/grant.ts'
import { globPatterns } from '../glob.ts'
import type { Page } from '../metadata-store.ts'
import type { Operation } from '../operation.ts'
import { all, one } from '../operation.ts'
import { statement } from '../statement.ts'

export const findRepository = statement<{ repository: string }>()((db, p) =>
  db.selectFrom('repositories').select('id').where('name', '=', p.repository),
)

/** The row is locked to the end of the transaction: writes to one repository come one after the other. */
const lockRow = statement<{ repository: string }>()((db, p, dialect) =>
  db
    .selectFrom('repositories')
    .select('id')
    .where('name', '=', p.repository)
    .$if(dialect === 'postgres', (query) => query.forUpdate()),
)

/** Locks the row too, when another transaction made it in the meantime. */
const createRow = statement<{ repository: string; at: number }>()((db, p) =>
  db
    .insertInto('repositories')
    .values({ name: p.repository, created_at: p.at })
    .onConflict((conflict) => conflict.column('name').doUpdateSet((eb) => ({ name: eb.ref('excluded.name') })))
    .returning('id'),
)

/**
 * Every transaction that writes to a repository begins here, and takes at most one row shared between repositories (a
 * blob's or a manifest's bytes) after it. In that order no two of them can wait for each other.
 */
export function* lockRepository(repository: string): Operation<number | undefined> {
  return (yield* one(lockRow, { repository }))?.id
}

export function* lockOrCreateRepository(repository: string, at: number): Operation<number> {
  const row = (yield* one(lockRow, { repository })) ?? (yield* one(createRow, { repository, at }))
  if (row === undefined) throw new Error(`The row of repository ${repository} could not be made.`)
  return row.id
}

export function* repositoryExists(repository: string): Operation<boolean> {
  return (yield* one(findRepository, { repository })) !== undefined
}

const listAll = statement<{ last: string; limit: number }>()((db, p) =>
  db.selectFrom('repositories').select('name').where('name', '>', p.last).orderBy('name').limit(p.limit),
)

const listMatching = statement<{ last: string; from: string; to: string; glob: string; like: string; limit: number }>()(
  (db, p, dialect) =>
    db
      .selectFrom('repositories')
      .select('name')
      .where('name', '>', p.last)
      .where('name', '>=', p.from)
      .where('name', '<', p.to)
      .where(dialect === 'postgres' ? sql<boolean>`name like ${p.like}` : sql<boolean>`name glob ${p.glob}`)
      .orderBy('name')
      .limit(p.limit),
)

/**
 * One range of the index for each glob, so that the page costs what it shows: the names before and behind the glob's
 * literal beginning are not looked at.
 */
export function* listRepositories(page: Page & { readonly visible: RepositoryFilter }): Operation<string[]> {
  const { limit, last = '', visible } = page
  if (visible.kind === 'all' || visible.globs.includes('*')) {
    return (yield* all(listAll, { last, limit })).map((row) => row.name)
  }
  const names = new Set<string>()
  for (const pattern of globPatterns(visible.globs)) {
    const rows = yield* all(listMatching, { last, limit, ...pattern })
    for (const row of rows) names.add(row.name)
  }
  // Names are ASCII: here the order of UTF-16 code units is byte order.
  return [...names].toSorted().slice(0, limit)
}
