/** What a thread of the row is told. */
export interface ParsersTask {
  readonly seed: number
  /** Of all threads together. */
  readonly cases: number
  readonly thread: number
  readonly threads: number
}

export type ParsersMessage =
  | { readonly kind: 'begun'; readonly what: string }
  | { readonly kind: 'cases'; readonly count: number }
  /** An input of a megabyte came back. */
  | { readonly kind: 'long' }
  | { readonly kind: 'failure'; readonly text: string }
  | { readonly kind: 'done'; readonly properties: number }
