/** What a thread of the model row is told. */
export interface ModelTask {
  readonly seed: number
  /** Sequences from this number up to but not including that one. */
  readonly from: number
  readonly to: number
  readonly operations: number
  readonly parallel: number
  /** Every so many sequences one is on the disk, with a restart in its middle; one has manifests of megabytes. */
  readonly diskEvery: number
  readonly heavyEvery: number
  readonly upkeep: boolean
  /** An empty directory. */
  readonly directory: string
}

export type ModelMessage =
  | { readonly kind: 'progress'; readonly sequences: number }
  | { readonly kind: 'failure'; readonly text: string }
  /** `head-blob 404`: what was done, and how it was answered. */
  | { readonly kind: 'done'; readonly reached: readonly string[] }
