import { hash } from 'node:crypto'
import { sql } from 'kysely'
import { type Digest, digestAlgorithm } from '@stowage/oci'
import { elements, member } from '../elements.ts'
import type { Operation } from '../operation.ts'
import { all, one, run } from '../operation.ts'
import { statement } from '../statement.ts'
import type { BlobQuarantine, ManifestQuarantine, StoredBlob, StoredContent } from '../upkeep-store.ts'
import { lockBlob } from './blobs.ts'
import { lockContent } from './manifest-contents.ts'

/*
 * Quarantine is `corrupt_since`, of a blob or of a manifest: whoever looks for content that can be had leaves it out. What
 * only lists or deletes does not: a tag whose manifest has gone bad is still a tag.
 */

const pageOfBlobs = statement<{ last: string; limit: number }>()((db, p) =>
  db
    .selectFrom('blobs')
    .select((eb) => [
      eb.ref('digest').$castTo<Digest>().as('digest'),
      'size',
      'key',
      'verified_at as verifiedAt',
      'corrupt_since as corruptSince',
    ])
    .where('digest', '>', p.last)
    .orderBy('digest')
    .limit(p.limit),
)

const blobOfDigest = statement<{ digest: string }>()((db, p) =>
  db
    .selectFrom('blobs')
    .select((eb) => [
      eb.ref('digest').$castTo<Digest>().as('digest'),
      'size',
      'key',
      'verified_at as verifiedAt',
      'corrupt_since as corruptSince',
    ])
    .where('digest', '=', p.digest),
)

const stored = (row: {
  digest: Digest
  size: number
  key: string
  verifiedAt: number | null
  corruptSince: number | null
}): StoredBlob => ({
  digest: row.digest,
  size: row.size,
  key: row.key,
  ...(row.verifiedAt !== null && { verifiedAt: row.verifiedAt }),
  ...(row.corruptSince !== null && { corruptSince: row.corruptSince }),
})

export function* listBlobs(page: { readonly last?: Digest; readonly limit: number }): Operation<StoredBlob[]> {
  return (yield* all(pageOfBlobs, { last: page.last ?? '', limit: page.limit })).map(stored)
}

export function* storedBlob(digest: Digest): Operation<StoredBlob | undefined> {
  const row = yield* one(blobOfDigest, { digest })
  return row && stored(row)
}

const setCorrupt = statement<{ digest: string; at: number }>()((db, p) =>
  db.updateTable('blobs').set({ corrupt_since: p.at }).where('digest', '=', p.digest),
)

export function* quarantineBlob(target: {
  readonly digest: Digest
  readonly key: string
  readonly at: number
}): Operation<BlobQuarantine> {
  const { digest, key, at } = target
  const blob = yield* one(lockBlob, { digest })
  if (blob === undefined || blob.key !== key) return 'moved'
  if (blob.corruptSince !== null) return 'known'
  yield* run(setCorrupt, { digest, at })
  return 'quarantined'
}

/** In one order, or two of these that share blobs could wait for each other. */
const lockBlobs = statement<{ blobs: string }>()((db, p, dialect) =>
  dialect === 'postgres'
    ? db
        .selectFrom('blobs')
        .select('digest')
        .where('digest', 'in', (eb) => eb.selectFrom(elements(dialect, p.blobs)).select(member('digest').as('digest')))
        .orderBy('digest')
        .forUpdate()
    : undefined,
)

const setVerified = statement<{ blobs: string; at: number }>()((db, p, dialect) =>
  db
    .updateTable('blobs')
    .set({ verified_at: p.at })
    // A key is never used twice, so it stands for its digest.
    .where('key', 'in', (eb) => eb.selectFrom(elements(dialect, p.blobs)).select(member('key').as('key')))
    .where('corrupt_since', 'is', null),
)

const setHealed = statement<{ digest: string; key: string; corruptSince: number; at: number }>()((db, p) =>
  db
    .updateTable('blobs')
    .set({ verified_at: p.at, corrupt_since: null })
    .where('digest', '=', p.digest)
    .where('key', '=', p.key)
    // Not what somebody found out since.
    .where('corrupt_since', '=', p.corruptSince),
)

export function* verifiedBlobs(
  blobs: readonly { readonly digest: Digest; readonly key: string; readonly corruptSince?: number }[],
  at: number,
): Operation<void> {
  if (blobs.length === 0) return
  const list = JSON.stringify(blobs.map(({ digest, key }) => ({ digest, key })))
  yield* run(lockBlobs, { blobs: list })
  yield* run(setVerified, { blobs: list, at })
  for (const { digest, key, corruptSince } of blobs) {
    if (corruptSince !== undefined) yield* run(setHealed, { digest, key, corruptSince, at })
  }
}

/** A page of contents has about as many bytes at most, and one content in any case. */
const pageBytes = 1024 * 1024

const pageOfContents = statement<{ last: string; limit: number }>()((db, p, dialect) => {
  const length = dialect === 'postgres' ? sql<number>`octet_length(bytes)` : sql<number>`length(bytes)`
  return db
    .with('page', (page) =>
      page
        .selectFrom('manifest_contents')
        .select(['digest', length.as('size')])
        .where('digest', '>', p.last)
        .orderBy('digest')
        .limit(p.limit),
    )
    .with('summed', (summed) =>
      summed.selectFrom('page').select(['digest', sql<number>`sum(size) over (order by digest) - size`.as('before')]),
    )
    .selectFrom('summed as s')
    .innerJoin('manifest_contents as c', 'c.digest', 's.digest')
    .select((eb) => [
      eb.ref('c.digest').$castTo<Digest>().as('digest'),
      'c.bytes',
      eb
        .exists(
          eb
            .selectFrom('manifests as m')
            .select('m.digest')
            .whereRef('m.digest', '=', 'c.digest')
            .where('m.corrupt_since', 'is not', null),
        )
        .as('corrupt'),
    ])
    .where('s.before', '<', pageBytes)
    .orderBy('c.digest')
})

export function* listContents(page: { readonly last?: Digest; readonly limit: number }): Operation<StoredContent[]> {
  const rows = yield* all(pageOfContents, { last: page.last ?? '', limit: page.limit })
  return rows.map(({ digest, bytes, corrupt }) => ({ digest, bytes, corrupt: Boolean(corrupt) }))
}

const setManifestsCorrupt = statement<{ digest: string; at: number }>()((db, p) =>
  db
    .updateTable('manifests')
    .set({ corrupt_since: p.at })
    .where('digest', '=', p.digest)
    .where('corrupt_since', 'is', null)
    .returning('digest'),
)

const setManifestsRight = statement<{ digest: string }>()((db, p) =>
  db
    .updateTable('manifests')
    .set({ corrupt_since: null })
    .where('digest', '=', p.digest)
    .where('corrupt_since', 'is not', null)
    .returning('digest'),
)

export function* quarantineManifest(digest: Digest, at: number): Operation<ManifestQuarantine> {
  // With the content locked: what was wrong a moment ago a push may have put right.
  const content = yield* one(lockContent, { digest })
  if (content === undefined) return 'gone'
  const algorithm = digestAlgorithm(digest)
  if (`${algorithm}:${hash(algorithm, content.bytes, 'hex')}` !== digest) {
    return (yield* one(setManifestsCorrupt, { digest, at })) === undefined ? 'known' : 'quarantined'
  }
  return (yield* one(setManifestsRight, { digest })) === undefined ? 'right' : 'healed'
}
