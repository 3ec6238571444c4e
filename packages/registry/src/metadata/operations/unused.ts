import { elements, member } from '../elements.ts'
import type { Operation } from '../operation.ts'
import { run } from '../operation.ts'
import { statement } from '../statement.ts'

/*
 * `repository_blobs.unused_since` is null exactly while some manifest of the repository references the blob. Every write that
 * can change that says so here, in its own transaction and with the repository locked.
 */

const touch = statement<{ repositoryId: number; digest: string; at: number }>()((db, p) =>
  db
    .updateTable('repository_blobs')
    .set({ unused_since: p.at })
    .where('repository_id', '=', p.repositoryId)
    .where('digest', '=', p.digest)
    .where('unused_since', '<', p.at),
)

/** Somebody counts on the blob: if nothing uses it, its time begins again. */
export function* touchLink(repositoryId: number, digest: string, at: number): Operation<void> {
  yield* run(touch, { repositoryId, digest, at })
}

const setUsed = statement<{ repositoryId: number; digests: string }>()((db, p, dialect) =>
  db
    .updateTable('repository_blobs')
    .set({ unused_since: null })
    .where('repository_id', '=', p.repositoryId)
    .where('digest', 'in', (eb) => eb.selectFrom(elements(dialect, p.digests)).select(member('digest').as('digest')))
    .where('unused_since', 'is not', null),
)

/** A manifest that references these digests has come. */
export function* markUsed(repositoryId: number, references: readonly { readonly digest: string }[]): Operation<void> {
  if (references.length === 0) return
  const digests = JSON.stringify(references.map(({ digest }) => ({ digest })))
  yield* run(setUsed, { repositoryId, digests })
}

const setUnused = statement<{ repositoryId: number; manifest: string; at: number }>()((db, p) =>
  db
    .updateTable('repository_blobs')
    .set({ unused_since: p.at })
    .where('repository_id', '=', p.repositoryId)
    .where('digest', 'in', (eb) =>
      eb
        .selectFrom('manifest_references as gone')
        .select('gone.digest')
        .where('gone.repository_id', '=', p.repositoryId)
        .where('gone.manifest_digest', '=', p.manifest),
    )
    .where((eb) =>
      eb.not(
        eb.exists(
          eb
            .selectFrom('manifest_references as other')
            .select('other.digest')
            .where('other.repository_id', '=', p.repositoryId)
            .whereRef('other.digest', '=', 'repository_blobs.digest')
            .where('other.manifest_digest', '<>', p.manifest),
        ),
      ),
    ),
)

/** The manifest is about to go: its references are still there. */
export function* markUnusedWithout(repositoryId: number, manifest: string, at: number): Operation<void> {
  yield* run(setUnused, { repositoryId, manifest, at })
}
