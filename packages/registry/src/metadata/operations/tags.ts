import { sql } from 'kysely'
import type { Digest } from '@stowage/oci'
import type { Grant } from '../../access/grant.ts'
import { elements, member } from '../elements.ts'
import type { DeleteTagResult, ManifestKind, Page, TagFacts } from '../metadata-store.ts'
import type { Operation, WriteOperation } from '../operation.ts'
import { all, one, run } from '../operation.ts'
import { statement } from '../statement.ts'
import { emit } from './events.ts'
import { readFacts } from './facts.ts'
import { isImmutable } from './immutable-tags.ts'
import { findRepository, lockRepository } from './repositories.ts'
import { markUntagged } from './untagged.ts'

const findTags = statement<{ repositoryId: number; tags: string }>()((db, p, dialect) =>
  db
    .selectFrom('tags')
    .select((eb) => ['name', eb.ref('digest').$castTo<Digest>().as('digest')])
    .where('repository_id', '=', p.repositoryId)
    .where('name', 'in', (eb) => eb.selectFrom(elements(dialect, p.tags)).select(member('tag').as('tag'))),
)

/** What these tags name now; those that do not exist are not in the map. */
export function* currentTags(repositoryId: number, tags: readonly string[]): Operation<Map<string, Digest>> {
  if (tags.length === 0) return new Map()
  const rows = yield* all(findTags, { repositoryId, tags: JSON.stringify(tags.map((tag) => ({ tag }))) })
  return new Map(rows.map((row) => [row.name, row.digest]))
}

const upsertTags = statement<{ repositoryId: number; tags: string; digest: string; at: number }>()((db, p, dialect) =>
  db
    .insertInto('tags')
    .columns(['repository_id', 'name', 'digest', 'updated_at'])
    .expression((eb) =>
      eb
        .selectFrom(elements(dialect, p.tags))
        .select((item) => [
          item.cast<number>(item.val(p.repositoryId), 'bigint').as('repository_id'),
          member('tag').as('name'),
          item.cast<string>(item.val(p.digest), 'text').as('digest'),
          item.cast<number>(item.val(p.at), 'bigint').as('updated_at'),
        ])
        // SQLite reads `on conflict` after a select without `where` as a join.
        .where(sql<boolean>`true`),
    )
    .onConflict((conflict) =>
      conflict.columns(['repository_id', 'name']).doUpdateSet((eb) => ({
        digest: eb.ref('excluded.digest'),
        updated_at: eb.ref('excluded.updated_at'),
      })),
    ),
)

/** `tags` has no tag twice. */
export function* setTags(repositoryId: number, tags: readonly string[], digest: string, at: number): Operation<void> {
  if (tags.length === 0) return
  yield* run(upsertTags, { repositoryId, tags: JSON.stringify(tags.map((tag) => ({ tag }))), digest, at })
}

const tagsOfDigest = statement<{ repository: string; digest: string }>()((db, p) =>
  db
    .selectFrom('repositories as r')
    .innerJoin('tags as t', 't.repository_id', 'r.id')
    .select('t.name')
    .where('r.name', '=', p.repository)
    .where('t.digest', '=', p.digest)
    .orderBy('t.name'),
)

export function* listTagsOf(repository: string, digest: Digest): Operation<string[]> {
  return (yield* all(tagsOfDigest, { repository, digest })).map((row) => row.name)
}

const firstTagOfDigest = statement<{ repositoryId: number; digest: string }>()((db, p) =>
  db
    .selectFrom('tags')
    .select('name')
    .where('repository_id', '=', p.repositoryId)
    .where('digest', '=', p.digest)
    .orderBy('name')
    .limit(1),
)

/** A tag that names the manifest. The caller holds the repository. */
export function* anyTagOf(repositoryId: number, digest: string): Operation<string | undefined> {
  return (yield* one(firstTagOfDigest, { repositoryId, digest }))?.name
}

const removeOfDigest = statement<{ repositoryId: number; digest: string }>()((db, p) =>
  db.deleteFrom('tags').where('repository_id', '=', p.repositoryId).where('digest', '=', p.digest).returning('name'),
)

export function* removeTagsOf(repositoryId: number, digest: string): Operation<string[]> {
  return (yield* all(removeOfDigest, { repositoryId, digest })).map((row) => row.name).toSorted()
}

export const removeTag = statement<{ repositoryId: number; tag: string }>()((db, p) =>
  db
    .deleteFrom('tags')
    .where('repository_id', '=', p.repositoryId)
    .where('name', '=', p.tag)
    .returning((eb) => eb.ref('digest').$castTo<Digest>().as('digest')),
)

export function* deleteTag(
  target: { repository: string; tag: string; at: number },
  grant: Grant,
): WriteOperation<DeleteTagResult> {
  const { repository, tag, at } = target
  const repositoryId = yield* lockRepository(repository)
  if (repositoryId === undefined) return { outcome: 'unknown' }
  if (isImmutable(grant, tag) && (yield* currentTags(repositoryId, [tag])).has(tag)) {
    return { outcome: 'tag-immutable', tag }
  }
  const removed = yield* one(removeTag, { repositoryId, tag })
  if (removed === undefined) return { outcome: 'unknown' }
  yield* markUntagged(repositoryId, [removed.digest], at)
  yield* emit(at, grant.actor, [{ type: 'tag.deleted', repository, tag, digest: removed.digest }])
  return { outcome: 'deleted', digest: removed.digest }
}

const pageOfNames = statement<{ repositoryId: number; last: string; limit: number }>()((db, p) =>
  db
    .selectFrom('tags')
    .select('name')
    .where('repository_id', '=', p.repositoryId)
    .where('name', '>', p.last)
    .orderBy('name')
    .limit(p.limit),
)

export function* listTags(page: Page & { readonly repository: string }): Operation<string[] | undefined> {
  const { repository, last = '', limit } = page
  const found = yield* one(findRepository, { repository })
  if (found === undefined) return undefined
  // Two statements without a transaction see one state: a repository never goes away.
  return (yield* all(pageOfNames, { repositoryId: found.id, last, limit })).map((row) => row.name)
}

const pageOfFacts = statement<{ repository: string; last: string; limit: number }>()((db, p) =>
  db
    .selectFrom('repositories as r')
    .innerJoin('tags as t', 't.repository_id', 'r.id')
    .innerJoin('manifests as m', (join) =>
      join.onRef('m.repository_id', '=', 't.repository_id').onRef('m.digest', '=', 't.digest'),
    )
    .select((eb) => [
      't.name as tag',
      't.updated_at as taggedAt',
      eb.ref('m.digest').$castTo<Digest>().as('digest'),
      'm.media_type as mediaType',
      'm.size',
      eb.ref('m.kind').$castTo<ManifestKind>().as('kind'),
      'm.artifact_type as artifactType',
      'm.annotations_json as annotations',
      'm.platforms_json as platforms',
      'm.content_size as contentSize',
      'm.pushed_at as pushedAt',
      'm.pushed_by as pushedBy',
      'm.last_pulled_at as lastPulledAt',
      'm.pull_count as pullCount',
      'm.corrupt_since as corruptSince',
    ])
    .where('r.name', '=', p.repository)
    .where('t.name', '>', p.last)
    .orderBy('t.name')
    .limit(p.limit),
)

export function* describeTags(page: Page & { readonly repository: string }): Operation<TagFacts[]> {
  const { repository, last = '', limit } = page
  const rows = yield* all(pageOfFacts, { repository, last, limit })
  return rows.map((row) => ({
    ...readFacts(row),
    tag: row.tag,
    digest: row.digest,
    mediaType: row.mediaType,
    size: row.size,
    taggedAt: row.taggedAt,
    pushedAt: row.pushedAt,
    pushedBy: row.pushedBy,
    ...(row.lastPulledAt !== null && { lastPulledAt: row.lastPulledAt }),
    pullCount: row.pullCount,
    ...(row.corruptSince !== null && { corruptSince: row.corruptSince }),
  }))
}
