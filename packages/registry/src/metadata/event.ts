import type { Digest } from '@stowage/oci'

/** A change of the registry's content. Written in the transaction that makes the change, delivered at least once. */
export type ChangeEvent =
  | {
      readonly type: 'manifest.pushed'
      readonly repository: string
      readonly digest: Digest
      readonly mediaType: string
      readonly size: number
      /** False when this repository held the manifest already. */
      readonly created: boolean
      readonly subject?: Digest
      readonly artifactType?: string
    }
  | {
      readonly type: 'tag.set'
      readonly repository: string
      readonly tag: string
      readonly digest: Digest
      /** What the tag named before, when it existed and named something else. */
      readonly previous?: Digest
    }
  | { readonly type: 'tag.deleted'; readonly repository: string; readonly tag: string; readonly digest: Digest }
  | { readonly type: 'manifest.deleted'; readonly repository: string; readonly digest: Digest }
  | { readonly type: 'blob.pushed'; readonly repository: string; readonly digest: Digest; readonly size: number }
  | {
      readonly type: 'blob.mounted'
      readonly repository: string
      readonly digest: Digest
      readonly size: number
      readonly from: string
    }
  | { readonly type: 'blob.deleted'; readonly repository: string; readonly digest: Digest }

/** A change as a receiver sees it. `sequence` grows with every event and never repeats: receivers use it to drop repeats. */
export type RegistryEvent = ChangeEvent & {
  readonly sequence: number
  /** UUID of the event. */
  readonly id: string
  /** Milliseconds since the epoch. */
  readonly at: number
  /** Who made the change (`Grant.actor`). */
  readonly actor: string
}

/** Pulls of one manifest, counted in memory and handed on in batches; a crash may lose the last seconds. */
export interface PullCount {
  readonly repository: string
  readonly digest: Digest
  /** The tag it was pulled by, when it was. */
  readonly tag?: string
  readonly count: number
  /** When it was last pulled, milliseconds since the epoch. */
  readonly lastAt: number
}
