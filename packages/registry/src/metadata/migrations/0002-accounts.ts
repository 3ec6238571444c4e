import type { Migration } from './migration.ts'
import { words } from './words.ts'

/** Accounts, tokens, rules, issuers and keys; and counters, so that a quota costs the same however much is stored. */
export const accounts: Migration = {
  name: '0002-accounts',
  steps(dialect) {
    const { text, integer, sequence, end, endSmall } = words[dialect]
    return [
      `create table access_version (
        id ${integer} not null primary key,
        version ${integer} not null
      )${end}`,
      `insert into access_version (id, version) values (1, 1)`,

      `create table users (
        id ${text} not null primary key,
        name ${text} not null unique,
        password_hash ${text},
        administrator ${integer} not null,
        groups_json ${text} not null,
        disabled_at ${integer},
        created_at ${integer} not null,
        password_changed_at ${integer} not null
      )${endSmall}`,

      `create table tokens (
        id ${text} not null primary key,
        kind ${text} not null,
        user_id ${text} not null references users (id) on delete cascade,
        label ${text} not null,
        secret_hash ${text} not null,
        permissions_json ${text},
        created_at ${integer} not null,
        expires_at ${integer},
        last_used_at ${integer},
        password_changed_at ${integer},
        parent_id ${text} references tokens (id) on delete cascade
      )${endSmall}`,
      `create index tokens_by_user on tokens (user_id, created_at, id)`,
      `create index tokens_by_parent on tokens (parent_id) where parent_id is not null`,
      `create index tokens_by_end on tokens (expires_at) where expires_at is not null`,

      `create table access_rules (
        id ${sequence},
        subject_kind ${text} not null,
        subject_name ${text} not null,
        repositories ${text} not null,
        actions ${text} not null,
        created_at ${integer} not null,
        unique (subject_kind, subject_name, repositories, actions)
      )${end}`,

      `create table issuers (
        name ${text} not null primary key,
        id ${text} not null unique,
        issuer ${text} not null,
        audience ${text} not null,
        jwks_uri ${text},
        conditions_json ${text} not null,
        permissions_json ${text} not null,
        created_at ${integer} not null
      )${endSmall}`,

      `create table signing_keys (
        id ${text} not null primary key,
        algorithm ${text} not null,
        public_key ${text} not null,
        sealed_private_key ${text} not null,
        created_at ${integer} not null
      )${endSmall}`,

      // Who brought a blob to a repository; nobody known for links from before this.
      `alter table repository_blobs add column linked_by ${text} not null default ''`,
      // Bytes of the blobs a repository links and of its manifests.
      `alter table repositories add column stored_bytes ${integer} not null default 0`,
      `update repositories set stored_bytes =
        (select coalesce(sum(b.size), 0) from repository_blobs l join blobs b on b.digest = l.digest where l.repository_id = repositories.id)
        + (select coalesce(sum(m.size), 0) from manifests m where m.repository_id = repositories.id)`,
      `create table actor_usage (
        actor ${text} not null,
        repository_id ${integer} not null references repositories (id),
        stored_bytes ${integer} not null,
        primary key (actor, repository_id)
      )${endSmall}`,
      `insert into actor_usage (actor, repository_id, stored_bytes)
        select pushed_by, repository_id, sum(size) from manifests group by pushed_by, repository_id`,
      // How many uploads somebody has open.
      `create index uploads_by_actor on uploads (actor, id)`,
    ]
  },
}
