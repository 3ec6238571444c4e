import type { Migration } from './migration.ts'
import { words } from './words.ts'

/** What garbage collection, retention and scrubbing need to know, kept in step by the writes that change it. */
export const upkeep: Migration = {
  name: '0003-upkeep',
  steps(dialect) {
    const { text, integer, sequence, end, endSmall } = words[dialect]
    return [
      // Since when no manifest of the repository has used the blob; null while one does.
      `alter table repository_blobs add column unused_since ${integer}`,
      `update repository_blobs set unused_since = linked_at where not exists (
        select 1 from manifest_references r
        where r.repository_id = repository_blobs.repository_id and r.digest = repository_blobs.digest)`,
      // The queue of garbage collection.
      `create index repository_blobs_unused on repository_blobs (unused_since, repository_id, digest)
        where unused_since is not null`,

      // Since when no tag has named the manifest; null while one does.
      `alter table manifests add column untagged_since ${integer}`,
      `update manifests set untagged_since = pushed_at where not exists (
        select 1 from tags t where t.repository_id = manifests.repository_id and t.digest = manifests.digest)`,
      `create index manifests_untagged on manifests (repository_id, untagged_since, digest)
        where untagged_since is not null`,

      // Tags that retention removed, as long as they can be brought back.
      `create table removed_tags (
        id ${sequence},
        repository_id ${integer} not null references repositories (id),
        name ${text} not null,
        digest ${text} not null,
        removed_at ${integer} not null,
        restore_until ${integer} not null
      )${end}`,
      `create index removed_tags_by_digest on removed_tags (repository_id, digest)`,
      `create index removed_tags_by_end on removed_tags (restore_until, id)`,

      // When the bytes were last read and had their digest, and since when they are known not to.
      `alter table blobs add column verified_at ${integer}`,
      `alter table blobs add column corrupt_since ${integer}`,
      `alter table manifests add column corrupt_since ${integer}`,
      // Whether a row points to a file that was found.
      `create index blobs_by_key on blobs (key)`,

      // Where each kind of upkeep stands, between runs and restarts.
      `create table upkeep_state (
        name ${text} not null primary key,
        state_json ${text} not null
      )${endSmall}`,
    ]
  },
}
