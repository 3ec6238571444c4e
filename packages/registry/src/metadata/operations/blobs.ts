import type { Digest } from '@stowage/oci'
import type { Grant, RepositoryFilter } from '../../access/grant.ts'
import { elements, member } from '../elements.ts'
import type {
  BlobRow,
  FinishUpload,
  FinishUploadResult,
  GarbageRow,
  OverQuota,
  UnlinkBlobResult,
} from '../metadata-store.ts'
import type { Operation, WriteOperation } from '../operation.ts'
import { all, one, run, Undone } from '../operation.ts'
import { statement } from '../statement.ts'
import { emit } from './events.ts'
import { heldManifest, referencesTo } from './held-manifest.ts'
import { immutableTagAbove } from './immutable-tags.ts'
import { findVisibleSource } from './mount-sources.ts'
import { lockOrCreateRepository, lockRepository } from './repositories.ts'
import { touchLink } from './unused.ts'
import { forgetUpload } from './uploads.ts'
import { count } from './usage.ts'

export const findBlobRow = statement<{ repository: string; digest: string }>()((db, p) =>
  db
    .selectFrom('repositories as r')
    .innerJoin('repository_blobs as l', 'l.repository_id', 'r.id')
    .innerJoin('blobs as b', 'b.digest', 'l.digest')
    .select((eb) => [
      eb.ref('b.digest').$castTo<Digest>().as('digest'),
      'b.size',
      'b.key',
      'l.unused_since as unusedSince',
    ])
    .where('r.name', '=', p.repository)
    .where('l.digest', '=', p.digest)
    .where('b.corrupt_since', 'is', null),
)

export function* findBlob(repository: string, digest: Digest): Operation<BlobRow | undefined> {
  return yield* one(findBlobRow, { repository, digest })
}

/** Locks the blob against a change of its key and against the loss of its last link, in any repository. */
export const lockBlob = statement<{ digest: string }>()((db, p, dialect) =>
  db
    .selectFrom('blobs')
    .select(['size', 'key', 'corrupt_since as corruptSince'])
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
  db.updateTable('blobs').set({ key: p.key, verified_at: null, corrupt_since: null }).where('digest', '=', p.digest),
)

export const addGarbage = statement<{ key: string; at: number }>()((db, p) =>
  db
    .insertInto('blob_garbage')
    .values({ key: p.key, since: p.at })
    .onConflict((conflict) => conflict.column('key').doNothing()),
)

/** Gives a row only when the link is new. */
const addLink = statement<{ repositoryId: number; digest: string; at: number; actor: string }>()((db, p) =>
  db
    .insertInto('repository_blobs')
    .values((eb) => ({
      repository_id: p.repositoryId,
      digest: p.digest,
      linked_at: p.at,
      linked_by: p.actor,
      // A manifest may have been let in before its blobs.
      unused_since: eb
        .case()
        .when(eb.exists(referencesTo(db, p.repositoryId, p.digest)))
        .then(null)
        .else(eb.cast<number>(eb.val(p.at), 'bigint'))
        .end(),
    }))
    .onConflict((conflict) => conflict.columns(['repository_id', 'digest']).doNothing())
    .returning('digest'),
)

/** Gives whether the link is new; one that was there begins its time again. */
function* addOrTouchLink(repositoryId: number, digest: Digest, at: number, actor: string): Operation<boolean> {
  if ((yield* one(addLink, { repositoryId, digest, at, actor })) !== undefined) return true
  yield* touchLink(repositoryId, digest, at)
  return false
}

export function* finishUpload(finish: FinishUpload, grant: Grant): WriteOperation<FinishUploadResult> {
  const { repository, uploadId, digest, size, key, at } = finish
  const { actor } = grant
  const repositoryId = yield* lockOrCreateRepository(repository, at)
  if (uploadId !== undefined && !(yield* forgetUpload(repository, uploadId))) {
    return new Undone<FinishUploadResult>({ outcome: 'upload-unknown' })
  }
  const blob = yield* one(insertOrLockBlob, { digest, size, key, at })
  if (blob !== undefined && blob.key !== key) {
    yield* run(replaceKey, { digest, key })
    yield* run(addGarbage, { key: blob.key, at })
  }
  const isNew = yield* addOrTouchLink(repositoryId, digest, at, actor)
  // One that is linked already counts for who brought it.
  const over = isNew && (yield* count({ repositoryId, bytes: size, ofActors: [[actor, size]] }, grant.quotas))
  if (over) return new Undone<FinishUploadResult>(over)
  yield* emit(at, actor, [{ type: 'blob.pushed', repository, digest, size }])
  return { outcome: 'linked' }
}

export interface MountBlob {
  readonly repository: string
  readonly digest: Digest
  readonly from?: string
  readonly readable: RepositoryFilter
  readonly at: number
}

export type MountBlobResult =
  | { readonly outcome: 'mounted'; readonly size: number; readonly from: string }
  | OverQuota
  | undefined

/** A repository to mount from: a look that locks nothing. */
export function* findMountSource(mount: MountBlob): Operation<string | undefined> {
  const { digest, from, readable } = mount
  if (from !== undefined) return (yield* findBlob(from, digest)) && from
  return yield* findVisibleSource(digest, readable)
}

export function* mountBlob(mount: MountBlob, grant: Grant): WriteOperation<MountBlobResult> {
  const { repository, digest, at } = mount
  const { actor } = grant
  const repositoryId = yield* lockOrCreateRepository(repository, at)
  const blob = yield* one(lockBlob, { digest })
  const from = yield* findMountSource(mount)
  if (blob === undefined || blob.corruptSince !== null || from === undefined)
    return new Undone<MountBlobResult>(undefined)
  const { size } = blob
  const isNew = yield* addOrTouchLink(repositoryId, digest, at, actor)
  if (isNew) {
    const over = yield* count({ repositoryId, bytes: size, ofActors: [[actor, size]] }, grant.quotas)
    if (over !== undefined) return new Undone<MountBlobResult>(over)
    yield* emit(at, actor, [{ type: 'blob.mounted', repository, digest, size, from }])
  }
  return { outcome: 'mounted', size, from }
}

const findUse = statement<{ repositoryId: number; digest: string }>()((db, p) =>
  db
    .selectFrom('manifest_references')
    .select((eb) => eb.ref('manifest_digest').$castTo<Digest>().as('by'))
    .where('repository_id', '=', p.repositoryId)
    .where('digest', '=', p.digest)
    // As for immutable tags: what an index lists is a blob where it is no manifest.
    .where((eb) => eb.or([eb('role', '<>', 'manifest'), eb.not(eb.exists(heldManifest(db, p.repositoryId, p.digest)))]))
    .orderBy('manifest_digest')
    .limit(1),
)

export const findLink = statement<{ repositoryId: number; digest: string }>()((db, p) =>
  db
    .selectFrom('repository_blobs')
    .select('linked_by as linkedBy')
    .where('repository_id', '=', p.repositoryId)
    .where('digest', '=', p.digest),
)

export const removeLink = statement<{ repositoryId: number; digest: string }>()((db, p) =>
  db.deleteFrom('repository_blobs').where('repository_id', '=', p.repositoryId).where('digest', '=', p.digest),
)

export const removeBlobWithoutLinks = statement<{ digest: string }>()((db, p) =>
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
  const link = yield* one(findLink, { repositoryId, digest })
  if (link === undefined) return { outcome: 'unknown' }
  const fixed = yield* immutableTagAbove(repositoryId, { blob: digest }, grant)
  if (fixed !== undefined) return { outcome: 'tag-immutable', tag: fixed }
  const use = target.evenIfUsed ? undefined : yield* one(findUse, { repositoryId, digest })
  if (use !== undefined) return { outcome: 'in-use', by: use.by }
  const size = (yield* one(lockBlob, { digest }))?.size ?? 0
  yield* run(removeLink, { repositoryId, digest })
  const gone = yield* one(removeBlobWithoutLinks, { digest })
  if (gone !== undefined) yield* run(addGarbage, { key: gone.key, at })
  yield* count({ repositoryId, bytes: -size, ofActors: [[link.linkedBy, -size]] })
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
