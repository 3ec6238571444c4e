import { elements, member } from '../elements.ts'
import type { Operation } from '../operation.ts'
import { run } from '../operation.ts'
import { statement } from '../statement.ts'

/*
 * `manifests.untagged_since` is null exactly while a tag names the manifest. Every write that takes a tag away from one says
 * so here, in its own transaction and with the repository locked.
 */

const setUntagged = statement<{ repositoryId: number; digests: string; at: number }>()((db, p, dialect) =>
  db
    .updateTable('manifests')
    .set({ untagged_since: p.at })
    .where('repository_id', '=', p.repositoryId)
    .where('digest', 'in', (eb) => eb.selectFrom(elements(dialect, p.digests)).select(member('digest').as('digest')))
    .where('untagged_since', 'is', null)
    .where((eb) =>
      eb.not(
        eb.exists(
          eb
            .selectFrom('tags')
            .select('tags.name')
            .where('tags.repository_id', '=', p.repositoryId)
            .whereRef('tags.digest', '=', 'manifests.digest'),
        ),
      ),
    ),
)

/** Tags that named these manifests have gone or moved. */
export function* markUntagged(repositoryId: number, digests: readonly string[], at: number): Operation<void> {
  if (digests.length === 0) return
  yield* run(setUntagged, { repositoryId, digests: JSON.stringify(digests.map((digest) => ({ digest }))), at })
}

const setTagged = statement<{ repositoryId: number; digest: string }>()((db, p) =>
  db
    .updateTable('manifests')
    .set({ untagged_since: null })
    .where('repository_id', '=', p.repositoryId)
    .where('digest', '=', p.digest),
)

/** A tag names the manifest that was there before. */
export function* markTagged(repositoryId: number, digest: string): Operation<void> {
  yield* run(setTagged, { repositoryId, digest })
}

const touch = statement<{ repositoryId: number; digest: string; at: number }>()((db, p) =>
  db
    .updateTable('manifests')
    .set({ untagged_since: p.at })
    .where('repository_id', '=', p.repositoryId)
    .where('digest', '=', p.digest)
    .where('untagged_since', '<', p.at),
)

/** Somebody counts on the manifest: if it has no tag, its time begins again. */
export function* touchUntagged(repositoryId: number, digest: string, at: number): Operation<void> {
  yield* run(touch, { repositoryId, digest, at })
}
