import { sql } from 'kysely'
import type { ChangeEvent, RegistryEvent } from '../event.ts'
import { elements, member } from '../elements.ts'
import type { Operation } from '../operation.ts'
import { all, one, run } from '../operation.ts'
import { statement } from '../statement.ts'

const anyReceiver = statement<object>()((db) => db.selectFrom('event_receivers').select('name').limit(1))

/** Any number will do as long as nothing else in the database uses it. */
const EVENTS_LOCK = 7_308_604_759

/**
 * PostgreSQL hands out sequence numbers in another order than transactions commit. A reader that saw 6 while 5 was still
 * being written would acknowledge 6, and 5 would never be delivered. So writers hold this lock, shared, from the number
 * to the commit, and a reader that is about to hand out events waits for them.
 */
const lockShared = statement<object>()((db, _p, dialect) =>
  dialect === 'postgres'
    ? { compile: () => sql`select pg_advisory_xact_lock_shared(${sql.lit(EVENTS_LOCK)})`.compile(db) }
    : undefined,
)

const lockExclusive = statement<object>()((db, _p, dialect) =>
  dialect === 'postgres'
    ? { compile: () => sql`select pg_advisory_xact_lock(${sql.lit(EVENTS_LOCK)})`.compile(db) }
    : undefined,
)

const insertEvents = statement<{ at: number; actor: string; events: string }>()((db, p, dialect) =>
  db
    .insertInto('events')
    .columns(['id', 'at', 'actor', 'payload_json'])
    .expression((eb) =>
      eb
        .selectFrom(elements(dialect, p.events))
        .select((item) => [
          member('id').as('id'),
          item.cast<number>(item.val(p.at), 'bigint').as('at'),
          item.cast<string>(item.val(p.actor), 'text').as('actor'),
          member('payload').as('payload_json'),
        ]),
    ),
)

/** The last step of a change, in its transaction. Without a receiver there is nobody to keep an event for. */
export function* emit(at: number, actor: string, events: readonly ChangeEvent[]): Operation<void> {
  if (events.length === 0 || (yield* one(anyReceiver, {})) === undefined) return
  yield* run(lockShared, {})
  const rows = events.map((event) => ({ id: crypto.randomUUID(), payload: JSON.stringify(event) }))
  yield* run(insertEvents, { at, actor, events: JSON.stringify(rows) })
}

const unacknowledged = statement<{ receiver: string; limit: number }>()((db, p) =>
  db
    .selectFrom('event_receivers as r')
    .innerJoin('events as e', (join) => join.onRef('e.sequence', '>', 'r.acknowledged'))
    .select(['e.sequence', 'e.id', 'e.at', 'e.actor', 'e.payload_json as payload'])
    .where('r.name', '=', p.receiver)
    .orderBy('e.sequence')
    .limit(p.limit),
)

/** Whether it is worth waiting for the writers: most looks find nothing. */
export function* hasEvents(receiver: string): Operation<boolean> {
  return (yield* one(unacknowledged, { receiver, limit: 1 })) !== undefined
}

export function* readEvents(receiver: string, limit: number): Operation<RegistryEvent[]> {
  yield* run(lockExclusive, {})
  const rows = yield* all(unacknowledged, { receiver, limit })
  return rows.map(({ payload, ...event }) => {
    const change: ChangeEvent = JSON.parse(payload)
    return { ...change, ...event }
  })
}

const lockReceivers = statement<object>()((db, _p, dialect) =>
  db
    .selectFrom('event_receivers')
    .select('name')
    .orderBy('name')
    .$if(dialect === 'postgres', (query) => query.forUpdate()),
)

const removeReceiver = statement<{ name: string }>()((db, p) =>
  db.deleteFrom('event_receivers').where('name', '=', p.name),
)

/** A new receiver has, so to speak, everything that is there already. */
const addReceiver = statement<{ name: string }>()((db, p) =>
  db
    .insertInto('event_receivers')
    .columns(['name', 'acknowledged'])
    .expression((eb) =>
      eb
        .selectFrom('events')
        .select((events) => [
          events.cast<string>(events.val(p.name), 'text').as('name'),
          events.fn.coalesce(events.fn.max('sequence'), sql<number>`0`).as('acknowledged'),
        ])
        // SQLite reads `on conflict` after a select without `where` as a join.
        .where(sql<boolean>`true`),
    )
    .onConflict((conflict) => conflict.column('name').doNothing()),
)

export function* enrollReceivers(names: readonly string[]): Operation<void> {
  yield* run(lockExclusive, {})
  const known = yield* all(lockReceivers, {})
  for (const { name } of known) {
    if (!names.includes(name)) yield* run(removeReceiver, { name })
  }
  for (const name of names) yield* run(addReceiver, { name })
  yield* run(pruneDelivered, {})
  yield* run(pruneAll, {})
}

const acknowledge = statement<{ receiver: string; sequence: number }>()((db, p) =>
  db
    .updateTable('event_receivers')
    .set({ acknowledged: p.sequence })
    .where('name', '=', p.receiver)
    .where('acknowledged', '<', p.sequence),
)

export function* acknowledgeEvents(receiver: string, sequence: number): Operation<void> {
  // Two receivers that acknowledge at once would each prune by the other's old place, and the rest would stay.
  yield* run(lockReceivers, {})
  yield* run(acknowledge, { receiver, sequence })
  yield* run(pruneDelivered, {})
}

const pruneDelivered = statement<object>()((db) =>
  db
    .deleteFrom('events')
    .where('sequence', '<=', (eb) =>
      eb.selectFrom('event_receivers').select((receivers) => receivers.fn.min('acknowledged').as('acknowledged')),
    ),
)

/** Without a receiver there is none that has least. */
const pruneAll = statement<object>()((db) =>
  db.deleteFrom('events').where((eb) => eb.not(eb.exists(eb.selectFrom('event_receivers').select('name')))),
)
