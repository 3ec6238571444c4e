import { sql } from 'kysely'
import type { MetadataStatistics } from '../metadata-store.ts'
import type { Operation } from '../operation.ts'
import { one, run } from '../operation.ts'
import { statement } from '../statement.ts'

const counts = statement<object>()((db) =>
  db.selectNoFrom((eb) => [
    eb.selectFrom('repositories').select(eb.fn.countAll<number>().as('n')).as('repositories'),
    eb.selectFrom('manifests').select(eb.fn.countAll<number>().as('n')).as('manifests'),
    eb.selectFrom('tags').select(eb.fn.countAll<number>().as('n')).as('tags'),
    eb.selectFrom('blobs').select(eb.fn.countAll<number>().as('n')).as('blobs'),
    eb
      .selectFrom('blobs')
      // PostgreSQL adds up bigint to numeric, which is another type on the wire.
      .select(sql<number>`cast(coalesce(sum(size), 0) as bigint)`.as('n'))
      .as('blobBytes'),
    eb
      .selectFrom('blobs')
      .select(eb.fn.countAll<number>().as('n'))
      .where('corrupt_since', 'is not', null)
      .as('corruptBlobs'),
    eb.selectFrom('uploads').select(eb.fn.countAll<number>().as('n')).as('uploads'),
    // What the slowest receiver has is pruned, so what is there is what it waits for.
    eb.selectFrom('events').select(eb.fn.countAll<number>().as('n')).as('pendingEvents'),
  ]),
)

export function* statistics(): Operation<MetadataStatistics> {
  const row = yield* one(counts, {})
  if (row === undefined) throw new Error('The database counted nothing.')
  const { repositories, manifests, tags, blobs, blobBytes, corruptBlobs, uploads, pendingEvents } = row
  return {
    repositories: repositories ?? 0,
    manifests: manifests ?? 0,
    tags: tags ?? 0,
    blobs: blobs ?? 0,
    blobBytes: blobBytes ?? 0,
    corruptBlobs: corruptBlobs ?? 0,
    uploads: uploads ?? 0,
    pendingEvents: pendingEvents ?? 0,
  }
}

const beat = statement<{ at: number }>()((db, p) =>
  db
    .insertInto('heartbeat')
    .values({ id: 1, at: p.at })
    .onConflict((conflict) => conflict.column('id').doUpdateSet((eb) => ({ at: eb.ref('excluded.at') }))),
)

/** A full disk or a standby that only reads is found out by writing. */
export function* check(at: number): Operation<void> {
  yield* run(beat, { at })
}
