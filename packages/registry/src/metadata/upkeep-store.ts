import type { Digest } from '@stowage/oci'

/**
 * What garbage collection, retention and scrubbing ask of the metadata store. As everywhere in the port each method is one
 * transaction; a caller that works through much takes it in steps, so that pushes get their turn in between.
 */
export interface UpkeepStore {
  // Blobs that nothing uses --------------------------------------------------------------------------------------
  /** Links whose blob no manifest of their repository has used since before that, longest first. */
  listUnusedBlobs(page: { readonly unusedBefore: number; readonly limit: number }): Promise<UnusedBlob[]>
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
   * Removes those of the tags that still name what they are said to name. Until `restoreUntil` they can be brought back, and
   * what they lead to stays.
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
   * Manifests of the repository that have had no tag since before that, and that nothing holds: no tag that can be brought
   * back, no index of the repository that lists them, no subject that is here. In byte order of their digest, after `last`.
   */
  listUntaggedManifests(page: {
    readonly repository: string
    readonly untaggedBefore: number
    readonly last?: Digest
    readonly limit: number
  }): Promise<UntaggedManifest[]>
  /** Decides again and removes the manifests, as a deletion does. Returns those that were removed. */
  collectManifests(target: CollectManifests): Promise<UntaggedManifest[]>

  // Scrub --------------------------------------------------------------------------------------------------------
  /** Every blob there is, in byte order of its digest, after `last`. */
  listBlobs(page: { readonly last?: Digest; readonly limit: number }): Promise<StoredBlob[]>
  /** The bytes under the key are not the blob's: from now on nobody has it. False when it has another key meanwhile. */
  quarantineBlob(target: { readonly digest: Digest; readonly key: string; readonly at: number }): Promise<boolean>
  /** The bytes under these keys are the blobs'. Not durable. One that was in quarantine comes back. */
  verifiedBlobs(blobs: readonly { readonly digest: Digest; readonly key: string }[], at: number): Promise<void>
  /** The bytes of every manifest, once each, in byte order of the digest, after `last`. */
  listContents(page: { readonly last?: Digest; readonly limit: number }): Promise<StoredContent[]>
  /** The bytes are not the manifest's: no repository has it, until a push brings them again. */
  quarantineManifest(digest: Digest, at: number): Promise<void>

  // The store itself ---------------------------------------------------------------------------------------------
  /** What `writeState` was given last under the name. JSON. */
  readState(name: string): Promise<string | undefined>
  writeState(name: string, state: string): Promise<void>
  /** Whether the store contradicts itself, by each of its own rules; at most `limit` problems of each kind. */
  inspect(limit: number): Promise<MetadataProblem[]>
}

export interface UnusedBlob {
  readonly repository: string
  readonly digest: Digest
  readonly size: number
  readonly unusedSince: number
}

export interface CollectBlobs {
  readonly repository: string
  readonly digests: readonly Digest[]
  readonly unusedBefore: number
  readonly at: number
}

export interface CollectedBlobs {
  /** Links that were removed. */
  readonly links: number
  /** Blobs that no repository has any more. */
  readonly blobs: number
  /** Bytes of those. */
  readonly bytes: number
}

export interface RemoveTags {
  readonly repository: string
  readonly tags: readonly { readonly tag: string; readonly digest: Digest }[]
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

export interface CollectManifests {
  readonly repository: string
  readonly digests: readonly Digest[]
  readonly untaggedBefore: number
  readonly at: number
}

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

/** A rule that the store breaks. The names are the sections of `docs/doctor.md`. */
export interface MetadataProblem {
  readonly kind:
    | 'database-damaged'
    | 'tag-dangling'
    | 'reference-missing'
    | 'link-dangling'
    | 'content-missing'
    | 'usage-wrong'
    | 'unused-wrong'
    | 'untagged-wrong'
    | 'event-order'
  readonly repository?: string
  /** A digest, a tag, an actor: what it is about. */
  readonly subject: string
  /** What was found and what should have been. */
  readonly message: string
}
