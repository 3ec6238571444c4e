import { describe, expect, test } from 'vitest'
import { toFilter } from './filter.ts'

const names = ['v1.0', 'v1.1-rc1', 'v2.0', 'latest', 'v10']
const filtered = (include: readonly string[], exclude: readonly string[] = []): string[] =>
  names.filter(toFilter(include, exclude))

describe('toFilter', () => {
  test.each([
    [[], [], names],
    [['v1.*'], [], ['v1.0', 'v1.1-rc1']],
    [['v1.*'], ['*-rc?'], ['v1.0']],
    [['v?.0', 'latest'], [], ['v1.0', 'v2.0', 'latest']],
    [[String.raw`/v\d+/`], [], ['v10']],
    [[], ['/.*/'], []],
    [['v1'], [], []],
    [['a/**', '*/v1'], [], []],
  ])('%j without %j', (include, exclude, expected) => {
    expect(filtered(include, exclude)).toEqual(expected)
  })

  test('a wrong expression is told', () => {
    expect(() => toFilter(['/(/'], [])).toThrow('"/(/" is not a regular expression.')
  })
})
