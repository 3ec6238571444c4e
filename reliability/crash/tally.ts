/** What is counted over a whole run. */
export interface Tally {
  /** Manifests and blobs that were read and had the right bytes. */
  verified: number
  /** Answers of 5xx. */
  serverErrors: number
  /** Answers of 4xx to writes: what was pushed had been deleted meanwhile, for instance. */
  refused: number
  /** Pushes that were told again and again that a blob is missing. */
  givenUp: number
  /** Blobs that were seen to be gone because garbage collection may take them. */
  collected: number
  /** Answers that never came although the server was not cut off. */
  dropped: number
}

export const createTally = (): Tally => ({
  verified: 0,
  serverErrors: 0,
  refused: 0,
  givenUp: 0,
  collected: 0,
  dropped: 0,
})
