import type { Kysely } from 'kysely'
import type { Schema } from '../schema.ts'

/**
 * Whether the repository has a manifest of this digest: the question by which an index that lists the digest as a child means
 * a manifest or a blob. Where there is such a manifest, it means that one, and not a blob that has the same bytes. Where there
 * is none, a blob of the digest is what it means: build caches are indexes that list layers as their children.
 */
export function heldManifest(db: Kysely<Schema>, repositoryId: number, digest: string) {
  return db
    .selectFrom('manifests as h')
    .select('h.digest')
    .where('h.repository_id', '=', repositoryId)
    .where('h.digest', '=', digest)
}

/** References of any manifest of the repository to this digest. */
export function referencesTo(db: Kysely<Schema>, repositoryId: number, digest: string) {
  return db
    .selectFrom('manifest_references')
    .select('digest')
    .where('repository_id', '=', repositoryId)
    .where('digest', '=', digest)
}
