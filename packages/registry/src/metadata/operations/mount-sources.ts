import { sql } from 'kysely'
import type { RepositoryFilter } from '../../access/grant.ts'
import { elements, member } from '../elements.ts'
import type { Operation } from '../operation.ts'
import { all, one } from '../operation.ts'
import { statement } from '../statement.ts'
import { createMatcher, visibleRanges } from '../visible.ts'
import { meets } from './visible-names.ts'

const sourcesOf = statement<{ digest: string; limit: number }>()((db, p) =>
  db
    .selectFrom('repository_blobs as l')
    .innerJoin('repositories as r', 'r.id', 'l.repository_id')
    .select('r.name')
    .where('l.digest', '=', p.digest)
    .limit(p.limit),
)

const visibleSource = statement<{ digest: string; ranges: string }>()((db, p, dialect) =>
  db
    .selectFrom(elements(dialect, p.ranges))
    // In this order, whatever SQLite thinks.
    .crossJoin('repositories as r')
    .select('r.name')
    .where('r.name', '>=', member('from'))
    .where('r.name', '<=', member('to'))
    .where(meets(dialect, sql`item.value -> 'conditions'`))
    // A value, so that it is asked for each visible repository: who began with the links would look at all of them.
    .where(
      (eb) =>
        eb
          .selectFrom('repository_blobs as l')
          .select('l.digest')
          .whereRef('l.repository_id', '=', 'r.id')
          .where('l.digest', '=', p.digest),
      'is not',
      null,
    )
    .limit(1),
)

/** How many repositories that hold a blob are looked at one by one. */
const few = 32

/**
 * A repository that holds the blob and that the filter admits. Most blobs are in few repositories; for one that is in many,
 * those that are visible are looked at instead.
 */
export function* findVisibleSource(digest: string, visible: RepositoryFilter): Operation<string | undefined> {
  const sources = yield* all(sourcesOf, { digest, limit: visible.kind === 'all' ? 1 : few })
  const admits = createMatcher(visible)
  const found = sources.find(({ name }) => admits(name))
  if (found !== undefined || sources.length < few) return found?.name
  const ranges = JSON.stringify([...visibleRanges(visible)])
  return (yield* one(visibleSource, { digest, ranges }))?.name
}
