/** The middle value; the mean of the two middle values of an even number. Throws on an empty list. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const upper = sorted[Math.floor(sorted.length / 2)]
  const lower = sorted[Math.ceil(sorted.length / 2) - 1]
  if (upper === undefined || lower === undefined) throw new RangeError('median of no values')
  return (lower + upper) / 2
}

/**
 * Nearest-rank percentile: the smallest value that at least `percent` of the values do not exceed. It is always a value
 * that was measured; nothing is interpolated between two requests that never happened.
 */
export function percentile(values: readonly number[], percent: number): number {
  if (!(percent > 0 && percent <= 100)) throw new RangeError(`percent must be in (0, 100], got ${percent}`)
  const sorted = values.toSorted((a, b) => a - b)
  const found = sorted[Math.ceil((percent / 100) * sorted.length) - 1]
  if (found === undefined) throw new RangeError('percentile of no values')
  return found
}

export interface Ratio {
  /** Median of the one divided by the median of the other: the figure that is held against the target. */
  readonly ofMedians: number
  /** The lowest and the highest ratio of two measurements of the same round: how far the figure can be trusted. */
  readonly lowest: number
  readonly highest: number
}

/** Both lists hold one value a round, in the order of the rounds. */
export function ratio(subject: readonly number[], peer: readonly number[]): Ratio {
  if (subject.length !== peer.length) {
    throw new RangeError(`a ratio needs the same rounds on both sides, got ${subject.length} and ${peer.length}`)
  }
  const byRound = subject.map((value, round) => value / (peer[round] ?? Number.NaN))
  return {
    ofMedians: median(subject) / median(peer),
    lowest: Math.min(...byRound),
    highest: Math.max(...byRound),
  }
}
