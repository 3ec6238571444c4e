import type { Digest, Platform } from '@stowage/oci'
import type { Grant, Quota, RepositoryFilter } from '../access/grant.ts'
import type { AccountStore } from './account-store.ts'
import type { ChangeEvent, PullCount, RegistryEvent } from './event.ts'
import type { UpkeepStore } from './upkeep-store.ts'

/**
 * Where the registry keeps everything that is not the bytes of a blob: repositories, links, manifests (their bytes too),
 * tags, uploads, events.
 *
 * Each method is one transaction and no method hands one out. A write is durable when its promise resolves (it survives
 * power loss), except where the method says otherwise. Times are milliseconds since the epoch, sizes are bytes. Arguments
 * have been validated by the caller; a store checks what only a transaction can know.
 */
export interface MetadataStore extends AsyncDisposable {
  /** What sort of store this is, for logs and `status`: `sqlite`, `postgres`. */
  readonly kind: string

  // Repositories -------------------------------------------------------------------------------------------------
  /** A repository exists from its first blob or manifest on. */
  repositoryExists(repository: string): Promise<boolean>
  /** Names after `last`, in byte order, at most `limit`. */
  listRepositories(page: Page & { readonly visible: RepositoryFilter }): Promise<string[]>

  // Manifests and tags -------------------------------------------------------------------------------------------
  findManifest(repository: string, reference: ManifestReference): Promise<FoundManifest | undefined>
  /** The bytes as they were pushed, if this repository holds the manifest. */
  readManifest(repository: string, digest: Digest): Promise<Uint8Array | undefined>
  /** Bytes, references, subject, tags and events: all or nothing. */
  putManifest(put: PutManifest, grant: Grant): Promise<PutManifestResult>
  /** Every tag that names the manifest, in byte order. */
  listTagsOf(repository: string, digest: Digest): Promise<string[]>
  /** Removes the manifest and every tag that names it, if all of those are in `tags`: the caller has asked for each. */
  deleteManifest(
    target: { repository: string; digest: Digest; tags: readonly string[]; at: number },
    grant: Grant,
  ): Promise<DeleteManifestResult>
  deleteTag(target: { repository: string; tag: string; at: number }, grant: Grant): Promise<DeleteTagResult>
  /** Tags after `last`, in byte order; undefined when the repository does not exist. */
  listTags(page: Page & { readonly repository: string }): Promise<string[] | undefined>
  /** The same page with what people want to see of each tag: one query, whatever the number of tags. */
  describeTags(page: Page & { readonly repository: string }): Promise<TagFacts[]>
  /** Manifests of this repository whose subject is `subject` and that can be pulled, in byte order of their digest, after `last`. */
  listReferrers(
    page: Page & { readonly repository: string; readonly subject: Digest; readonly artifactType?: string },
  ): Promise<ReferrerRow[]>

  // Blobs --------------------------------------------------------------------------------------------------------
  /** The blob if this repository links it: a blob of another repository is not there. */
  findBlob(repository: string, digest: Digest): Promise<BlobRow | undefined>
  /**
   * Links the blob from a repository that holds it. Without `from`, from any repository that `readable` admits; with it,
   * the caller has asked for pull on `from` already. `undefined` when no such link exists. Mounting twice is a success.
   */
  mountBlob(
    mount: {
      readonly repository: string
      readonly digest: Digest
      readonly from?: string
      readonly readable: RepositoryFilter
      readonly at: number
    },
    grant: Grant,
  ): Promise<{ readonly outcome: 'mounted'; readonly size: number; readonly from: string } | OverQuota | undefined>
  /**
   * Takes the blob out of the repository. A blob that a manifest of the repository still references is `in-use`, unless
   * `evenIfUsed`.
   */
  unlinkBlob(
    target: { repository: string; digest: Digest; at: number; evenIfUsed: boolean },
    grant: Grant,
  ): Promise<UnlinkBlobResult>
  /** Physical keys whose bytes nothing points to any more; they may be deleted, then forgotten. Oldest first. */
  listGarbage(page: { readonly limit: number }): Promise<GarbageRow[]>
  forgetGarbage(keys: readonly string[]): Promise<void>

  // Quotas -------------------------------------------------------------------------------------------------------
  /** Bytes stored now that count for `quota`. */
  usage(quota: Quota): Promise<number>

  // Uploads ------------------------------------------------------------------------------------------------------
  /**
   * Not durable: an upload may be forgotten after power loss. Visible to `findUpload` when it resolves. With `limits` there
   * are never more of one actor and of all. Where all are too many, who has fewer than a tenth of what he may have takes the
   * place of whoever has most, if that is at least two more than his own: of the upload that was touched longest ago.
   */
  createUpload(upload: UploadRow, limits?: UploadLimits): Promise<CreateUploadResult>
  /** The upload if it belongs to this repository. */
  findUpload(repository: string, id: string): Promise<UploadRow | undefined>
  /** Not durable. False when the upload is gone. */
  saveUpload(id: string, progress: { touchedAt: number; state?: string }): Promise<boolean>
  /**
   * Makes the uploaded bytes a blob of the repository: blob row, link, event, and the upload forgotten, in one transaction.
   * The bytes are durable under `key` before this is called. When the blob exists already (in whatever repository) its
   * row takes the new key and the old key becomes garbage: a push heals a blob whose old bytes have gone bad.
   */
  finishUpload(finish: FinishUpload, grant: Grant): Promise<FinishUploadResult>
  /** False when there was no such upload in the repository (any more). */
  cancelUpload(repository: string, id: string): Promise<boolean>
  /** Uploads whose last byte came before `touchedBefore`, oldest first. */
  listExpiredUploads(page: { readonly touchedBefore: number; readonly limit: number }): Promise<UploadRow[]>
  /** Removes the upload only if it is still older than that: an upload that woke up meanwhile stays. */
  expireUpload(id: string, touchedBefore: number): Promise<boolean>

  // Events and pulls ---------------------------------------------------------------------------------------------
  /** Makes `names` the receivers. A new one starts with the next event; one that is missing is forgotten. */
  enrollReceivers(names: readonly string[]): Promise<void>
  /** Events that `receiver` has not acknowledged, oldest first. */
  readEvents(receiver: string, limit: number): Promise<RegistryEvent[]>
  /**
   * Everything up to `sequence` has been delivered to `receiver`; what all receivers have is pruned. Not durable: after
   * power loss the last events may come again.
   */
  acknowledgeEvents(receiver: string, sequence: number): Promise<void>
  /** Adds to the pull counts and moves `lastPulledAt`. Not durable. Manifests that are gone are skipped. */
  recordPulls(pulls: readonly PullCount[]): Promise<void>

  // Accounts -----------------------------------------------------------------------------------------------------
  readonly accounts: AccountStore

  // Upkeep -------------------------------------------------------------------------------------------------------
  readonly upkeep: UpkeepStore

  // The store itself ---------------------------------------------------------------------------------------------
  statistics(): Promise<MetadataStatistics>
  /** Resolves when the store can read and write; rejects with the reason otherwise. */
  check(): Promise<void>
}

/** Keyset paging: rows strictly after `last`, at most `limit` (1 or more). `last` need not exist. */
export interface Page {
  readonly last?: string
  readonly limit: number
}

export type ManifestReference = { readonly tag: string } | { readonly digest: Digest }

export interface ManifestRow {
  readonly digest: Digest
  readonly mediaType: string
  readonly size: number
}

export interface FoundManifest extends ManifestRow {
  /** Since when no tag has named it; null while one does. */
  readonly untaggedSince: number | null
}

export type ManifestKind = 'image' | 'index' | 'artifact'

/** What lists and pages show of a manifest, computed once when it is pushed. */
export interface ManifestFacts {
  readonly kind: ManifestKind
  readonly artifactType?: string
  /** Bytes of everything the manifest references directly, each digest counted once. */
  readonly contentSize: number
  /** Of an index: its children's; of an image: its config's, if that could be read. */
  readonly platforms: readonly Platform[]
  readonly annotations: Readonly<Record<string, string>>
}

export interface PutManifest {
  readonly repository: string
  readonly digest: Digest
  readonly mediaType: string
  readonly bytes: Uint8Array
  /** Tags to set, in order; none for a push by digest alone. */
  readonly tags: readonly string[]
  /** Every content descriptor of the manifest (not its subject). */
  readonly references: readonly { readonly digest: Digest; readonly role: ReferenceRole }[]
  /** Blobs that must be linked in this repository. */
  readonly requiredBlobs: readonly Digest[]
  /** Manifests that must be in this repository. */
  readonly requiredManifests: readonly Digest[]
  readonly subject?: Digest
  readonly facts: ManifestFacts
  readonly at: number
}

export type ReferenceRole = 'config' | 'layer' | 'blob' | 'manifest'

export type PutManifestResult =
  | {
      readonly outcome: 'stored'
      /** False when this repository held the manifest already. */
      readonly created: boolean
    }
  /** Nothing was written: these blobs or manifests are not in the repository. */
  | { readonly outcome: 'missing'; readonly blobs: readonly Digest[]; readonly manifests: readonly Digest[] }
  /** Nothing was written: the grant does not allow moving this tag, or changing the media type of what it names. */
  | { readonly outcome: 'tag-exists'; readonly tag: string }
  /** Nothing was written: this tag is there and immutable. */
  | { readonly outcome: 'tag-immutable'; readonly tag: string }
  | OverQuota

/** Nothing was written: something new would have gone beyond this limit. */
export interface OverQuota {
  readonly outcome: 'over-quota'
  readonly quota: Quota
  /** Bytes stored now. */
  readonly used: number
}

export type DeleteManifestResult =
  | { readonly outcome: 'deleted'; readonly tags: readonly string[] }
  | { readonly outcome: 'unknown' }
  /** Nothing was written: this immutable tag names the manifest, or an index that needs it. */
  | { readonly outcome: 'tag-immutable'; readonly tag: string }
  /** Nothing was written: these tags, which name it too, were not among those that may be deleted. */
  | { readonly outcome: 'tags-differ'; readonly tags: readonly string[] }

export type DeleteTagResult =
  | { readonly outcome: 'deleted'; readonly digest: Digest }
  | { readonly outcome: 'unknown' }
  /** Nothing was written. */
  | { readonly outcome: 'tag-immutable'; readonly tag: string }

export type UnlinkBlobResult =
  | { readonly outcome: 'deleted' }
  | { readonly outcome: 'unknown' }
  | { readonly outcome: 'in-use'; readonly by: Digest }
  /** Nothing was written: an image with this immutable tag needs the blob, which holds even if `evenIfUsed`. */
  | { readonly outcome: 'tag-immutable'; readonly tag: string }

export interface TagFacts extends ManifestFacts, ManifestRow {
  readonly tag: string
  /** When the tag was last set. */
  readonly taggedAt: number
  /** When it was last pushed. */
  readonly pushedAt: number
  /** Who brought it to the repository, and whom it counts for. */
  readonly pushedBy: string
  readonly lastPulledAt?: number
  readonly pullCount: number
  /** Since when its bytes are known to be wrong: the tag is there, the manifest is not, until a push brings it again. */
  readonly corruptSince?: number
}

export interface ReferrerRow extends ManifestRow {
  readonly artifactType?: string
  readonly annotations: Readonly<Record<string, string>>
}

export interface BlobRow {
  readonly digest: Digest
  readonly size: number
  /** Where the blob store keeps the bytes. */
  readonly key: string
  /** Since when no manifest of the repository has used it; null while one does. */
  readonly unusedSince: number | null
}

export interface GarbageRow {
  readonly key: string
  readonly since: number
}

export interface UploadRow {
  readonly id: string
  readonly repository: string
  readonly actor: string
  readonly startedAt: number
  /** When the last byte came, or the upload began. Coalesced: up to a minute behind. */
  readonly touchedAt: number
  /** What the blob store needs to go on after a restart, opaque here. */
  readonly state?: string
}

/** Most uploads that may be unfinished, 1 or more each. */
export interface UploadLimits {
  readonly ofActor: number
  readonly ofAll: number
}

export type CreateUploadResult =
  | {
      readonly outcome: 'created'
      /** The upload that had to go for it: its row is gone, its bytes are the caller's to delete. */
      readonly replaced?: UploadRow
    }
  /** Nothing was written. */
  | { readonly outcome: 'too-many' }

export interface FinishUpload {
  readonly repository: string
  /** The upload to forget; undefined for bytes that came in a single POST. */
  readonly uploadId?: string
  readonly digest: Digest
  readonly size: number
  readonly key: string
  readonly at: number
}

export type FinishUploadResult =
  | { readonly outcome: 'linked' }
  /** Nothing was written: the upload was cancelled or expired meanwhile. The caller deletes the bytes. */
  | { readonly outcome: 'upload-unknown' }
  /** The caller deletes the bytes and the upload. */
  | OverQuota

export interface MetadataStatistics {
  readonly repositories: number
  readonly manifests: number
  readonly tags: number
  readonly blobs: number
  /** Sum of the sizes of all blobs, each counted once. */
  readonly blobBytes: number
  /** Blobs in quarantine: their bytes are not those of their digest. */
  readonly corruptBlobs: number
  readonly uploads: number
  /** Events waiting for the slowest receiver. */
  readonly pendingEvents: number
}

export type { ChangeEvent, PullCount, RegistryEvent }
