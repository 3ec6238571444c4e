/** The name among `known` that was probably meant. @returns undefined when none is near. */
export const nearest = (name: string, known: readonly string[]): string | undefined => {
  const wanted = name.toLowerCase().replaceAll(/[-_]/g, '')
  let best: string | undefined
  // A third of the letters may be wrong, but no more than three of them.
  let least = Math.min(3, Math.floor(wanted.length / 3)) + 1
  for (const candidate of known) {
    const away = distance(wanted, candidate.toLowerCase().replaceAll(/[-_]/g, ''))
    if (away < least) {
      least = away
      best = candidate
    }
  }
  return best
}

/** Letters to add, drop, replace or swap with their neighbour. */
const distance = (a: string, b: string): number => {
  let beforePrevious: number[] = []
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let row = 1; row <= a.length; row++) {
    const current = [row]
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1]
      let cost = Math.min(
        (previous[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (previous[column - 1] ?? 0) + (same ? 0 : 1),
      )
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]
      if (swapped) cost = Math.min(cost, (beforePrevious[column - 2] ?? 0) + 1)
      current.push(cost)
    }
    beforePrevious = previous
    previous = current
  }
  return previous[b.length] ?? 0
}
