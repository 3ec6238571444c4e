import { sql } from 'kysely'
import type { Digest } from '@stowage/oci'
import type { Grant } from '../../access/grant.ts'
import { matchesGlob } from '../../access/permission.ts'
import type { Operation } from '../operation.ts'
import { all } from '../operation.ts'
import { statement } from '../statement.ts'

export function isImmutable({ immutableTags = [] }: Grant, tag: string): boolean {
  return immutableTags.some((glob) => matchesGlob(glob, tag))
}

/** How many indexes above each other are followed. Nobody nests them deeper, and a walk must end. */
const maxDepth = 8

/**
 * Tags of the manifest, or of the manifests that have the blob, and those of every index that needs one of them. The other
 * of the two is empty.
 */
const tagsAbove = statement<{ repositoryId: number; manifest: string; blob: string }>()((db, p) =>
  db
    .withRecursive('above(digest, depth)', (above) =>
      above
        .selectFrom('manifests as m')
        .select(['m.digest', sql<number>`0`.as('depth')])
        .where('m.repository_id', '=', p.repositoryId)
        .where('m.digest', '=', p.manifest)
        .union(
          above
            .selectFrom('manifest_references as b')
            .select(['b.manifest_digest as digest', sql<number>`0`.as('depth')])
            .where('b.repository_id', '=', p.repositoryId)
            .where('b.digest', '=', p.blob)
            // A manifest that lists these bytes as a child means the manifest with this digest, not the blob.
            .where('b.role', '<>', 'manifest'),
        )
        // Not `union all`: what is reached on two ways is one.
        .union(
          above
            .selectFrom('above as a')
            // SQLite would begin with every reference of the repository if this were not a cross join.
            .crossJoin('manifest_references as r')
            .select(['r.manifest_digest as digest', sql<number>`a.depth + 1`.as('depth')])
            .where('r.repository_id', '=', p.repositoryId)
            .whereRef('r.digest', '=', 'a.digest')
            .where('r.role', '=', 'manifest')
            .where('a.depth', '<', sql.lit(maxDepth)),
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
