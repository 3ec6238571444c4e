import { expect, it, test } from 'vitest'
import { isGlob, toFilter, toMatcher } from './pattern.ts'

test.each([
  ['v1', 'v1', true],
  ['v1', 'v10', false],
  ['v*', 'v1.2', true],
  ['v*', 'av1', false],
  ['*', '', true],
  ['*', 'a/b/c', true],
  ['a*b*c', 'aXbYbZc', true],
  ['a*b*c', 'aXbYbZ', false],
  ['v?', 'v1', true],
  ['v?', 'v', false],
  ['v?', 'v12', false],
  ['*-rc?', 'v1-rc-rc2', true],
  ['v1.2', 'v1x2', false],
  ['v[1]', 'v1', false],
  ['team/*', 'team/a/b', true],
  ['**', 'x', true],
] as const)('%s matches %s: %s', (glob, name, matches) => {
  expect(toMatcher(glob)(name)).toBe(matches)
})

it('takes a regular expression for the whole name', () => {
  expect(toMatcher(/v\d+|latest/)('latest')).toBe(true)
  expect(toMatcher(/v\d+|latest/)('xlatest')).toBe(false)
  const global = toMatcher(/a/g)
  expect([global('a'), global('a')]).toEqual([true, true])
})

it('never takes long over many stars', () => {
  expect(toMatcher(`${'*a'.repeat(200)}b`)('a'.repeat(128))).toBe(false)
})

it('lets through what is included and not excluded', () => {
  const names = ['v1', 'v2', 'v2-rc1', 'latest']
  expect(names.filter(toFilter({}))).toEqual(names)
  expect(names.filter(toFilter({ include: ['v*'], exclude: ['*-rc*'] }))).toEqual(['v1', 'v2'])
  expect(names.filter(toFilter({ exclude: [/v\d/] }))).toEqual(['v2-rc1', 'latest'])
  expect(() => toFilter({ include: [''] })).toThrow(expect.objectContaining({ code: 'usage' }))
  expect([isGlob('v1'), isGlob('v*')]).toEqual([false, true])
})
