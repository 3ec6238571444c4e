import type { Descriptor } from '@stowage/oci'
import type { Client } from '../client.ts'
import type { CopyEvent } from '../copy/events.ts'
import type { CopyOptions } from '../copy/options.ts'
import type { Patterns } from './pattern.ts'

/** One client, or one for each side when they are told different things of registries. */
export type SyncClients = Client | { readonly from: Client; readonly to: Client }

/** What is copied, and where to. */
export interface SyncPair {
  /**
   * A repository with all its tags, or an image, by its location. In a registry both the repository and the tag may be globs:
   * `ghcr.io/acme/*`, `ghcr.io/acme/app:v1.*`. A glob of repositories asks for the registry's catalog.
   */
  readonly from: string
  /**
   * The location of a repository. One that ends with `/` is where repositories go under their own names: `ghcr.io/acme/app` is
   * `registry.example/mirror/acme/app` below `registry.example/mirror/`. For a single image it may have a tag.
   */
  readonly to: string
}

/** What a sync copies, and how. */
export interface SyncOptions extends Pick<
  CopyOptions,
  'platforms' | 'index' | 'referrers' | 'digestTags' | 'force' | 'hash' | 'signal'
> {
  /** Sources for `to`, or pairs. */
  readonly from: string | readonly (string | SyncPair)[]
  /** Where sources go that are no pairs. */
  readonly to?: string
  /** Which tags of repositories: these alone, or by patterns. Default: all. */
  readonly tags?: readonly string[] | Patterns
  /** Leave tags alone that the target has already, whatever they name. Default false. */
  readonly keepOld?: boolean
  /** Only find out what would be done. Default false. */
  readonly dryRun?: boolean
  /** Images under way at once. Default 8. */
  readonly concurrency?: number
  /** Blobs of one image under way at once. Default 4. */
  readonly blobConcurrency?: number
  /** Stop when one image fails. Default false: the others are copied, and the result says which failed. */
  readonly stopOnError?: boolean
}

/** An image of a sync, by locations. */
export interface SyncImage {
  readonly from: string
  readonly to: string
}

/** What became of an image. `would-copy` in a dry run only. */
export type SyncOutcome = 'copied' | 'existing' | 'would-copy' | 'failed'

/** An image, and what became of it. */
export interface SyncedImage extends SyncImage {
  readonly outcome: SyncOutcome
  /** What the target has now, or would have. Undefined when it failed. */
  readonly descriptor: Descriptor | undefined
  /** Bytes of blobs that were, or would be, sent. */
  readonly bytes: number
  /** Why it failed. */
  readonly error: Error | undefined
}

/** What a sync tells of itself while it runs. */
export type SyncEvent =
  /** So many images are to be looked at in one repository. */
  | { readonly type: 'listed'; readonly from: string; readonly to: string; readonly images: number }
  /** Something of an image that is under way. */
  | { readonly type: 'copy'; readonly image: SyncImage; readonly event: CopyEvent }
  | { readonly type: 'done'; readonly image: SyncedImage }

/** What a sync did. */
export interface SyncResult {
  /** In the order in which they ended. */
  readonly images: readonly SyncedImage[]
  /** How many; in a dry run, how many would be. */
  readonly copied: number
  readonly existing: number
  readonly failed: number
  readonly bytes: number
}

/** A sync under way. Iterated it gives its events, and throws what it fails with; `result` rejects with the same. */
export interface SyncJob extends AsyncIterable<SyncEvent> {
  readonly result: Promise<SyncResult>
}
