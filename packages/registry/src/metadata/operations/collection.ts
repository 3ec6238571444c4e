import { sql } from 'kysely'
import type { Digest } from '@stowage/oci'
import { elements, member } from '../elements.ts'
import type { Operation, WriteOperation } from '../operation.ts'
import { all, run } from '../operation.ts'
import { statement } from '../statement.ts'
import type { CollectBlobs, CollectedBlobs } from '../upkeep-store.ts'
import { emit } from './events.ts'
import { lockRepository } from './repositories.ts'
import { touchUntagged } from './untagged.ts'
import { touchLink } from './unused.ts'
import { count } from './usage.ts'

/** Who makes the changes, in events. No user can have a colon in his name. */
const collector = 'stowage:garbage-collection'

/** Links that say they are unused although a manifest references their blob. There are none unless the store was mended by hand. */
const mendUsed = statement<{ repositoryId: number; digests: string }>()((db, p, dialect) =>
  db
    .updateTable('repository_blobs')
    .set({ unused_since: null })
    .where('repository_id', '=', p.repositoryId)
    .where('digest', 'in', (eb) => eb.selectFrom(elements(dialect, p.digests)).select(member('digest').as('digest')))
    .where('unused_since', 'is not', null)
    .where((eb) =>
      eb.exists(
        eb
          .selectFrom('manifest_references as m')
          .select('m.digest')
          .where('m.repository_id', '=', p.repositoryId)
          .whereRef('m.digest', '=', 'repository_blobs.digest'),
      ),
    ),
)

/** After `mendUsed` a time says that nothing uses the blob. */
const stillUnused = statement<{ repositoryId: number; digests: string; unusedBefore: number }>()((db, p, dialect) =>
  db
    .selectFrom('repository_blobs')
    .select((eb) => [eb.ref('digest').$castTo<Digest>().as('digest'), 'linked_by as linkedBy'])
    .where('repository_id', '=', p.repositoryId)
    .where('digest', 'in', (eb) => eb.selectFrom(elements(dialect, p.digests)).select(member('digest').as('digest')))
    .where('unused_since', '<', p.unusedBefore)
    .orderBy('digest'),
)

/** In one order, whatever the repository: two collections that share blobs never wait for each other. */
const lockBlobs = statement<{ digests: string }>()((db, p, dialect) =>
  db
    .selectFrom('blobs')
    .select(['digest', 'size'])
    .where('digest', 'in', (eb) => eb.selectFrom(elements(dialect, p.digests)).select(member('digest').as('digest')))
    .orderBy('digest')
    .$if(dialect === 'postgres', (query) => query.forUpdate()),
)

const removeLinks = statement<{ repositoryId: number; digests: string }>()((db, p, dialect) =>
  db
    .deleteFrom('repository_blobs')
    .where('repository_id', '=', p.repositoryId)
    .where('digest', 'in', (eb) => eb.selectFrom(elements(dialect, p.digests)).select(member('digest').as('digest'))),
)

const removeBlobsWithoutLinks = statement<{ digests: string }>()((db, p, dialect) =>
  db
    .deleteFrom('blobs')
    .where('digest', 'in', (eb) => eb.selectFrom(elements(dialect, p.digests)).select(member('digest').as('digest')))
    .where((eb) =>
      eb.not(
        eb.exists(eb.selectFrom('repository_blobs as l').select('l.digest').whereRef('l.digest', '=', 'blobs.digest')),
      ),
    )
    .returning(['key', 'size']),
)

const addGarbage = statement<{ keys: string; at: number }>()((db, p, dialect) =>
  db
    .insertInto('blob_garbage')
    .columns(['key', 'since'])
    .expression((eb) =>
      eb
        .selectFrom(elements(dialect, p.keys))
        .select((item) => [member('key').as('key'), item.cast<number>(item.val(p.at), 'bigint').as('since')])
        // SQLite reads `on conflict` after a select without `where` as a join.
        .where(sql<boolean>`true`),
    )
    .onConflict((conflict) => conflict.column('key').doNothing()),
)

/**
 * Takes those of the blobs out of the repository that are still unused since before that. With the repository held no manifest
 * can come to reference one; with the blobs held no other repository can come to link one. So what is decided here holds when
 * it is committed, and a manifest that waited finds its blobs missing.
 */
export function* collectBlobs(target: CollectBlobs): WriteOperation<CollectedBlobs> {
  const { repository, unusedBefore, at } = target
  const nothing: CollectedBlobs = { links: [], blobs: 0, bytes: 0 }
  const repositoryId = yield* lockRepository(repository)
  if (repositoryId === undefined) return nothing
  const asked = listOf(target.digests)
  yield* run(mendUsed, { repositoryId, digests: asked })
  const doomed = yield* all(stillUnused, { repositoryId, digests: asked, unusedBefore })
  if (doomed.length === 0) return nothing
  const links = doomed.map((link) => link.digest)
  const digests = listOf(links)

  const sizes = new Map((yield* all(lockBlobs, { digests })).map((blob) => [blob.digest, blob.size]))
  yield* run(removeLinks, { repositoryId, digests })
  const gone = yield* all(removeBlobsWithoutLinks, { digests })
  if (gone.length > 0) yield* run(addGarbage, { keys: JSON.stringify(gone.map(({ key }) => ({ key }))), at })

  const ofActors = new Map<string, number>()
  let freed = 0
  for (const { digest, linkedBy } of doomed) {
    const size = sizes.get(digest) ?? 0
    freed += size
    ofActors.set(linkedBy, (ofActors.get(linkedBy) ?? 0) - size)
  }
  yield* count({ repositoryId, bytes: -freed, ofActors: [...ofActors] })
  yield* emit(
    at,
    collector,
    links.map((digest) => ({ type: 'blob.deleted', repository, digest })),
  )
  return { links, blobs: gone.length, bytes: gone.reduce((sum, { size }) => sum + size, 0) }
}

const listOf = (digests: readonly Digest[]): string => JSON.stringify(digests.map((digest) => ({ digest })))

export function* touchBlob(repository: string, digest: Digest, at: number): Operation<void> {
  const repositoryId = yield* lockRepository(repository)
  if (repositoryId !== undefined) yield* touchLink(repositoryId, digest, at)
}

export function* touchManifest(repository: string, digest: Digest, at: number): Operation<void> {
  const repositoryId = yield* lockRepository(repository)
  if (repositoryId !== undefined) yield* touchUntagged(repositoryId, digest, at)
}
