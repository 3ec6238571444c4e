/** Most answers kept; beyond that all are dropped and gathered again. */
const limit = 20_000

/**
 * Keeps the answers to a question that every pull asks, until a write that could change one is committed. This process is
 * the only one that writes (see `lockDirectory`), so nothing else can make an answer stale. Absence is not kept: whoever
 * asks for endless names must not fill the memory.
 */
export interface Remembered<Row> {
  ask(repository: string, key: string): Row | undefined
  forget(): void
}

export function remembered<Row>(question: (repository: string, key: string) => Row | undefined): Remembered<Row> {
  // A map in a map: joining the two strings would cost as much as the two look-ups.
  let answers = new Map<string, Map<string, Row>>()
  let size = 0

  function forget(): void {
    if (size === 0) return
    answers = new Map()
    size = 0
  }

  return {
    ask(repository, key) {
      const known = answers.get(repository)?.get(key)
      if (known !== undefined) return known
      const row = question(repository, key)
      if (row === undefined) return undefined
      if (size >= limit) forget()
      const ofRepository = answers.get(repository)
      if (ofRepository === undefined) answers.set(repository, new Map([[key, row]]))
      else ofRepository.set(key, row)
      size += 1
      return row
    },
    forget,
  }
}
