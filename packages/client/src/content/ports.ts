import type { Descriptor, Digest } from '@stowage/oci'
import type { ClientError } from '../errors.ts'
import type { Content } from './content.ts'
import type { Pages } from './pages.ts'

/** Every call that does I/O takes a signal. */
export interface CallOptions {
  readonly signal?: AbortSignal
  /** Called before something is tried again, with what went wrong. */
  readonly onRetry?: (error: ClientError) => void
}

/** A manifest as it came: its bytes, and what they are. */
export interface ManifestContent {
  readonly descriptor: Descriptor
  readonly bytes: Uint8Array
}

/** How a tag is resolved. */
export interface ResolveOptions extends CallOptions {
  /** Ask the registry itself, no mirror: for what is asked about a target. Default: false. */
  readonly fresh?: boolean
}

/** Which referrers are listed. */
export interface ReferrersOptions extends CallOptions {
  /** Only referrers of this type. */
  readonly artifactType?: string
}

/** Where a list of tags begins, and how it is paged. */
export interface TagsOptions extends CallOptions {
  /** Tags that come after this one. */
  readonly last?: string
  /** Entries of one page that are asked for; a registry may give fewer. */
  readonly pageSize?: number
}

/** How a blob is put. */
export interface PutBlobOptions extends CallOptions {
  /** Repositories of the same registry that may have the blob; they are tried in turn before any byte is sent. */
  readonly mountFrom?: readonly string[]
  /** Called as bytes are sent, with their number so far: it falls when a part is sent again. */
  readonly onProgress?: (sent: number) => void
  /** The caller knows that the blob is not there: do not ask. */
  readonly absent?: boolean
}

/** What became of a blob that was to be put. */
export type BlobOutcome = 'existing' | 'mounted' | 'uploaded'

/** How a manifest is put. */
export interface PutManifestOptions extends CallOptions {
  /** Name it so, too. */
  readonly tags?: readonly string[]
}

/**
 * A place that images can be read from: a repository of a registry, an image layout, an archive, memory.
 *
 * Everything is keyed by descriptor, so that what comes back is verified against what was asked for. Manifests and blobs have
 * methods of their own because registries keep them apart; which of the two a descriptor means is known from where it stood.
 */
export interface Source extends AsyncDisposable {
  /** As a person writes it, without tag: `registry.example/app`, `ocidir:./images`. */
  readonly name: string
  /** A repository of a registry says which: blobs can be mounted between repositories of one registry. */
  readonly repository?: { readonly registry: string; readonly name: string }

  /**
   * The manifest that a tag or digest names.
   *
   * @throws {ClientError} `not-found`
   */
  resolve(reference: string, options?: ResolveOptions): Promise<Descriptor>

  /**
   * The bytes of a manifest: verified, at most 4 MiB.
   *
   * @throws {ClientError} `not-found`, `digest-mismatch`, `too-large`
   */
  getManifest(descriptor: Descriptor, options?: CallOptions): Promise<Uint8Array>

  /**
   * The bytes of a blob, verified: the last of them come only after all had the right digest and length. A connection that
   * breaks is taken up again where it broke.
   *
   * @throws {ClientError} while it is read: `not-found`, `digest-mismatch`
   */
  getBlob(descriptor: Descriptor, options?: CallOptions): AsyncIterable<Uint8Array>

  /** `resolve` and `getManifest` in one step, where that takes one request less. */
  readManifest?(reference: string, options?: ResolveOptions): Promise<ManifestContent>

  hasManifest(descriptor: Descriptor, options?: CallOptions): Promise<boolean>
  hasBlob(descriptor: Descriptor, options?: CallOptions): Promise<boolean>

  /** Every tag, page by page. */
  tags(options?: TagsOptions): Pages<string>

  /** What has this manifest as its subject. */
  referrers(subject: Digest, options?: ReferrersOptions): Pages<Descriptor>
}

/** A place that images can be written to. What was written is read like any source. */
export interface Target extends Source {
  /**
   * Puts a blob. Content whose bytes are not those of the descriptor is never stored under its digest.
   *
   * @throws {ClientError} `digest-mismatch`, `denied` …
   */
  putBlob(descriptor: Descriptor, content: Content, options?: PutBlobOptions): Promise<BlobOutcome>

  /** Puts a manifest whose blobs and manifests are there, byte for byte, and names it by the tags, if any. */
  putManifest(descriptor: Descriptor, bytes: Uint8Array, options?: PutManifestOptions): Promise<void>

  /** Gives a further name to a manifest that is there. Moves the tag when it names another. */
  tag(descriptor: Descriptor, tag: string, options?: CallOptions): Promise<void>

  /** Removes a tag and nothing else. @throws {ClientError} `not-found`, `unsupported` */
  deleteTag(tag: string, options?: CallOptions): Promise<void>

  /** Removes a manifest, with every tag that names it. @throws {ClientError} `not-found`, `unsupported` */
  deleteManifest(digest: Digest, options?: CallOptions): Promise<void>

  /**
   * Makes what was put visible, where that takes more than the puts: an archive is written now. Disposing of a target that
   * was not finished leaves no half of one behind.
   */
  finish(options?: CallOptions): Promise<void>
}
