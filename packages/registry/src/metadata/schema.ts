import type { ColumnType, Generated } from 'kysely'

/**
 * The tables, as Kysely sees them. Text compares in byte order in both databases. Times are milliseconds since the epoch,
 * sizes are bytes, columns that end in `_json` hold JSON text as this program wrote it.
 */
export interface Schema {
  repositories: RepositoriesTable
  blobs: BlobsTable
  repository_blobs: RepositoryBlobsTable
  blob_garbage: BlobGarbageTable
  manifests: ManifestsTable
  manifest_contents: ManifestContentsTable
  manifest_references: ManifestReferencesTable
  tags: TagsTable
  removed_tags: RemovedTagsTable
  uploads: UploadsTable
  events: EventsTable
  event_receivers: EventReceiversTable
  heartbeat: HeartbeatTable
  access_version: AccessVersionTable
  users: UsersTable
  tokens: TokensTable
  access_rules: AccessRulesTable
  issuers: IssuersTable
  signing_keys: SigningKeysTable
  actor_usage: ActorUsageTable
  upkeep_state: UpkeepStateTable
  schema_migrations: SchemaMigrationsTable
}

/** A column that only an `insert` names: the database makes the value. */
type Made<T> = ColumnType<T, never, never>

export interface RepositoriesTable {
  id: Made<number>
  name: string
  created_at: number
  /** Bytes of the blobs it links and of its manifests. */
  stored_bytes: Generated<number>
}

/** One row a digest, whatever the number of repositories that link it. */
export interface BlobsTable {
  digest: string
  size: number
  /** Where the blob store keeps the bytes. */
  key: string
  created_at: number
  /** When the bytes were last read and had their digest. */
  verified_at: number | null
  /** Since when they are known to be wrong or missing: until a push heals it, nobody has the blob. */
  corrupt_since: number | null
}

/** Which blobs a repository has; the last link takes the blob's row with it. */
export interface RepositoryBlobsTable {
  repository_id: number
  digest: string
  linked_at: number
  /** Who brought it here; empty for links that are older than the column. */
  linked_by: Generated<string>
  /** Since when no manifest of the repository has used it, as far as one was told; null while one does. */
  unused_since: number | null
}

/** Keys whose bytes nothing points to any more. */
export interface BlobGarbageTable {
  key: string
  since: number
}

export interface ManifestsTable {
  repository_id: number
  digest: string
  media_type: string
  size: number
  kind: string
  artifact_type: string | null
  subject: string | null
  annotations_json: string
  platforms_json: string
  content_size: number
  pushed_at: number
  pushed_by: string
  last_pulled_at: number | null
  pull_count: Generated<number>
  /** Since when no tag has named it; null while one does. */
  untagged_since: number | null
  /** Since when its bytes are known to be wrong. */
  corrupt_since: number | null
}

/** The bytes, once for all repositories; the last manifest takes them with it. */
export interface ManifestContentsTable {
  digest: string
  bytes: Uint8Array
}

/** What a manifest points to, whether it is here or not. */
export interface ManifestReferencesTable {
  repository_id: number
  manifest_digest: string
  digest: string
  role: string
}

export interface TagsTable {
  repository_id: number
  name: string
  digest: string
  updated_at: number
}

/** Tags that retention removed, as long as they can be brought back. */
export interface RemovedTagsTable {
  /** Grows and is never used twice. */
  id: Made<number>
  repository_id: number
  name: string
  digest: string
  removed_at: number
  restore_until: number
}

/** Where each kind of upkeep stands, between runs and restarts. */
export interface UpkeepStateTable {
  name: string
  state_json: string
}

/** Bound to a repository by name: an upload that comes to nothing makes no repository. */
export interface UploadsTable {
  id: string
  repository: string
  actor: string
  started_at: number
  touched_at: number
  state: string | null
}

export interface EventsTable {
  /** Grows and is never used twice, even after the newest event has been pruned. */
  sequence: Made<number>
  id: string
  at: number
  actor: string
  payload_json: string
}

export interface EventReceiversTable {
  name: string
  /** Sequence of the last event it has. */
  acknowledged: number
}

/** One row, written to find out whether the database can be written. */
export interface HeartbeatTable {
  id: number
  at: number
}

export interface SchemaMigrationsTable {
  name: string
  applied_at: number
}

/** One row: grows with every change of who may do what. */
export interface AccessVersionTable {
  id: number
  version: number
}

export interface UsersTable {
  id: string
  name: string
  /** PHC string. */
  password_hash: string | null
  administrator: number
  groups_json: string
  disabled_at: number | null
  created_at: number
  password_changed_at: number
}

/** Personal and refresh tokens. They go with their user, and with the token they were got with. */
export interface TokensTable {
  id: string
  kind: string
  user_id: string
  label: string
  /** Hex of a SHA-256. */
  secret_hash: string
  permissions_json: string | null
  created_at: number
  expires_at: number | null
  last_used_at: number | null
  parent_id: string | null
  password_changed_at: number | null
}

export interface AccessRulesTable {
  /** Grows and is never used twice. */
  id: Made<number>
  subject_kind: string
  /** Empty for a subject that needs no name. */
  subject_name: string
  repositories: string
  /** In the order of `permissionActions`, with commas between. */
  actions: string
  created_at: number
}

export interface IssuersTable {
  name: string
  id: string
  issuer: string
  audience: string
  jwks_uri: string | null
  conditions_json: string
  permissions_json: string
  created_at: number
}

export interface SigningKeysTable {
  id: string
  algorithm: string
  public_key: string
  sealed_private_key: string
  created_at: number
}

/** Bytes that somebody brought to a repository: first links of blobs, and manifests. */
export interface ActorUsageTable {
  actor: string
  repository_id: number
  stored_bytes: number
}
