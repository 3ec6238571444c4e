import { sql } from 'kysely'
import type { RepositoryFilter } from '../../access/grant.ts'
import { elements, member } from '../elements.ts'
import type { Page } from '../metadata-store.ts'
import type { Operation } from '../operation.ts'
import { all, one } from '../operation.ts'
import { statement } from '../statement.ts'
import type { NameRange } from '../visible.ts'
import { visibleRanges } from '../visible.ts'
import { meets } from './visible-names.ts'

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

const namesInRange = statement<{ from: string; to: string; conditions: string; limit: number }>()((db, p, dialect) =>
  db
    .selectFrom('repositories as r')
    .select('r.name')
    .where('r.name', '>=', p.from)
    .where('r.name', '<=', p.to)
    .where(meets(dialect, dialect === 'postgres' ? sql`cast(${p.conditions} as json)` : sql`${p.conditions}`))
    .orderBy('r.name')
    .limit(p.limit),
)

/** The beginning of each range, as the JSON text of a list. */
const namesInRanges = statement<{ ranges: string; limit: number }>()((db, p, dialect) =>
  db.selectFrom(elements(dialect, p.ranges)).select((eb) =>
    eb
      .selectFrom((names) =>
        names
          .selectFrom('repositories as r')
          .select('r.name')
          .where('r.name', '>=', member('from'))
          .where('r.name', '<=', member('to'))
          .orderBy('r.name')
          // Where PostgreSQL knows the limit it reads and sorts the whole range, which it takes for small.
          .limit(dialect === 'postgres' ? sql<number>`(select cast(${p.limit} as bigint))` : p.limit)
          .as('beginning'),
      )
      .select(
        dialect === 'postgres'
          ? sql<string | null>`cast(json_agg(beginning.name) as text)`.as('names')
          : sql<string | null>`json_group_array(beginning.name)`.as('names'),
      )
      .as('names'),
  ),
)

/**
 * Range by range until the page is full, so that it costs what it shows: names that no glob can match are not looked at, be
 * they many, and neither are ranges behind the page.
 */
export function* listRepositories(page: Page & { readonly visible: RepositoryFilter }): Operation<string[]> {
  const { limit, last, visible } = page
  const found: string[] = []
  for (const ranges of grouped(visibleRanges(visible), last)) {
    found.push(...(yield* firstNames(ranges, limit - found.length)))
    if (found.length >= limit) break
  }
  return found.slice(0, limit)
}

function* firstNames(ranges: readonly NameRange[], limit: number): Operation<string[]> {
  const [first, ...more] = ranges
  if (first !== undefined && more.length === 0) {
    const { from, to, conditions } = first
    const rows = yield* all(namesInRange, { from, to, conditions: JSON.stringify(conditions), limit })
    return rows.map((row) => row.name)
  }
  const rows = yield* all(namesInRanges, { ranges: JSON.stringify(ranges), limit })
  // SQL promises no order of the ranges. Names are ASCII: here the order of UTF-16 code units is byte order.
  return rows.flatMap((row): string[] => JSON.parse(row.names ?? '[]')).toSorted()
}

/** How many ranges one statement looks at. */
const atOnce = 32

/** What one statement looks at: several ranges without conditions, or one with. Nothing up to `last`. */
function* grouped(ranges: Iterable<NameRange>, last: string | undefined): Generator<NameRange[]> {
  let group: NameRange[] = []
  for (const range of ranges) {
    const rest = last === undefined ? range : behind(last, range)
    if (rest === undefined) continue
    const alone = rest.conditions.length > 0
    if (alone || group.length === atOnce) {
      if (group.length > 0) yield group
      group = []
    }
    if (alone) yield [rest]
    else group.push(rest)
  }
  if (group.length > 0) yield group
}

/** The part of the range behind this name. */
function behind(last: string, range: NameRange): NameRange | undefined {
  if (range.to <= last) return undefined
  // No name has this character, and every one that begins with `last` and goes on stands behind it.
  return range.from > last ? range : { ...range, from: `${last}\u0001` }
}
