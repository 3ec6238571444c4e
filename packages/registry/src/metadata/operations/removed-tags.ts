import type { Digest } from '@stowage/oci'
import type { ChangeEvent } from '../event.ts'
import { elements, member } from '../elements.ts'
import type { Operation, WriteOperation } from '../operation.ts'
import { all, one, run, Undone } from '../operation.ts'
import { statement } from '../statement.ts'
import type { RemovedTag, RemoveTags, RestoreTag, RestoreTagResult } from '../upkeep-store.ts'
import { emit } from './events.ts'
import { lockRepository } from './repositories.ts'
import { currentTags, setTags } from './tags.ts'
import { markTagged, markUntagged } from './untagged.ts'

/** Who acts, in events. No user can have a colon in his name. */
export const retentionActor = 'stowage:retention'

const findTags = statement<{ repositoryId: number; tags: string }>()((db, p, dialect) =>
  db
    .selectFrom('tags')
    .select((eb) => ['name as tag', eb.ref('digest').$castTo<Digest>().as('digest'), 'updated_at as taggedAt'])
    .where('repository_id', '=', p.repositoryId)
    .where('name', 'in', (eb) => eb.selectFrom(elements(dialect, p.tags)).select(member('tag').as('tag')))
    .orderBy('name'),
)

const deleteTags = statement<{ repositoryId: number; tags: string }>()((db, p, dialect) =>
  db
    .deleteFrom('tags')
    .where('repository_id', '=', p.repositoryId)
    .where('name', 'in', (eb) => eb.selectFrom(elements(dialect, p.tags)).select(member('tag').as('tag'))),
)

const keepRemoved = statement<{ repositoryId: number; tags: string; at: number; restoreUntil: number }>()(
  (db, p, dialect) =>
    db
      .insertInto('removed_tags')
      .columns(['repository_id', 'name', 'digest', 'removed_at', 'restore_until'])
      .expression((eb) =>
        eb
          .selectFrom(elements(dialect, p.tags))
          .select((item) => [
            item.cast<number>(item.val(p.repositoryId), 'bigint').as('repository_id'),
            member('tag').as('name'),
            member('digest').as('digest'),
            item.cast<number>(item.val(p.at), 'bigint').as('removed_at'),
            item.cast<number>(item.val(p.restoreUntil), 'bigint').as('restore_until'),
          ]),
      ),
)

export function* removeTags(target: RemoveTags): WriteOperation<readonly string[]> {
  const { repository, tags, at, restoreUntil } = target
  const repositoryId = yield* lockRepository(repository)
  if (repositoryId === undefined || tags.length === 0) return []
  const said = new Map(tags.map((looked) => [looked.tag, looked]))
  const found = yield* all(findTags, { repositoryId, tags: JSON.stringify(tags.map(({ tag }) => ({ tag }))) })
  // One that was set since the look is another one, even if it names the same.
  const going = found.filter(({ tag, digest, taggedAt }) => {
    const looked = said.get(tag)
    return looked?.digest === digest && looked.taggedAt === taggedAt
  })
  if (going.length === 0) return []
  const list = JSON.stringify(going.map(({ tag, digest }) => ({ tag, digest })))
  yield* run(deleteTags, { repositoryId, tags: list })
  yield* run(keepRemoved, { repositoryId, tags: list, at, restoreUntil })
  yield* markUntagged(repositoryId, [...new Set(going.map(({ digest }) => digest))], at)
  yield* emit(
    at,
    retentionActor,
    going.map(({ tag, digest }): ChangeEvent => ({ type: 'tag.deleted', repository, tag, digest })),
  )
  return going.map(({ tag }) => tag)
}

/** An absent `repository` admits all. */
const pageOfRemoved = statement<{ repository: string | null; last: number; limit: number }>()((db, p) =>
  db
    .selectFrom('removed_tags as g')
    .innerJoin('repositories as r', 'r.id', 'g.repository_id')
    .select((eb) => [
      'g.id',
      'r.name as repository',
      'g.name as tag',
      eb.ref('g.digest').$castTo<Digest>().as('digest'),
      'g.removed_at as removedAt',
      'g.restore_until as restoreUntil',
    ])
    .where('g.id', '>', p.last)
    .where((eb) => {
      const wanted = eb.cast<string | null>(eb.val(p.repository), 'text')
      return eb.or([eb(wanted, 'is', null), eb('r.name', '=', wanted)])
    })
    .orderBy('g.id')
    .limit(p.limit),
)

export function* listRemovedTags(page: {
  readonly repository?: string
  readonly last?: number
  readonly limit: number
}): Operation<RemovedTag[]> {
  const { repository = null, last = 0, limit } = page
  return yield* all(pageOfRemoved, { repository, last, limit })
}

const findRemoved = statement<{ id: number }>()((db, p) =>
  db
    .selectFrom('removed_tags as g')
    .innerJoin('repositories as r', 'r.id', 'g.repository_id')
    .select((eb) => ['r.name as repository', 'g.name as tag', eb.ref('g.digest').$castTo<Digest>().as('digest')])
    .where('g.id', '=', p.id),
)

const takeRemoved = statement<{ id: number }>()((db, p) =>
  db.deleteFrom('removed_tags').where('id', '=', p.id).returning('id'),
)

const findReadable = statement<{ repositoryId: number; digest: string }>()((db, p) =>
  db
    .selectFrom('manifests')
    .select('digest')
    .where('repository_id', '=', p.repositoryId)
    .where('digest', '=', p.digest)
    .where('corrupt_since', 'is', null),
)

export function* restoreTag(target: RestoreTag): WriteOperation<RestoreTagResult> {
  const { id, as, overwrite, at } = target
  // What a row says never changes: it can only have gone when its repository is locked.
  const removed = yield* one(findRemoved, { id })
  if (removed === undefined) return { outcome: 'unknown' }
  const { repository, digest } = removed
  const tag = as ?? removed.tag
  const repositoryId = yield* lockRepository(repository)
  if (repositoryId === undefined || (yield* one(takeRemoved, { id })) === undefined) return { outcome: 'unknown' }
  if ((yield* one(findReadable, { repositoryId, digest })) === undefined) {
    return new Undone<RestoreTagResult>({ outcome: 'manifest-unknown', repository, digest })
  }
  const previous = (yield* currentTags(repositoryId, [tag])).get(tag)
  if (previous === digest) return { outcome: 'restored', repository, tag, digest }
  if (previous !== undefined && !overwrite) {
    return new Undone<RestoreTagResult>({ outcome: 'tag-exists', repository, tag, digest: previous })
  }
  yield* setTags(repositoryId, [tag], digest, at)
  yield* markTagged(repositoryId, digest)
  if (previous !== undefined) yield* markUntagged(repositoryId, [previous], at)
  yield* emit(at, retentionActor, [
    { type: 'tag.set', repository, tag, digest, ...(previous !== undefined && { previous }) },
  ])
  return { outcome: 'restored', repository, tag, digest }
}

/**
 * Rows that another transaction is about to take are left to it: this one holds no repository, and whoever waits for nothing
 * cannot be part of a circle.
 */
const forgetEnded = statement<{ before: number; limit: number }>()((db, p, dialect) =>
  db
    .deleteFrom('removed_tags')
    .where('id', 'in', (eb) =>
      eb
        .selectFrom('removed_tags as ended')
        .select('ended.id')
        .where('ended.restore_until', '<', p.before)
        .orderBy('ended.restore_until')
        .orderBy('ended.id')
        .limit(p.limit)
        .$if(dialect === 'postgres', (query) => query.forUpdate().skipLocked()),
    )
    .returning('id'),
)

export function* forgetRemovedTags(before: number, limit: number): Operation<number> {
  return (yield* all(forgetEnded, { before, limit })).length
}

const forgetOfDigest = statement<{ repositoryId: number; digest: string }>()((db, p) =>
  db.deleteFrom('removed_tags').where('repository_id', '=', p.repositoryId).where('digest', '=', p.digest),
)

/** The manifest is going: there is nothing left that its removed tags could name. The caller holds the repository. */
export function* forgetRemovedTagsOf(repositoryId: number, digest: string): Operation<void> {
  yield* run(forgetOfDigest, { repositoryId, digest })
}
