import { expect, it } from 'vitest'
import { globPatterns } from './glob.ts'

it('a glob becomes a pattern of each database, and the range of names it can match', () => {
  expect(globPatterns(['team/*'])).toEqual([{ from: 'team/', to: 'team/\u{10ffff}', glob: 'team/*', like: 'team/%' }])
  expect(globPatterns(['*/x_1'])).toEqual([{ from: '', to: '\u{10ffff}', glob: '*/x_1', like: '%/x\\_1' }])
})

it('what is special to one database alone is taken for itself', () => {
  const [pattern] = globPatterns(['a[b]?_%\\*'])
  expect(pattern).toMatchObject({ glob: 'a[[]b][?]_%\\*', like: 'a[b]?\\_\\%\\\\%' })
})

it('a glob that is there twice is one', () => {
  expect(globPatterns(['a', 'b', 'a']).map(({ glob }) => glob)).toEqual(['a', 'b'])
})
