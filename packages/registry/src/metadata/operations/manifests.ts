import { sql } from 'kysely'
import type { Digest } from '@stowage/oci'
import type { Grant } from '../../access/grant.ts'
import type { ChangeEvent } from '../event.ts'
import { elements, member } from '../elements.ts'
import type {
  DeleteManifestResult,
  FoundManifest,
  ManifestReference,
  PutManifest,
  PutManifestResult,
} from '../metadata-store.ts'
import type { Operation, WriteOperation } from '../operation.ts'
import { all, one, run, Undone } from '../operation.ts'
import { statement } from '../statement.ts'
import { emit } from './events.ts'
import { factColumns } from './facts.ts'
import { immutableTagAbove, isImmutable } from './immutable-tags.ts'
import { addContent, readContent, removeUnusedContent } from './manifest-contents.ts'
import { forgetRemovedTagsOf } from './removed-tags.ts'
import { lockOrCreateRepository, lockRepository } from './repositories.ts'
import { anyTagOf, currentTags, listTagsOf, removeTagsOf, setTags } from './tags.ts'
import { markUntagged } from './untagged.ts'
import { markUnusedWithout, markUsed } from './unused.ts'
import { count } from './usage.ts'

export const findManifestByDigest = statement<{ repository: string; digest: string }>()((db, p) =>
  db
    .selectFrom('repositories as r')
    .innerJoin('manifests as m', 'm.repository_id', 'r.id')
    .select((eb) => [
      eb.ref('m.digest').$castTo<Digest>().as('digest'),
      'm.media_type as mediaType',
      'm.size',
      'm.untagged_since as untaggedSince',
    ])
    .where('r.name', '=', p.repository)
    .where('m.digest', '=', p.digest)
    .where('m.corrupt_since', 'is', null),
)

export const findManifestByTag = statement<{ repository: string; tag: string }>()((db, p) =>
  db
    .selectFrom('repositories as r')
    .innerJoin('tags as t', 't.repository_id', 'r.id')
    .innerJoin('manifests as m', (join) =>
      join.onRef('m.repository_id', '=', 't.repository_id').onRef('m.digest', '=', 't.digest'),
    )
    .select((eb) => [
      eb.ref('m.digest').$castTo<Digest>().as('digest'),
      'm.media_type as mediaType',
      'm.size',
      'm.untagged_since as untaggedSince',
    ])
    .where('r.name', '=', p.repository)
    .where('t.name', '=', p.tag)
    .where('m.corrupt_since', 'is', null),
)

export function* findManifest(repository: string, reference: ManifestReference): Operation<FoundManifest | undefined> {
  return 'tag' in reference
    ? yield* one(findManifestByTag, { repository, tag: reference.tag })
    : yield* one(findManifestByDigest, { repository, digest: reference.digest })
}

export function* readManifest(repository: string, digest: Digest): Operation<Uint8Array | undefined> {
  return (yield* one(readContent, { repository, digest }))?.bytes
}

const linkedBlobs = statement<{ repositoryId: number; digests: string }>()((db, p, dialect) =>
  db
    .selectFrom('repository_blobs as l')
    .innerJoin('blobs as b', 'b.digest', 'l.digest')
    .select('l.digest')
    .where('l.repository_id', '=', p.repositoryId)
    .where('b.corrupt_since', 'is', null)
    .where('l.digest', 'in', (eb) => eb.selectFrom(elements(dialect, p.digests)).select(member('digest').as('digest'))),
)

const heldManifests = statement<{ repositoryId: number; digests: string }>()((db, p, dialect) =>
  db
    .selectFrom('manifests')
    .select('digest')
    .where('repository_id', '=', p.repositoryId)
    .where('corrupt_since', 'is', null)
    .where('digest', 'in', (eb) => eb.selectFrom(elements(dialect, p.digests)).select(member('digest').as('digest'))),
)

function* missing(which: typeof linkedBlobs, repositoryId: number, required: readonly Digest[]): Operation<Digest[]> {
  if (required.length === 0) return []
  const digests = JSON.stringify(required.map((digest) => ({ digest })))
  const present = new Set((yield* all(which, { repositoryId, digests })).map((row) => row.digest))
  return [...new Set(required)].filter((digest) => !present.has(digest))
}

/** Pull counts, and who brought it, stay through a repeated push; everything else is as the last push says. */
const upsertManifest = statement<{
  repositoryId: number
  digest: string
  mediaType: string
  size: number
  kind: string
  artifactType: string | null
  subject: string | null
  annotations: string
  platforms: string
  contentSize: number
  at: number
  untaggedSince: number | null
  actor: string
}>()((db, p) =>
  db
    .insertInto('manifests')
    .values({
      repository_id: p.repositoryId,
      digest: p.digest,
      media_type: p.mediaType,
      size: p.size,
      kind: p.kind,
      artifact_type: p.artifactType,
      subject: p.subject,
      annotations_json: p.annotations,
      platforms_json: p.platforms,
      content_size: p.contentSize,
      pushed_at: p.at,
      pushed_by: p.actor,
      untagged_since: p.untaggedSince,
    })
    .onConflict((conflict) =>
      conflict.columns(['repository_id', 'digest']).doUpdateSet((eb) => ({
        media_type: eb.ref('excluded.media_type'),
        kind: eb.ref('excluded.kind'),
        artifact_type: eb.ref('excluded.artifact_type'),
        annotations_json: eb.ref('excluded.annotations_json'),
        platforms_json: eb.ref('excluded.platforms_json'),
        content_size: eb.ref('excluded.content_size'),
        pushed_at: eb.ref('excluded.pushed_at'),
        // A push without a tag takes none away.
        untagged_since: eb
          .case()
          .when('manifests.untagged_since', 'is', null)
          .then(null)
          .else(eb.ref('excluded.untagged_since'))
          .end(),
        corrupt_since: null,
      })),
    ),
)

export const findHeld = statement<{ repositoryId: number; digest: string }>()((db, p) =>
  db
    .selectFrom('manifests')
    .select(['size', 'media_type as mediaType', 'pushed_by as pushedBy'])
    .where('repository_id', '=', p.repositoryId)
    .where('digest', '=', p.digest),
)

const addReferences = statement<{ repositoryId: number; digest: string; references: string }>()((db, p, dialect) =>
  db
    .insertInto('manifest_references')
    .columns(['repository_id', 'manifest_digest', 'digest', 'role'])
    .expression((eb) =>
      eb
        .selectFrom(elements(dialect, p.references))
        .select((item) => [
          item.cast<number>(item.val(p.repositoryId), 'bigint').as('repository_id'),
          item.cast<string>(item.val(p.digest), 'text').as('manifest_digest'),
          member('digest').as('digest'),
          member('role').as('role'),
        ])
        .where(sql<boolean>`true`),
    )
    // A manifest may list one layer several times.
    .onConflict((conflict) => conflict.doNothing()),
)

export function* putManifest(put: PutManifest, grant: Grant): WriteOperation<PutManifestResult> {
  const { repository, digest, mediaType, bytes, references, subject, facts, at } = put
  const { actor } = grant
  const size = bytes.byteLength
  const repositoryId = yield* lockOrCreateRepository(repository, at)

  const blobs = yield* missing(linkedBlobs, repositoryId, put.requiredBlobs)
  const manifests = yield* missing(heldManifests, repositoryId, put.requiredManifests)
  if (blobs.length > 0 || manifests.length > 0) {
    return new Undone<PutManifestResult>({ outcome: 'missing', blobs, manifests })
  }
  const tags = [...new Set(put.tags)]
  const before = yield* currentTags(repositoryId, tags)
  const taken = tags.filter((tag) => before.has(tag) && before.get(tag) !== digest)
  const [first] = taken
  if (first !== undefined && !grant.overwriteTags) {
    return new Undone<PutManifestResult>({ outcome: 'tag-exists', tag: first })
  }
  const held = yield* one(findHeld, { repositoryId, digest })
  // A media type is a part of what a tag shows: another one for the same bytes changes an image as a move of its tag does.
  const changed = held !== undefined && held.mediaType !== mediaType
  const shown = changed && !grant.overwriteTags ? yield* anyTagOf(repositoryId, digest) : undefined
  if (shown !== undefined) return new Undone<PutManifestResult>({ outcome: 'tag-exists', tag: shown })
  const fixed =
    taken.find((tag) => isImmutable(grant, tag)) ??
    (changed ? yield* immutableTagAbove(repositoryId, { manifest: digest }, grant) : undefined)
  if (fixed !== undefined) return new Undone<PutManifestResult>({ outcome: 'tag-immutable', tag: fixed })

  yield* addContent(digest, bytes)
  const created = held === undefined
  const columns = factColumns(facts)
  const untaggedSince = tags.length > 0 ? null : at
  const row = { repositoryId, digest, mediaType, size, subject: subject ?? null, at, untaggedSince, actor, ...columns }
  yield* run(upsertManifest, row)
  if (created && references.length > 0) {
    yield* run(addReferences, { repositoryId, digest, references: JSON.stringify(references) })
    yield* markUsed(repositoryId, references)
  }
  yield* setTags(repositoryId, tags, digest, at)
  const left = taken.flatMap((tag) => before.get(tag) ?? [])
  yield* markUntagged(repositoryId, left, at)
  // Like a blob it counts for who brought it. Whoever pushes it again stores nothing, and could otherwise take it over from
  // somebody who then has room for more.
  const over = created && (yield* count({ repositoryId, bytes: size, ofActors: [[actor, size]] }, grant.quotas))
  if (over) return new Undone<PutManifestResult>(over)

  const { artifactType } = facts
  const pushed: ChangeEvent = {
    type: 'manifest.pushed',
    repository,
    digest,
    mediaType,
    size,
    created,
    ...(subject !== undefined && { subject }),
    ...(artifactType !== undefined && { artifactType }),
  }
  const moved = tags
    .filter((tag) => before.get(tag) !== digest)
    .map((tag): ChangeEvent => {
      const previous = before.get(tag)
      return { type: 'tag.set', repository, tag, digest, ...(previous !== undefined && { previous }) }
    })
  yield* emit(at, actor, [pushed, ...moved])
  return { outcome: 'stored', created }
}

export const removeManifest = statement<{ repositoryId: number; digest: string }>()((db, p) =>
  db.deleteFrom('manifests').where('repository_id', '=', p.repositoryId).where('digest', '=', p.digest),
)

export function* deleteManifest(
  target: { repository: string; digest: Digest; tags: readonly string[]; at: number },
  grant: Grant,
): WriteOperation<DeleteManifestResult> {
  const { repository, digest, at } = target
  const repositoryId = yield* lockRepository(repository)
  if (repositoryId === undefined) return { outcome: 'unknown' }
  const held = yield* one(findHeld, { repositoryId, digest })
  if (held === undefined) return { outcome: 'unknown' }
  // Before what is immutable: who may not delete a tag need not learn what holds for it.
  const asked = new Set(target.tags)
  const others = (yield* listTagsOf(repository, digest)).filter((tag) => !asked.has(tag))
  if (others.length > 0) return { outcome: 'tags-differ', tags: others }
  const fixed = yield* immutableTagAbove(repositoryId, { manifest: digest }, grant)
  if (fixed !== undefined) return { outcome: 'tag-immutable', tag: fixed }
  const tags = yield* removeTagsOf(repositoryId, digest)
  yield* forgetRemovedTagsOf(repositoryId, digest)
  yield* markUnusedWithout(repositoryId, digest, at)
  // Its references go with it, by the foreign key.
  yield* run(removeManifest, { repositoryId, digest })
  yield* removeUnusedContent(digest)
  yield* count({ repositoryId, bytes: -held.size, ofActors: [[held.pushedBy, -held.size]] })
  const untagged = tags.map((tag): ChangeEvent => ({ type: 'tag.deleted', repository, tag, digest }))
  yield* emit(at, grant.actor, [...untagged, { type: 'manifest.deleted', repository, digest }])
  return { outcome: 'deleted', tags }
}
