/** One page of a list. */
export interface Page<T> {
  readonly items: readonly T[]
  /** Whether there is another page. */
  readonly more: boolean
}

/** A list that comes in pages. Iterated, it gives every item; `pages()` gives the pages. Each iteration asks anew. */
export interface Pages<T> extends AsyncIterable<T> {
  pages(): AsyncIterable<Page<T>>
}

export const toPages = <T>(read: () => AsyncIterable<Page<T>>): Pages<T> => ({
  pages: read,
  async *[Symbol.asyncIterator]() {
    for await (const { items } of read()) yield* items
  },
})

/** A list that is all here: one page. */
export const onePage = <T>(read: () => Promise<readonly T[]>): Pages<T> =>
  toPages(async function* () {
    yield { items: await read(), more: false }
  })

/** All items of a list, which must fit into memory. */
export const collect = async <T>(list: AsyncIterable<T>): Promise<T[]> => {
  const items: T[] = []
  for await (const item of list) items.push(item)
  return items
}
