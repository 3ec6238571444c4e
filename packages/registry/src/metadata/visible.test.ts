import { describe, expect, it } from 'vitest'
import type { RepositoryFilter } from '../access/grant.ts'
import { matchesGlob } from '../access/permission.ts'
import { createMatcher, visibleRanges } from './visible.ts'

const end = '\u{10ffff}'

const rangesOf = (filter: Omit<RepositoryFilter & { kind: 'any-of' }, 'kind'>) =>
  [...visibleRanges({ kind: 'any-of', ...filter })].map(({ from, to, conditions }) => ({
    from,
    to,
    globs: conditions.map(({ glob }) => glob),
  }))

const range = (begin: string, ...globs: readonly string[][]) => ({ from: begin, to: begin + end, globs })
const name = (text: string, ...globs: readonly string[][]) => ({ from: text, to: text, globs })

describe('the ranges of a filter', () => {
  it('are one without a condition where everything is visible', () => {
    expect([...visibleRanges({ kind: 'all' })]).toEqual([{ from: '', to: end, conditions: [] }])
    expect(rangesOf({ globs: ['a', '*'] })).toEqual([range('')])
    expect(rangesOf({ globs: ['**'], within: [['*', 'b']] })).toEqual([range('')])
    expect(rangesOf({ globs: [], within: [['b']], always: ['*'] })).toEqual([range('')])
  })

  it('are none where nothing is', () => {
    expect(rangesOf({ globs: [] })).toEqual([])
    expect(rangesOf({ globs: ['*'], within: [[]] })).toEqual([])
    expect(rangesOf({ globs: ['a/*'], within: [['b/*']] })).toEqual([])
    expect(rangesOf({ globs: ['a\u0000b', 'ä*'] })).toEqual([])
  })

  it('stand in byte order, and what others contain is not looked at twice', () => {
    expect(rangesOf({ globs: ['team/two', 'b', 'team/*', 'a*', 'ab/*', 'b'] })).toEqual([
      range('a'),
      name('b'),
      range('team/'),
    ])
  })

  it('are what all lists have in common', () => {
    expect(rangesOf({ globs: ['*'], within: [['team/a', 'team/b']] })).toEqual([name('team/a'), name('team/b')])
    expect(
      rangesOf({
        globs: ['a/*', 'b/*', 'c'],
        within: [
          ['b/x*', 'a*', 'c*'],
          ['a/y', 'b/*', 'd'],
        ],
      }),
    ).toEqual([name('a/y'), range('b/x')])
  })

  it('have what is always visible besides', () => {
    expect(rangesOf({ globs: ['a/*'], within: [['a/x']], always: ['public/*'] })).toEqual([
      name('a/x'),
      range('public/'),
    ])
  })

  it('have conditions only where names of the range could be invisible', () => {
    expect(rangesOf({ globs: ['*/x', 'a/*', 'b/*/y'], within: [['a/*', 'b/*']] })).toEqual([
      range('a/'),
      range('b/', ['*/x', 'b/*/y']),
    ])
    expect(rangesOf({ globs: ['a/x'], within: [['*/x', '*/y']] })).toEqual([name('a/x', ['*/x', '*/y'])])
  })
})

it('a name is in a range, and matches its conditions, exactly when the filter admits it', () => {
  // Any sequence that is the same at each run.
  let state = 7
  const random = (below: number): number => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31
    return Math.floor((state / 2 ** 31) * below)
  }
  const text = (letters: string): string =>
    Array.from({ length: 1 + random(4) }, () => letters[random(letters.length)] ?? '').join('')
  const globs = (): string[] => Array.from({ length: random(4) }, () => text('ab/**'))
  let visible = 0
  for (let round = 0; round < 3000; round += 1) {
    const filter = {
      kind: 'any-of',
      globs: globs(),
      within: [globs(), globs()].slice(random(3)),
      always: globs(),
    } as const
    const ranges = [...visibleRanges(filter)]
    const admits = createMatcher(filter)
    const names = Array.from({ length: 10 }, () => text('ab/'))
    for (const each of names) {
      const matches = (list: readonly string[]): boolean => list.some((glob) => matchesGlob(glob, each))
      const expected = (matches(filter.globs) && filter.within.every(matches)) || matches(filter.always)
      const holding = ranges.filter(({ from, to }) => from <= each && each <= to)
      expect(holding.length, 'ranges that hold one name').toBeLessThanOrEqual(1)
      const found = holding.some(({ conditions }) => conditions.every(({ glob }) => matches(glob)))
      expect({ filter, each, visible: found }).toEqual({ filter, each, visible: expected })
      expect(admits(each)).toBe(expected)
      if (expected) visible += 1
    }
  }
  expect(visible).toBeGreaterThan(5000)
})
