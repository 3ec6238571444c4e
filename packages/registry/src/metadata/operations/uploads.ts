import { sql } from 'kysely'
import type { UploadRow } from '../metadata-store.ts'
import type { Operation } from '../operation.ts'
import { all, one, run } from '../operation.ts'
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

/** How many there are, counted no further than `limit`. */
const countAll = statement<{ limit: number }>()((db, p) =>
  db
    .selectFrom((eb) => eb.selectFrom('uploads').select('id').limit(p.limit).as('some'))
    .select((eb) => eb.fn.countAll<number>().as('count')),
)

const countOfActor = statement<{ actor: string; limit: number }>()((db, p) =>
  db
    .selectFrom((eb) => eb.selectFrom('uploads').select('id').where('actor', '=', p.actor).limit(p.limit).as('some'))
    .select((eb) => eb.fn.countAll<number>().as('count')),
)

/** Any number will do as long as nothing else in the database uses it. */
const UPLOADS_LOCK = 7_308_604_760

/** Two that count at once would both find room for one. */
const lockCount = statement<object>()((db, _p, dialect) =>
  dialect === 'postgres'
    ? { compile: () => sql`select pg_advisory_xact_lock(${sql.lit(UPLOADS_LOCK)})`.compile(db) }
    : undefined,
)

/** Most uploads that may be open. */
export interface UploadLimits {
  readonly ofActor: number
  readonly ofAll: number
}

export function* createUpload(upload: UploadRow, limits?: UploadLimits): Operation<boolean> {
  if (limits !== undefined) {
    const { ofActor, ofAll } = limits
    yield* run(lockCount, {})
    if (((yield* one(countOfActor, { actor: upload.actor, limit: ofActor }))?.count ?? 0) >= ofActor) return false
    if (((yield* one(countAll, { limit: ofAll }))?.count ?? 0) >= ofAll) return false
  }
  yield* run(insertUpload, { ...upload, state: upload.state ?? null })
  return true
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
