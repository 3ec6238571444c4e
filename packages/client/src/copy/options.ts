import type { Descriptor, HashFactory, Platform } from '@stowage/oci'
import type { Source, Target } from '../content/ports.ts'
import type { CopyEvent } from './events.ts'
import type { TargetKnowledge } from './knowledge.ts'

/** An image, where it is. */
export interface CopySource {
  readonly source: Source
  /** A tag or a digest. */
  readonly reference: string
}

/** Where an image goes. */
export interface CopyTarget {
  readonly target: Target
  /** Names to give it. None: it is found by its digest only. */
  readonly tags?: readonly string[]
}

/** What is copied, and how. Nothing needs to be said. */
export interface CopyOptions {
  /** Only these platforms of an index, as `linux/arm64`. One platform: that image itself, unless `index` is given. */
  readonly platforms?: readonly (Platform | string)[]
  /**
   * What becomes of an index of which only some platforms are copied: `rewrite` makes a new one of what is there (another digest);
   * `sparse` keeps it as it is, naming what is missing, which not every registry takes. Default `rewrite`.
   */
  readonly index?: 'rewrite' | 'sparse'
  /** Also what refers to it and to its children: signatures, SBOMs, attestations. Default false. */
  readonly referrers?: boolean
  /** Also tags that are made of a digest that is copied: `sha256-….sig`, cosign's way before there were referrers. Default false. */
  readonly digestTags?: boolean
  /** Blobs under way at once. Default 4. */
  readonly concurrency?: number
  /**
   * Look at everything, also below an image that the target has already. Mends a target that lost blobs. Default false: an image
   * that is there is taken to be whole, because registries take no manifest whose blobs they lack; of an index, which may be sparse,
   * each child is asked for.
   */
  readonly force?: boolean
  /** The caller knows that the target has nothing yet: nothing is asked for first. Default false. */
  readonly absent?: boolean
  /** What this copy and others know of the target: for a series of copies to one repository. Default: what it finds out itself. */
  readonly knowledge?: TargetKnowledge
  readonly hash?: HashFactory
  readonly signal?: AbortSignal
}

/** What a copy did. */
export interface CopyResult {
  /** What the target now has under the tags. */
  readonly root: Descriptor
  readonly manifests: { readonly copied: number; readonly existing: number }
  readonly blobs: { readonly copied: number; readonly existing: number; readonly mounted: number }
  /** Bytes of the blobs that were copied. */
  readonly bytes: number
  /** Manifests among those that were copied because they refer to others. */
  readonly referrers: number
  /** Referrers that the source lists and does not have. */
  readonly missingReferrers: number
  /** How often something was tried again. */
  readonly retries: number
}

/**
 * A copy under way. Await `result`: a job is no promise, and to await the job itself waits for nothing.
 *
 * Iterated it gives its events, and throws what it fails with; `result` rejects with the same. Who iterates may leave `result`
 * alone. Where neither is done a failure is a rejection that nobody handles, which the runtime reports.
 *
 * Until somebody iterates some thousands of events are kept: of more than that progress is dropped first, then the oldest of what
 * was found.
 */
export interface CopyJob extends AsyncIterable<CopyEvent> {
  readonly result: Promise<CopyResult>
}
