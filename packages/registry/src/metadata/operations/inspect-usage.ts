import { sql } from 'kysely'
import type { Operation } from '../operation.ts'
import { all } from '../operation.ts'
import { statement } from '../statement.ts'
import type { MetadataProblem } from '../upkeep-store.ts'

/** PostgreSQL adds up bigint to numeric, which is another type on the wire. */
const recount = statement<{ last: number; limit: number }>()((db, p) =>
  db
    .selectFrom('repositories as r')
    .select((eb) => [
      'r.id',
      'r.name',
      'r.stored_bytes as stored',
      sql<number>`cast(${eb
        .selectFrom('repository_blobs as l')
        .innerJoin('blobs as b', 'b.digest', 'l.digest')
        .select(sql`coalesce(sum(b.size), 0)`.as('bytes'))
        .whereRef('l.repository_id', '=', 'r.id')} as bigint)`.as('blobs'),
      sql<number>`cast(${eb
        .selectFrom('manifests as m')
        .select(sql`coalesce(sum(m.size), 0)`.as('bytes'))
        .whereRef('m.repository_id', '=', 'r.id')} as bigint)`.as('manifests'),
    ])
    .where('r.id', '>', p.last)
    .orderBy('r.id')
    .limit(p.limit),
)

/** One repository at a time: the counters of one change together, and no more than its rows are sorted. */
const recountActors = statement<{ repositoryId: number; limit: number }>()((db, p) =>
  db
    .selectFrom((eb) =>
      eb
        .selectFrom('repository_blobs as l')
        .innerJoin('blobs as b', 'b.digest', 'l.digest')
        .select(['l.linked_by as actor', sql<number>`0`.as('stored'), 'b.size as counted'])
        .where('l.repository_id', '=', p.repositoryId)
        .unionAll(
          eb
            .selectFrom('manifests as m')
            .select(['m.pushed_by as actor', sql<number>`0`.as('stored'), 'm.size as counted'])
            .where('m.repository_id', '=', p.repositoryId),
        )
        .unionAll(
          eb
            .selectFrom('actor_usage as u')
            .select(['u.actor', 'u.stored_bytes as stored', sql<number>`0`.as('counted')])
            .where('u.repository_id', '=', p.repositoryId),
        )
        .as('each'),
    )
    .select([
      'actor',
      sql<number>`cast(sum(stored) as bigint)`.as('stored'),
      sql<number>`cast(sum(counted) as bigint)`.as('counted'),
    ])
    // Nobody known has no quota.
    .where('actor', '<>', '')
    .groupBy('actor')
    .having(sql<boolean>`sum(stored) <> sum(counted)`)
    .limit(p.limit),
)

const atOnce = 200

export function* inspectUsage(limit: number): Operation<MetadataProblem[]> {
  const found: MetadataProblem[] = []
  for (let last = -1; ;) {
    const page = yield* all(recount, { last, limit: atOnce })
    for (const { id, name, stored, blobs, manifests } of page) {
      last = id
      const counted = blobs + manifests
      if (stored !== counted) {
        const message = `The counter says ${stored} bytes; the blobs and manifests of the repository have ${counted}.`
        found.push({ kind: 'usage-wrong', repository: name, subject: name, message })
      }
      for (const actor of yield* all(recountActors, { repositoryId: id, limit })) {
        const message = `The counter of what ${actor.actor} brought here says ${actor.stored} bytes; it is ${actor.counted}.`
        found.push({ kind: 'usage-wrong', repository: name, subject: actor.actor, message })
      }
      if (found.length >= limit) return found.slice(0, limit)
    }
    if (page.length < atOnce) return found
  }
}
