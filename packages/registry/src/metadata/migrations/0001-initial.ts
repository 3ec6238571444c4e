import type { Migration } from './migration.ts'
import { words } from './words.ts'

/** See `schema.ts` for what the tables are. */
export const initial: Migration = {
  name: '0001-initial',
  steps(dialect) {
    const { text, integer, bytes, id, sequence, end, endSmall } = words[dialect]
    return [
      `create table repositories (
        id ${id},
        name ${text} not null unique,
        created_at ${integer} not null
      )${end}`,

      `create table blobs (
        digest ${text} not null primary key,
        size ${integer} not null,
        key ${text} not null,
        created_at ${integer} not null
      )${endSmall}`,

      `create table repository_blobs (
        repository_id ${integer} not null references repositories (id),
        digest ${text} not null references blobs (digest),
        linked_at ${integer} not null,
        primary key (repository_id, digest)
      )${endSmall}`,
      // Who else links this blob: its row may go only when nobody does.
      `create index repository_blobs_by_digest on repository_blobs (digest)`,

      `create table blob_garbage (
        key ${text} not null primary key,
        since ${integer} not null
      )${endSmall}`,
      `create index blob_garbage_by_age on blob_garbage (since, key)`,

      `create table manifest_contents (
        digest ${text} not null primary key,
        bytes ${bytes} not null
      )${end}`,

      `create table manifests (
        repository_id ${integer} not null references repositories (id),
        digest ${text} not null references manifest_contents (digest),
        media_type ${text} not null,
        size ${integer} not null,
        kind ${text} not null,
        artifact_type ${text},
        subject ${text},
        annotations_json ${text} not null,
        platforms_json ${text} not null,
        content_size ${integer} not null,
        pushed_at ${integer} not null,
        pushed_by ${text} not null,
        last_pulled_at ${integer},
        pull_count ${integer} not null default 0,
        primary key (repository_id, digest)
      )${end}`,
      `create index manifests_by_digest on manifests (digest)`,
      // Referrers, in the order in which they are listed.
      `create index manifests_by_subject on manifests (repository_id, subject, digest) where subject is not null`,

      `create table manifest_references (
        repository_id ${integer} not null,
        manifest_digest ${text} not null,
        digest ${text} not null,
        role ${text} not null,
        primary key (repository_id, manifest_digest, digest, role),
        foreign key (repository_id, manifest_digest) references manifests (repository_id, digest) on delete cascade
      )${endSmall}`,
      // Who needs this digest here.
      `create index manifest_references_by_digest on manifest_references (repository_id, digest, manifest_digest)`,

      `create table tags (
        repository_id ${integer} not null,
        name ${text} not null,
        digest ${text} not null,
        updated_at ${integer} not null,
        primary key (repository_id, name),
        foreign key (repository_id, digest) references manifests (repository_id, digest)
      )${endSmall}`,
      `create index tags_by_digest on tags (repository_id, digest)`,

      `create table uploads (
        id ${text} not null primary key,
        repository ${text} not null,
        actor ${text} not null,
        started_at ${integer} not null,
        touched_at ${integer} not null,
        state ${text}
      )${endSmall}`,
      `create index uploads_by_touch on uploads (touched_at, id)`,

      `create table events (
        sequence ${sequence},
        id ${text} not null,
        at ${integer} not null,
        actor ${text} not null,
        payload_json ${text} not null
      )${end}`,

      `create table event_receivers (
        name ${text} not null primary key,
        acknowledged ${integer} not null
      )${endSmall}`,

      `create table heartbeat (
        id ${integer} not null primary key,
        at ${integer} not null
      )${end}`,
    ]
  },
}
