/** Entries at once. */
const limit = 500

/** All entries of a list that comes in pages, each begun after the last entry of the one before. */
export const allPages = async <T>(
  ask: (page: { readonly last?: string; readonly limit: number }) => Promise<readonly T[]>,
  idOf: (entry: T) => string,
): Promise<T[]> => {
  const all: T[] = []
  for (;;) {
    const last = all.at(-1)
    const page = await ask({ limit, ...(last !== undefined && { last: idOf(last) }) })
    all.push(...page)
    if (page.length < limit) return all
  }
}
