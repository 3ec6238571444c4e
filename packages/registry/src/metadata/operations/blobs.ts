import { sql } from 'kysely'
import type { Digest } from '@stowage/oci'
import type { Grant, RepositoryFilter } from '../../access/grant.ts'
import { elements, member } from '../elements.ts'
import { globPatterns } from '../glob.ts'
import type { BlobRow, FinishUpload, FinishUploadResult, GarbageRow, UnlinkBlobResult } from '../metadata-store.ts'
import type { Operation, WriteOperation } from '../operation.ts'
import { all, one, run, Undone } from '../operation.ts'
import { statement } from '../statement.ts'
import { emit } from './events.ts'
import { lockOrCreateRepository, lockRepository } from './repositories.ts'
import { forgetUpload } from './uploads.ts'

export const findBlobRow = statement<{ repository: string; digest: string }>()((db, p) =>
  db
    .selectFrom('repositories as r')
    .innerJoin('repository_blobs as l', 'l.repository_id', 'r.id')
    .innerJoin('blobs as b', 'b.digest', 'l.digest')
    .select((eb) => [eb.ref('b.digest').$castTo<Digest>().as('digest'), 'b.size', 'b.key'])
    .where('r.name', '=', p.repository)
    .where('l.digest', '=', p.digest),
)

export function* findBlob(repository: string, digest: Digest): Operation<BlobRow | undefined> {
  return yield* one(findBlobRow, { repository, digest })
}

/** Locks the blob against a change of its key and against the loss of its last link, in any repository. */
const lockBlob = statement<{ digest: string }>()((db, p, dialect) =>
  db
    .selectFrom('blobs')
    .select(['size', 'key'])
    .where('digest', '=', p.digest)
    .$if(dialect === 'postgres', (query) => query.forUpdate()),
)

/** Gives the key the blob has: this one, or that of a blob which was there. Locks it in both cases. */
const insertOrLockBlob = statement<{ digest: string; size: number; key: string; at: number }>()((db, p) =>
  db
    .insertInto('blobs')
    .values({ digest: p.digest, size: p.size, key: p.key, created_at: p.at })
    .onConflict((conflict) => conflict.column('digest').doUpdateSet((eb) => ({ size: eb.ref('excluded.size') })))
    .returning('key'),
)

const replaceKey = statement<{ digest: string; key: string }>()((db, p) =>
  db.updateTable('blobs').set({ key: p.key }).where('digest', '=', p.digest),
)

const addGarbage = statement<{ key: string; at: number }>()((db, p) =>
  db
    .insertInto('blob_garbage')
    .values({ key: p.key, since: p.at })
    .onConflict((conflict) => conflict.column('key').doNothing()),
)

/** Gives a row only when the link is new. */
const addLink = statement<{ repositoryId: number; digest: string; at: number }>()((db, p) =>
  db
    .insertInto('repository_blobs')
    .values({ repository_id: p.repositoryId, digest: p.digest, linked_at: p.at })
    .onConflict((conflict) => conflict.columns(['repository_id', 'digest']).doNothing())
    .returning('digest'),
)

export function* finishUpload(finish: FinishUpload, grant: Grant): WriteOperation<FinishUploadResult> {
  const { repository, uploadId, digest, size, key, at } = finish
  const repositoryId = yield* lockOrCreateRepository(repository, at)
  if (uploadId !== undefined && !(yield* forgetUpload(repository, uploadId))) {
    return new Undone<FinishUploadResult>({ outcome: 'upload-unknown' })
  }
  const blob = yield* one(insertOrLockBlob, { digest, size, key, at })
  if (blob !== undefined && blob.key !== key) {
    yield* run(replaceKey, { digest, key })
    yield* run(addGarbage, { key: blob.key, at })
  }
  yield* run(addLink, { repositoryId, digest, at })
  yield* emit(at, grant.actor, [{ type: 'blob.pushed', repository, digest, size }])
  return { outcome: 'linked' }
}

export interface MountBlob {
  readonly repository: string
  readonly digest: Digest
  readonly from?: string
  readonly readable: RepositoryFilter
  readonly at: number
}

export type MountBlobResult = { readonly size: number; readonly from: string } | undefined

const anySource = statement<{ digest: string }>()((db, p) =>
  db
    .selectFrom('repository_blobs as l')
    .innerJoin('repositories as r', 'r.id', 'l.repository_id')
    .select('r.name')
    .where('l.digest', '=', p.digest)
    .limit(1),
)

const matchingSource = statement<{ digest: string; patterns: string }>()((db, p, dialect) =>
  db
    .selectFrom('repository_blobs as l')
    .innerJoin('repositories as r', 'r.id', 'l.repository_id')
    .select('r.name')
    .where('l.digest', '=', p.digest)
    .where((eb) =>
      eb.exists(
        eb
          .selectFrom(elements(dialect, p.patterns))
          .select(sql`1`.as('one'))
          .where(
            dialect === 'postgres'
              ? sql<boolean>`${sql.ref('r.name')} like (${member('like')})`
              : sql<boolean>`${sql.ref('r.name')} glob (${member('glob')})`,
          ),
      ),
    )
    .limit(1),
)

/** A repository to mount from: a look that locks nothing. */
export function* findMountSource(mount: MountBlob): Operation<string | undefined> {
  const { digest, from, readable } = mount
  if (from !== undefined) return (yield* findBlob(from, digest)) && from
  if (readable.kind === 'all') return (yield* one(anySource, { digest }))?.name
  return (yield* one(matchingSource, { digest, patterns: JSON.stringify(globPatterns(readable.globs)) }))?.name
}

export function* mountBlob(mount: MountBlob, grant: Grant): WriteOperation<MountBlobResult> {
  const { repository, digest, at } = mount
  const repositoryId = yield* lockOrCreateRepository(repository, at)
  const blob = yield* one(lockBlob, { digest })
  const from = yield* findMountSource(mount)
  if (blob === undefined || from === undefined) return new Undone<MountBlobResult>(undefined)
  const { size } = blob
  const isNew = (yield* one(addLink, { repositoryId, digest, at })) !== undefined
  if (isNew) yield* emit(at, grant.actor, [{ type: 'blob.mounted', repository, digest, size, from }])
  return { size, from }
}

const findUse = statement<{ repositoryId: number; digest: string }>()((db, p) =>
  db
    .selectFrom('manifest_references')
    .select((eb) => eb.ref('manifest_digest').$castTo<Digest>().as('by'))
    .where('repository_id', '=', p.repositoryId)
    .where('digest', '=', p.digest)
    // A manifest that lists these bytes as a child means the manifest with this digest, not the blob.
    .where('role', '<>', 'manifest')
    .orderBy('manifest_digest')
    .limit(1),
)

const findLink = statement<{ repositoryId: number; digest: string }>()((db, p) =>
  db
    .selectFrom('repository_blobs')
    .select('digest')
    .where('repository_id', '=', p.repositoryId)
    .where('digest', '=', p.digest),
)

const removeLink = statement<{ repositoryId: number; digest: string }>()((db, p) =>
  db.deleteFrom('repository_blobs').where('repository_id', '=', p.repositoryId).where('digest', '=', p.digest),
)

const removeBlobWithoutLinks = statement<{ digest: string }>()((db, p) =>
  db
    .deleteFrom('blobs')
    .where('digest', '=', p.digest)
    .where((eb) => eb.not(eb.exists(eb.selectFrom('repository_blobs').select('digest').where('digest', '=', p.digest))))
    .returning('key'),
)

export interface UnlinkBlob {
  readonly repository: string
  readonly digest: Digest
  readonly at: number
  readonly evenIfUsed: boolean
}

export function* unlinkBlob(target: UnlinkBlob, grant: Grant): WriteOperation<UnlinkBlobResult> {
  const { repository, digest, at } = target
  const repositoryId = yield* lockRepository(repository)
  if (repositoryId === undefined) return { outcome: 'unknown' }
  if ((yield* one(findLink, { repositoryId, digest })) === undefined) return { outcome: 'unknown' }
  const use = target.evenIfUsed ? undefined : yield* one(findUse, { repositoryId, digest })
  if (use !== undefined) return { outcome: 'in-use', by: use.by }
  yield* run(lockBlob, { digest })
  yield* run(removeLink, { repositoryId, digest })
  const gone = yield* one(removeBlobWithoutLinks, { digest })
  if (gone !== undefined) yield* run(addGarbage, { key: gone.key, at })
  yield* emit(at, grant.actor, [{ type: 'blob.deleted', repository, digest }])
  return { outcome: 'deleted' }
}

const oldestGarbage = statement<{ limit: number }>()((db, p) =>
  db.selectFrom('blob_garbage').select(['key', 'since']).orderBy('since').orderBy('key').limit(p.limit),
)

export function* listGarbage(page: { readonly limit: number }): Operation<GarbageRow[]> {
  return yield* all(oldestGarbage, { limit: page.limit })
}

const removeGarbage = statement<{ keys: string }>()((db, p, dialect) =>
  db
    .deleteFrom('blob_garbage')
    .where('key', 'in', (eb) => eb.selectFrom(elements(dialect, p.keys)).select(member('key').as('key'))),
)

export function* forgetGarbage(keys: readonly string[]): Operation<void> {
  yield* run(removeGarbage, { keys: JSON.stringify(keys.map((key) => ({ key }))) })
}
