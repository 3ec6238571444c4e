import { expect, test } from 'vitest'
import { allPages } from './pages.ts'

test.each([0, 1, 499, 500, 501, 1000])('%d entries come in pages, each once and in order', async (count) => {
  const entries = Array.from({ length: count }, (_, index) => String(index).padStart(5, '0'))
  const asked: (string | undefined)[] = []
  const all = await allPages(
    async ({ last, limit }) => {
      asked.push(last)
      const begin = last === undefined ? 0 : entries.indexOf(last) + 1
      return entries.slice(begin, begin + limit)
    },
    (entry) => entry,
  )
  expect(all).toEqual(entries)
  expect(asked).toHaveLength(Math.floor(count / 500) + 1)
})
