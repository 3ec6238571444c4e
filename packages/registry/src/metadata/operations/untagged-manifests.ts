import { type ExpressionBuilder, sql } from 'kysely'
import type { Digest } from '@stowage/oci'
import type { ChangeEvent } from '../event.ts'
import { elements, member } from '../elements.ts'
import type { Operation, WriteOperation } from '../operation.ts'
import { all, run } from '../operation.ts'
import type { Schema } from '../schema.ts'
import { statement } from '../statement.ts'
import type { CollectManifests, ListUntagged, UntaggedManifest, UntaggedPage } from '../upkeep-store.ts'
import { emit } from './events.ts'
import { removeUnusedContent } from './manifest-contents.ts'
import { removeManifest } from './manifests.ts'
import { forgetRemovedTagsOf, retentionActor } from './removed-tags.ts'
import { lockRepository } from './repositories.ts'
import { markUnusedWithout } from './unused.ts'
import { count } from './usage.ts'

/**
 * What holds a manifest `m`: a tag, a removed tag that can still be brought back at `at`, a manifest that lists it, or its
 * own subject, each in its repository. A manifest in quarantine holds as any other: a push may heal it.
 */
const isHeld = (eb: ExpressionBuilder<Schema & { m: Schema['manifests'] }, 'm'>, at: number) =>
  eb.or([
    eb.exists(
      eb
        .selectFrom('tags as t')
        .select('t.name')
        .whereRef('t.repository_id', '=', 'm.repository_id')
        .whereRef('t.digest', '=', 'm.digest'),
    ),
    eb.exists(
      eb
        .selectFrom('removed_tags as g')
        .select('g.id')
        .whereRef('g.repository_id', '=', 'm.repository_id')
        .whereRef('g.digest', '=', 'm.digest')
        .where('g.restore_until', '>=', at),
    ),
    eb.exists(
      eb
        .selectFrom('manifest_references as f')
        .select('f.digest')
        .whereRef('f.repository_id', '=', 'm.repository_id')
        .whereRef('f.digest', '=', 'm.digest')
        .whereRef('f.manifest_digest', '<>', 'm.digest'),
    ),
    eb.exists(
      eb
        .selectFrom('manifests as s')
        .select('s.digest')
        .whereRef('s.repository_id', '=', 'm.repository_id')
        .whereRef('s.digest', '=', 'm.subject')
        .whereRef('s.digest', '<>', 'm.digest'),
    ),
  ])

const columns = (eb: ExpressionBuilder<Schema & { m: Schema['manifests'] }, 'm'>) =>
  [
    eb.ref('m.digest').$castTo<Digest>().as('digest'),
    'm.size',
    eb.ref('m.untagged_since').$castTo<number>().as('untaggedSince'),
    'm.pushed_by as pushedBy',
  ] as const

/** In the order of the index: a page costs what it looks at, however many manifests have a tag. */
const pageOfUntagged = statement<{
  repository: string
  before: number
  at: number
  since: number
  digest: string
  limit: number
}>()((db, p) =>
  db
    .selectFrom('repositories as r')
    .innerJoin('manifests as m', 'm.repository_id', 'r.id')
    .select((eb) => [
      ...columns(eb),
      eb
        .case()
        .when(isHeld(eb, p.at))
        .then(eb.cast<number>(eb.val(1), 'bigint'))
        .else(eb.cast<number>(eb.val(0), 'bigint'))
        .end()
        .as('held'),
    ])
    .where('r.name', '=', p.repository)
    .where('m.untagged_since', '<', p.before)
    .where((eb) => eb(eb.refTuple('m.untagged_since', 'm.digest'), '>', eb.tuple(p.since, p.digest)))
    .orderBy('m.untagged_since')
    .orderBy('m.digest')
    .limit(p.limit),
)

export function* listUntaggedManifests(page: ListUntagged): Operation<UntaggedPage> {
  const { repository, untaggedBefore: before, at, after, limit } = page
  const { untaggedSince: since = Number.MIN_SAFE_INTEGER, digest = '' } = after ?? {}
  const rows = yield* all(pageOfUntagged, { repository, before, at, since, digest, limit })
  const last = rows.length < limit ? undefined : rows.at(-1)
  return {
    manifests: rows.filter(({ held }) => held === 0).map(shown),
    ...(last !== undefined && { next: { untaggedSince: last.untaggedSince, digest: last.digest } }),
  }
}

const shown = ({ digest, size, untaggedSince }: UntaggedManifest): UntaggedManifest => ({ digest, size, untaggedSince })

/** In the order of the digests: the bytes of manifests, which repositories share, are locked in one order. */
const findDue = statement<{ repositoryId: number; digests: string; before: number; at: number }>()((db, p, dialect) =>
  db
    .selectFrom('manifests as m')
    .select(columns)
    .where('m.repository_id', '=', p.repositoryId)
    .where('m.digest', 'in', (eb) => eb.selectFrom(elements(dialect, p.digests)).select(member('digest').as('digest')))
    // The sign keeps SQLite from reading every manifest without a tag: it is to look for these.
    .where(sql<boolean>`+m.untagged_since < ${p.before}`)
    .where((eb) => eb.not(isHeld(eb, p.at)))
    .orderBy('m.digest'),
)

export function* collectManifests(target: CollectManifests): WriteOperation<UntaggedManifest[]> {
  const { repository, digests, untaggedBefore: before, at } = target
  const repositoryId = yield* lockRepository(repository)
  if (repositoryId === undefined || digests.length === 0) return []
  const wanted = JSON.stringify(digests.map((digest) => ({ digest })))
  const due = yield* all(findDue, { repositoryId, digests: wanted, before, at })
  const ofActors = new Map<string, number>()
  for (const { digest, size, pushedBy } of due) {
    yield* forgetRemovedTagsOf(repositoryId, digest)
    yield* markUnusedWithout(repositoryId, digest, at)
    // Its references go with it, by the foreign key.
    yield* run(removeManifest, { repositoryId, digest })
    yield* removeUnusedContent(digest)
    ofActors.set(pushedBy, (ofActors.get(pushedBy) ?? 0) - size)
  }
  if (due.length === 0) return []
  const bytes = due.reduce((sum, { size }) => sum - size, 0)
  yield* count({ repositoryId, bytes, ofActors: [...ofActors] })
  yield* emit(
    at,
    retentionActor,
    due.map(({ digest }): ChangeEvent => ({ type: 'manifest.deleted', repository, digest })),
  )
  return due.map(shown)
}
