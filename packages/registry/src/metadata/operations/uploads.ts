import { sql } from 'kysely'
import type { Kysely } from 'kysely'
import type { CreateUploadResult, UploadLimits, UploadRow } from '../metadata-store.ts'
import type { Operation } from '../operation.ts'
import { all, one, run } from '../operation.ts'
import type { Schema } from '../schema.ts'
import { statement } from '../statement.ts'

type StoredUpload = Omit<UploadRow, 'state'> & { readonly state: string | null }

const columns = ['id', 'repository', 'actor', 'started_at as startedAt', 'touched_at as touchedAt', 'state'] as const

function uploadRow({ state, ...upload }: StoredUpload): UploadRow {
  return state === null ? upload : { ...upload, state }
}

const insertUpload = statement<StoredUpload>()((db, p) =>
  db.insertInto('uploads').values({
    id: p.id,
    repository: p.repository,
    actor: p.actor,
    started_at: p.startedAt,
    touched_at: p.touchedAt,
    state: p.state,
  }),
)

/**
 * Inserts and gives the id if there is room: one statement where there is, which is nearly always. Both counts end with the
 * limits, for there are no more rows than these admit.
 */
const insertIfRoom = statement<StoredUpload & UploadLimits>()((db, p) =>
  db
    .insertInto('uploads')
    .columns(['id', 'repository', 'actor', 'started_at', 'touched_at', 'state'])
    .expression(
      db
        .selectNoFrom((row) => [
          row.cast<string>(row.val(p.id), 'text').as('id'),
          row.cast<string>(row.val(p.repository), 'text').as('repository'),
          row.cast<string>(row.val(p.actor), 'text').as('actor'),
          row.cast<number>(row.val(p.startedAt), 'bigint').as('started_at'),
          row.cast<number>(row.val(p.touchedAt), 'bigint').as('touched_at'),
          row.cast<string | null>(row.val(p.state), 'text').as('state'),
        ])
        .where((row) => row(countOf(db).where('actor', '=', p.actor), '<', p.ofActor))
        .where((row) => row(countOf(db), '<', p.ofAll)),
    )
    .returning('id'),
)

function countOf(db: Kysely<Schema>) {
  return db.selectFrom('uploads').select((eb) => eb.fn.countAll<number>().as('count'))
}

const countOfActor = statement<{ actor: string }>()((db, p) => countOf(db).where('actor', '=', p.actor))

/** Who has most. */
const largestHolder = statement<object>()((db) =>
  db
    .selectFrom('uploads')
    .select((eb) => ['actor', eb.fn.countAll<number>().as('count')])
    .groupBy('actor')
    .orderBy('count', 'desc')
    .orderBy('actor')
    .limit(1),
)

const removeOldestOf = statement<{ actor: string }>()((db, p) =>
  db
    .deleteFrom('uploads')
    .where('id', '=', (eb) =>
      eb.selectFrom('uploads').select('id').where('actor', '=', p.actor).orderBy('touched_at').orderBy('id').limit(1),
    )
    .returning(columns),
)

/** Any number will do as long as nothing else in the database uses it. */
const UPLOADS_LOCK = 7_308_604_760

/** Two that count at once would both find room for one. */
const lockCount = statement<object>()((db, _p, dialect) =>
  dialect === 'postgres'
    ? { compile: () => sql`select pg_advisory_xact_lock(${sql.lit(UPLOADS_LOCK)})`.compile(db) }
    : undefined,
)

export function* createUpload(upload: UploadRow, limits?: UploadLimits): Operation<CreateUploadResult> {
  const row = { ...upload, state: upload.state ?? null }
  if (limits === undefined) {
    yield* run(insertUpload, row)
    return { outcome: 'created' }
  }
  yield* run(lockCount, {})
  if ((yield* one(insertIfRoom, { ...row, ...limits })) !== undefined) return { outcome: 'created' }
  const own = (yield* one(countOfActor, { actor: upload.actor }))?.count ?? 0
  // Who has many already waits like everybody else.
  if (own >= Math.min(limits.ofActor, Math.max(1, Math.floor(limits.ofActor / 10)))) return { outcome: 'too-many' }
  const largest = yield* one(largestHolder, {})
  // With one less the holder would be the next to come for the place he has just lost.
  if (largest === undefined || largest.count < own + 2) return { outcome: 'too-many' }
  const replaced = yield* one(removeOldestOf, { actor: largest.actor })
  yield* run(insertUpload, row)
  // It may have ended while its row was waited for: then its place is free.
  return replaced === undefined ? { outcome: 'created' } : { outcome: 'created', replaced: uploadRow(replaced) }
}

const findRow = statement<{ repository: string; id: string }>()((db, p) =>
  db.selectFrom('uploads').select(columns).where('id', '=', p.id).where('repository', '=', p.repository),
)

export function* findUpload(repository: string, id: string): Operation<UploadRow | undefined> {
  const row = yield* one(findRow, { repository, id })
  return row && uploadRow(row)
}

const updateUpload = statement<{ id: string; touchedAt: number; state: string | null }>()((db, p) =>
  db
    .updateTable('uploads')
    .set((eb) => ({
      touched_at: p.touchedAt,
      state: eb.fn.coalesce(eb.cast<string>(eb.val(p.state), 'text'), 'state'),
    }))
    .where('id', '=', p.id)
    .returning('id'),
)

/** Without a new state the old one stays. */
export function* saveUpload(id: string, progress: { touchedAt: number; state?: string }): Operation<boolean> {
  const { touchedAt, state = null } = progress
  return (yield* one(updateUpload, { id, touchedAt, state })) !== undefined
}

const removeUpload = statement<{ repository: string; id: string }>()((db, p) =>
  db.deleteFrom('uploads').where('id', '=', p.id).where('repository', '=', p.repository).returning('id'),
)

/**
 * True for exactly one of those who try: whoever removes the row has the upload's end to himself, be it finish, cancel or
 * expiry.
 */
export function* forgetUpload(repository: string, id: string): Operation<boolean> {
  return (yield* one(removeUpload, { repository, id })) !== undefined
}

const listOlder = statement<{ touchedBefore: number; limit: number }>()((db, p) =>
  db
    .selectFrom('uploads')
    .select(columns)
    .where('touched_at', '<', p.touchedBefore)
    .orderBy('touched_at')
    .orderBy('id')
    .limit(p.limit),
)

export function* listExpiredUploads(page: {
  readonly touchedBefore: number
  readonly limit: number
}): Operation<UploadRow[]> {
  return (yield* all(listOlder, page)).map(uploadRow)
}

const removeOlder = statement<{ id: string; touchedBefore: number }>()((db, p) =>
  db.deleteFrom('uploads').where('id', '=', p.id).where('touched_at', '<', p.touchedBefore).returning('id'),
)

export function* expireUpload(id: string, touchedBefore: number): Operation<boolean> {
  return (yield* one(removeOlder, { id, touchedBefore })) !== undefined
}
