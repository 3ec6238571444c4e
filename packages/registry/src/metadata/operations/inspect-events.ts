import { sql } from 'kysely'
import type { ChangeEvent } from '../event.ts'
import type { Operation } from '../operation.ts'
import { all, one } from '../operation.ts'
import { statement } from '../statement.ts'
import type { MetadataProblem } from '../upkeep-store.ts'

const pageOfEvents = statement<{ last: number; limit: number }>()((db, p) =>
  db
    .selectFrom('events')
    .select(['sequence', 'payload_json as payload'])
    .where('sequence', '>', p.last)
    .orderBy('sequence')
    .limit(p.limit),
)

const allReceivers = statement<{ limit: number }>()((db, p) =>
  db.selectFrom('event_receivers').select(['name', 'acknowledged']).orderBy('name').limit(p.limit),
)

/** The last number that was given out, also when its event has been pruned. */
const lastSequence = statement<object>()((db, _p, dialect) =>
  dialect === 'sqlite'
    ? db
        .selectNoFrom(sql<number | null>`(select seq from sqlite_sequence where name = 'events')`.as('last'))
        .where(sql<boolean>`true`)
    : // The sequence of the table in the schema that this one is in, whatever the search path.
      db
        .selectFrom('schema_migrations as m')
        .select(
          sql<number | null>`pg_sequence_last_value(cast(pg_get_serial_sequence(
            (select quote_ident(n.nspname) || '.events' from pg_class c join pg_namespace n on n.oid = c.relnamespace
              where c.oid = m.tableoid), 'sequence') as regclass))`.as('last'),
        )
        .limit(1),
)

const types: Readonly<Record<ChangeEvent['type'], true>> = {
  'manifest.pushed': true,
  'tag.set': true,
  'tag.deleted': true,
  'manifest.deleted': true,
  'blob.pushed': true,
  'blob.mounted': true,
  'blob.deleted': true,
}

const isChange = (payload: string): boolean => {
  try {
    const value: unknown = JSON.parse(payload)
    if (typeof value !== 'object' || value === null) return false
    const { type, repository, digest } = value as Record<string, unknown>
    return (
      typeof type === 'string' &&
      Object.hasOwn(types, type) &&
      typeof repository === 'string' &&
      typeof digest === 'string'
    )
  } catch {
    return false
  }
}

const atOnce = 500

export function* inspectEvents(limit: number): Operation<MetadataProblem[]> {
  const found: MetadataProblem[] = []
  // Before the events and their numbers: a receiver may go on meanwhile, and a number is given out before it is acknowledged.
  const receivers = yield* all(allReceivers, { limit: 1000 })
  const given = (yield* one(lastSequence, {}))?.last ?? 0
  for (const { name, acknowledged } of receivers.filter((receiver) => receiver.acknowledged > given).slice(0, limit)) {
    const message = `The receiver is said to have had event ${acknowledged}, and the last one was ${given}: it will miss the next ones.`
    found.push({ kind: 'receiver-ahead', subject: name, message })
  }
  let unreadable = 0
  for (let last = -1; ;) {
    const page = yield* all(pageOfEvents, { last, limit: atOnce })
    for (const { sequence, payload } of page) {
      last = sequence
      if (isChange(payload)) continue
      const message = 'The event is not what this program writes: it holds up every receiver that has not had it.'
      found.push({ kind: 'event-unreadable', subject: String(sequence), message })
      unreadable += 1
      if (unreadable === limit) return found
    }
    if (page.length < atOnce) return found
  }
}
