import type { Digest } from '@stowage/oci'
import type { Operation } from '../operation.ts'
import { all } from '../operation.ts'
import { statement } from '../statement.ts'
import type { UnusedBlob, UnusedBlobsPage } from '../upkeep-store.ts'

/** The queue of garbage collection, read along its index from a place on. */
const pageOfUnused = statement<{
  unusedBefore: number
  afterSince: number
  afterRepository: string
  afterDigest: string
  limit: number
}>()((db, p) =>
  db
    .selectFrom('repository_blobs as l')
    .innerJoin('repositories as r', 'r.id', 'l.repository_id')
    .innerJoin('blobs as b', 'b.digest', 'l.digest')
    .select((eb) => [
      'r.name as repository',
      eb.ref('l.digest').$castTo<Digest>().as('digest'),
      'b.size',
      eb.ref('l.unused_since').$castTo<number>().as('unusedSince'),
      // Another link that is used, or younger, or the next in line.
      eb
        .selectFrom('repository_blobs as o')
        .select('o.digest')
        .whereRef('o.digest', '=', 'l.digest')
        .whereRef('o.repository_id', '<>', 'l.repository_id')
        .where((other) =>
          other.or([
            other('o.unused_since', 'is', null),
            other('o.unused_since', '>', other.ref('l.unused_since')),
            other.and([
              other('o.unused_since', '=', other.ref('l.unused_since')),
              other('o.repository_id', '>', other.ref('l.repository_id')),
            ]),
          ]),
        )
        .limit(1)
        .as('heldBy'),
    ])
    .where('l.unused_since', '<', p.unusedBefore)
    .where((eb) =>
      eb(
        eb.refTuple('l.unused_since', 'l.repository_id', 'l.digest'),
        '>',
        eb.tuple(
          p.afterSince,
          eb.selectFrom('repositories').select('id').where('name', '=', p.afterRepository),
          p.afterDigest,
        ),
      ),
    )
    .orderBy('l.unused_since')
    .orderBy('l.repository_id')
    .orderBy('l.digest')
    .limit(p.limit),
)

export function* listUnusedBlobs({ unusedBefore, after, limit }: UnusedBlobsPage): Operation<UnusedBlob[]> {
  const rows = yield* all(pageOfUnused, {
    unusedBefore,
    // No time is before it, so that nothing else of the place is looked at.
    afterSince: after?.unusedSince ?? Number.MIN_SAFE_INTEGER,
    afterRepository: after?.repository ?? '',
    afterDigest: after?.digest ?? '',
    limit,
  })
  return rows.map(({ heldBy, ...row }) => ({ ...row, last: heldBy === null }))
}
