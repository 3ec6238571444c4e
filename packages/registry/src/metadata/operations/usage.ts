import { sql } from 'kysely'
import type { Quota } from '../../access/grant.ts'
import { globPatterns } from '../glob.ts'
import type { OverQuota } from '../metadata-store.ts'
import type { Operation } from '../operation.ts'
import { one, run } from '../operation.ts'
import { statement } from '../statement.ts'

const ofActor = statement<{ actor: string }>()((db, p) =>
  db
    .selectFrom('actor_usage')
    .select(sql<number>`cast(coalesce(sum(stored_bytes), 0) as bigint)`.as('bytes'))
    .where('actor', '=', p.actor),
)

const ofRepository = statement<{ name: string }>()((db, p) =>
  db.selectFrom('repositories').select('stored_bytes as bytes').where('name', '=', p.name),
)

/** Names before and behind the glob's literal beginning are not looked at. */
const ofMatching = statement<{ from: string; to: string; glob: string; like: string }>()((db, p, dialect) =>
  db
    .selectFrom('repositories')
    // PostgreSQL adds up bigint to numeric, which is another type on the wire.
    .select(sql<number>`cast(coalesce(sum(stored_bytes), 0) as bigint)`.as('bytes'))
    .where('name', '>=', p.from)
    .where('name', '<', p.to)
    .where(dialect === 'postgres' ? sql<boolean>`name like ${p.like}` : sql<boolean>`name glob ${p.glob}`),
)

/** Bytes that count for the quota, read from the counters: what is stored is never added up. */
export function* usage(quota: Quota): Operation<number> {
  if (quota.kind === 'actor') return (yield* one(ofActor, { actor: quota.actor }))?.bytes ?? 0
  const { glob } = quota
  if (!glob.includes('*')) return (yield* one(ofRepository, { name: glob }))?.bytes ?? 0
  let bytes = 0
  for (const pattern of globPatterns([glob])) bytes += (yield* one(ofMatching, { ...pattern }))?.bytes ?? 0
  return bytes
}

/** What a write does to the counters. */
export interface UsageChange {
  readonly repositoryId: number
  /** Bytes that the repository has more; less when negative. */
  readonly bytes: number
  /** The same for those who brought them. The name of nobody known is empty. */
  readonly ofActors: readonly (readonly [actor: string, bytes: number])[]
}

const addToRepository = statement<{ repositoryId: number; bytes: number }>()((db, p) =>
  db
    .updateTable('repositories')
    .set((eb) => ({ stored_bytes: eb('stored_bytes', '+', p.bytes) }))
    .where('id', '=', p.repositoryId),
)

/**
 * A row for each repository of the actor, which the lock on the repository guards already: one row for all of them would have
 * every push of a busy actor wait for the commit of the one before it.
 */
const addToActor = statement<{ actor: string; repositoryId: number; bytes: number }>()((db, p) =>
  db
    .insertInto('actor_usage')
    .values({ actor: p.actor, repository_id: p.repositoryId, stored_bytes: p.bytes })
    .onConflict((conflict) =>
      conflict.columns(['actor', 'repository_id']).doUpdateSet((eb) => ({
        stored_bytes: eb('actor_usage.stored_bytes', '+', eb.ref('excluded.stored_bytes')),
      })),
    ),
)

/** Sets the locks of quotas apart from others that are taken by number. */
const QUOTA_LOCKS = 5_210_873_344

/**
 * Repositories are written side by side, and none sees what another has not committed. Who adds to a sum over several of them
 * that has a limit therefore waits here for the others that do.
 */
const lockSum = statement<{ name: string }>()((db, p, dialect) =>
  dialect === 'postgres'
    ? {
        compile: () =>
          sql`select pg_advisory_xact_lock(hashtextextended(${p.name}, ${sql.lit(QUOTA_LOCKS)}))`.compile(db),
      }
    : undefined,
)

/** A glob has no colon. */
const sumOf = (quota: Quota): string => (quota.kind === 'actor' ? `actor:${quota.actor}` : quota.glob)

/**
 * Keeps the counters in step with a write, in its transaction, and says which quota it goes beyond: then the caller undoes it.
 *
 * The last step before `emit`: the locks of sums come after every row that repositories share, in one order. So no two
 * transactions can wait for each other here.
 */
export function* count(change: UsageChange, quotas: readonly Quota[] = []): Operation<OverQuota | undefined> {
  const { repositoryId, bytes } = change
  if (bytes !== 0) yield* run(addToRepository, { repositoryId, bytes })
  for (const [actor, more] of change.ofActors) {
    if (actor !== '' && more !== 0) yield* run(addToActor, { actor, repositoryId, bytes: more })
  }
  // A write that adds nothing may go on beyond a limit that was lowered.
  const growing = quotas.filter((quota) => addedTo(quota, change) > 0)
  for (const name of [...new Set(growing.map(sumOf))].toSorted()) yield* run(lockSum, { name })
  for (const quota of growing) {
    const used = yield* usage(quota)
    if (used > quota.bytes) return { outcome: 'over-quota', quota, used: used - addedTo(quota, change) }
  }
  return undefined
}

const addedTo = (quota: Quota, { bytes, ofActors }: UsageChange): number =>
  quota.kind === 'repositories'
    ? bytes
    : ofActors.filter(([actor]) => actor === quota.actor).reduce((sum, [, more]) => sum + more, 0)
