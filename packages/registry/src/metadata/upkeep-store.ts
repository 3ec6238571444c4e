import type { Digest } from '@stowage/oci'
import type { ManifestRow, ReferenceRole } from './metadata-store.ts'

/**
 * What garbage collection, retention and scrubbing ask of the metadata store. As everywhere in the port each method is one
 * transaction; a caller that works through much takes it in steps, so that pushes get their turn in between.
 */
export interface UpkeepStore {
  // Blobs that nothing uses --------------------------------------------------------------------------------------
  /** Links whose blob no manifest of their repository has used since before that, longest first; those behind `after`. */
  listUnusedBlobs(page: UnusedBlobsPage): Promise<UnusedBlob[]>
  /**
   * Decides again and takes the blobs out of the repository, if still nothing uses them and nobody asked for them since. With
   * the last link of a blob goes its row, and its key becomes garbage. Counters and events are kept as in any deletion.
   */
  collectBlobs(target: CollectBlobs): Promise<CollectedBlobs>
  /**
   * Somebody counts on an unused blob (a HEAD before a push that will not send it): its time begins again at `at`. Not
   * durable, and nothing happens when a manifest uses it.
   */
  touchBlob(repository: string, digest: Digest, at: number): Promise<void>
  /** The same for a manifest without a tag. */
  touchManifest(repository: string, digest: Digest, at: number): Promise<void>
  /** Of these keys of the blob store, those that a blob's row or the list of garbage names. */
  knownKeys(keys: readonly string[]): Promise<string[]>

  // Retention ----------------------------------------------------------------------------------------------------
  /**
   * Removes those of the tags that still name what they are said to name and were not set again since. Until `restoreUntil`
   * they can be brought back, and what they lead to stays.
   */
  removeTags(target: RemoveTags): Promise<readonly string[]>
  /** Tags that can be brought back, by id, after `last`. */
  listRemovedTags(page: {
    readonly repository?: string
    readonly last?: number
    readonly limit: number
  }): Promise<RemovedTag[]>
  /** Sets a removed tag again, under its own name or another. */
  restoreTag(target: RestoreTag): Promise<RestoreTagResult>
  /** Forgets tags whose time to be restored ended before that. Returns how many; at most `limit`. */
  forgetRemovedTags(before: number, limit: number): Promise<number>
  /**
   * Looks at manifests of the repository that have had no tag since before that, longest first, and gives those that nothing
   * holds: no tag that can be brought back, no manifest of the repository that lists them, no subject that is here.
   */
  listUntaggedManifests(page: ListUntagged): Promise<UntaggedPage>
  /** Decides again and removes the manifests, as a deletion does. Returns those that were removed. */
  collectManifests(target: CollectManifests): Promise<UntaggedManifest[]>

  // Scrub --------------------------------------------------------------------------------------------------------
  /** Every blob there is, in byte order of its digest, after `last`. */
  listBlobs(page: { readonly last?: Digest; readonly limit: number }): Promise<StoredBlob[]>
  /** The blob as it is now. */
  storedBlob(digest: Digest): Promise<StoredBlob | undefined>
  /** The bytes under the key are not the blob's: from now on nobody has it, until a push brings them again. */
  quarantineBlob(target: {
    readonly digest: Digest
    readonly key: string
    readonly at: number
  }): Promise<BlobQuarantine>
  /**
   * The bytes under these keys are the blobs'. Not durable. One that was in quarantine when it was listed comes back, unless
   * its bytes were found to be wrong again since.
   */
  verifiedBlobs(
    blobs: readonly { readonly digest: Digest; readonly key: string; readonly corruptSince?: number }[],
    at: number,
  ): Promise<void>
  /**
   * The bytes of manifests, once each, in byte order of the digest, after `last`; none are left when the page is empty. It may
   * have fewer than `limit`, so that it has not many more bytes than a MiB, or one manifest.
   */
  listContents(page: { readonly last?: Digest; readonly limit: number }): Promise<StoredContent[]>
  /**
   * Whether the bytes are the manifest's, looked at again: if not, no repository has it, until a push brings them again. If
   * they are, it comes back.
   */
  quarantineManifest(digest: Digest, at: number): Promise<ManifestQuarantine>

  // The store itself ---------------------------------------------------------------------------------------------
  /** What `writeState` was given last under the name. JSON. */
  readState(name: string): Promise<string | undefined>
  writeState(name: string, state: string): Promise<void>
  /**
   * The manifests of the repository with everything that is kept of them, in byte order of their digest, after `last`; none are
   * left when the page is empty. It may have fewer than `limit`, as that of `listContents`.
   */
  listManifests(page: {
    readonly repository: string
    readonly last?: Digest
    readonly limit: number
  }): Promise<StoredManifest[]>
  /** Of these ids of uploads, those that have a row. */
  knownUploads(ids: readonly string[]): Promise<string[]>
  /**
   * Whether the store contradicts itself, by each of its own rules; at most `limit` of each kind. Writes nothing. It looks at
   * everything, and where the database is in this thread it holds it meanwhile: better asked in another process.
   */
  inspect(limit: number): Promise<MetadataProblem[]>
}

export interface UnusedBlobsPage {
  readonly unusedBefore: number
  /** The last of the page before; it need not be there any more. */
  readonly after?: Pick<UnusedBlob, 'repository' | 'digest' | 'unusedSince'>
  readonly limit: number
}

export interface UnusedBlob {
  readonly repository: string
  readonly digest: Digest
  readonly size: number
  readonly unusedSince: number
  /** Whether the blob goes with this link, when all that stand before it in the list have gone: nobody else has it. */
  readonly last: boolean
}

export interface CollectBlobs {
  readonly repository: string
  readonly digests: readonly Digest[]
  readonly unusedBefore: number
  readonly at: number
}

export interface CollectedBlobs {
  /** Whose link was removed, in byte order. */
  readonly links: readonly Digest[]
  /** Blobs that no repository has any more. */
  readonly blobs: number
  /** Bytes of those. */
  readonly bytes: number
}

export interface RemoveTags {
  readonly repository: string
  /** As `describeTags` gave them. */
  readonly tags: readonly { readonly tag: string; readonly digest: Digest; readonly taggedAt: number }[]
  readonly at: number
  readonly restoreUntil: number
}

export interface RemovedTag {
  readonly id: number
  readonly repository: string
  readonly tag: string
  readonly digest: Digest
  readonly removedAt: number
  readonly restoreUntil: number
}

export interface RestoreTag {
  readonly id: number
  /** Default: the name it had. */
  readonly as?: string
  /** Whether a tag that is there moves. */
  readonly overwrite: boolean
  readonly at: number
}

export type RestoreTagResult =
  | { readonly outcome: 'restored'; readonly repository: string; readonly tag: string; readonly digest: Digest }
  | { readonly outcome: 'unknown' }
  /** The tag is there and names something else. */
  | { readonly outcome: 'tag-exists'; readonly repository: string; readonly tag: string; readonly digest: Digest }
  /** Somebody deleted what it named. */
  | { readonly outcome: 'manifest-unknown'; readonly repository: string; readonly digest: Digest }

export interface UntaggedManifest {
  readonly digest: Digest
  readonly size: number
  readonly untaggedSince: number
}

export interface ListUntagged {
  readonly repository: string
  readonly untaggedBefore: number
  /** Removed tags whose time to be restored ended before that hold nothing. */
  readonly at: number
  readonly after?: UntaggedPlace
  /** Most manifests to look at, 1 or more. */
  readonly limit: number
}

export interface UntaggedPlace {
  readonly untaggedSince: number
  readonly digest: Digest
}

export interface UntaggedPage {
  /** Of those that were looked at, those that nothing holds. There may be more behind an empty page. */
  readonly manifests: readonly UntaggedManifest[]
  /** Where to go on; undefined at the end. */
  readonly next?: UntaggedPlace
}

export interface CollectManifests {
  readonly repository: string
  readonly digests: readonly Digest[]
  readonly untaggedBefore: number
  readonly at: number
}

/** `known`: it was in quarantine already. `moved`: it has other bytes by now, or is gone. */
export type BlobQuarantine = 'quarantined' | 'known' | 'moved'

/** `known`: it was in quarantine already. `healed`: it no longer is. */
export type ManifestQuarantine = 'quarantined' | 'known' | 'right' | 'healed' | 'gone'

export interface StoredBlob {
  readonly digest: Digest
  readonly size: number
  readonly key: string
  readonly verifiedAt?: number
  readonly corruptSince?: number
}

export interface StoredContent {
  readonly digest: Digest
  readonly bytes: Uint8Array
  /** Whether some repository's manifest of this digest is in quarantine. */
  readonly corrupt: boolean
}

export interface StoredManifest extends ManifestRow {
  readonly bytes: Uint8Array
  readonly subject?: string
  readonly artifactType?: string
  /** JSON, as it is kept. */
  readonly annotations: string
  readonly platforms: string
  readonly corrupt: boolean
  readonly references: readonly {
    readonly digest: Digest
    readonly role: ReferenceRole
    /** Whether the repository links a blob of this digest, or, where an index lists it, has a manifest of it. */
    readonly held: boolean
  }[]
}

/** A rule that the store breaks, or something that whoever looks after it should know. The names are sections of `docs/doctor.md`. */
export interface MetadataProblem {
  readonly kind:
    | 'database-damaged'
    | 'row-orphaned'
    | 'tag-dangling'
    | 'link-dangling'
    | 'content-missing'
    | 'content-unused'
    | 'blob-unlinked'
    | 'references-dangling'
    | 'key-shared'
    | 'garbage-in-use'
    | 'blob-quarantined'
    | 'manifest-quarantined'
    | 'usage-wrong'
    | 'unused-wrong'
    | 'untagged-wrong'
    | 'event-unreadable'
    | 'receiver-ahead'
  readonly repository?: string
  /** A digest, a tag, an actor: what it is about. */
  readonly subject: string
  /** What was found and what should have been. */
  readonly message: string
}
