import type { Digest } from '@stowage/oci'
import type { Grant } from '../../access/grant.ts'
import { matchesGlob } from '../../access/permission.ts'
import type { Operation } from '../operation.ts'
import { all } from '../operation.ts'
import { statement } from '../statement.ts'
import { heldManifest } from './held-manifest.ts'

export function isImmutable({ immutableTags = [] }: Grant, tag: string): boolean {
  return immutableTags.some((glob) => matchesGlob(glob, tag))
}

/**
 * Tags of the manifest, or of the manifests that have the blob, and those of every index that needs one of them. The other
 * of the two is empty. However deep indexes are nested, and in whatever circles: each digest is gone on from once, so the
 * walk ends with the references of the repository.
 */
const tagsAbove = statement<{ repositoryId: number; manifest: string; blob: string }>()((db, p) =>
  db
    .withRecursive('above(digest)', (above) =>
      above
        .selectFrom('manifests as m')
        .select('m.digest')
        .where('m.repository_id', '=', p.repositoryId)
        .where('m.digest', '=', p.manifest)
        .union(
          above
            .selectFrom('manifest_references as b')
            .select('b.manifest_digest as digest')
            .where('b.repository_id', '=', p.repositoryId)
            .where('b.digest', '=', p.blob)
            .where((eb) =>
              eb.or([eb('b.role', '<>', 'manifest'), eb.not(eb.exists(heldManifest(db, p.repositoryId, p.blob)))]),
            ),
        )
        // Not `union all`, and nothing but the digest: what is reached on two ways is one.
        .union(
          above
            .selectFrom('above as a')
            // SQLite would begin with every reference of the repository if this were not a cross join.
            .crossJoin('manifest_references as r')
            .select('r.manifest_digest as digest')
            .where('r.repository_id', '=', p.repositoryId)
            .whereRef('r.digest', '=', 'a.digest')
            .where('r.role', '=', 'manifest'),
        ),
    )
    .selectFrom('above')
    .crossJoin('tags as t')
    .select('t.name')
    .where('t.repository_id', '=', p.repositoryId)
    .whereRef('t.digest', '=', 'above.digest')
    .orderBy('t.name'),
)

/** An immutable tag that would break without this manifest or this blob. The caller holds the repository. */
export function* immutableTagAbove(
  repositoryId: number,
  what: { readonly manifest: Digest } | { readonly blob: Digest },
  grant: Grant,
): Operation<string | undefined> {
  // Most repositories have no such tags: they need no walk.
  if (grant.immutableTags === undefined || grant.immutableTags.length === 0) return undefined
  const rows = yield* all(tagsAbove, { repositoryId, manifest: '', blob: '', ...what })
  return rows.find(({ name }) => isImmutable(grant, name))?.name
}
