import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  isRepositoryName,
  isTag,
  parseRepositoryName,
  parseTag,
  safeParseRepositoryName,
  safeParseTag,
} from './names.ts'
import { ParseError } from './result.ts'

// As the distribution specification prints them ("Pulling manifests").
const nameOracle = /^[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(\/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*$/
const tagOracle = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/

const from = (characters: string, maxLength: number): fc.Arbitrary<string> =>
  fc.string({ unit: fc.constantFrom(...Array.from(characters)), maxLength })

describe('a repository name', () => {
  test('is what the regular expression of the specification says', () => {
    fc.assert(
      fc.property(fc.oneof(from('a0._-/', 14), from('az09__--..//A:@ \n\0é', 20), fc.string()), (text) => {
        expect(isRepositoryName(text)).toBe(nameOracle.test(text))
        expect(safeParseRepositoryName(text).ok).toBe(nameOracle.test(text))
      }),
      { numRuns: 8000 },
    )
  })

  test('has at most 255 characters', () => {
    expect(isRepositoryName('a'.repeat(255))).toBe(true)
    expect(isRepositoryName('a'.repeat(256))).toBe(false)
    expect(() => parseRepositoryName('a'.repeat(256))).toThrow('has 256 characters: at most 255 are allowed')
  })

  test.each([
    'a',
    '0',
    'a.b',
    'a_b',
    'a__b',
    'a-b',
    'a----b',
    'a/b',
    'library/alpine',
    '0/1.2/3__4',
    'a-0/b',
    'localhost',
  ])('%s is one', (text) => expect(parseRepositoryName(text)).toBe(text))

  test.each([
    ['', 'is empty'],
    ['Foo', 'has "F" at position 0: letters must be lower case'],
    ['library/Alpine', 'has "A" at position 8: letters must be lower case'],
    ['/a', 'begins with "/"'],
    ['-a', 'begins with "-"'],
    ['a/', 'ends in "/"'],
    ['a__', 'ends in "_"'],
    ['a//b', 'has "/" after "/" at position 2'],
    ['a/../b', 'has "." after "/" at position 2'],
    ['a..b', 'has "." after "." at position 2'],
    ['a.-b', 'has "-" after "." at position 2'],
    ['a___b', 'has "_" after "_" at position 3'],
    ['a-_b', 'has "_" after "-" at position 2'],
    ['a b', 'has " " at position 1: allowed are'],
    ['a:b', 'has ":" at position 1: allowed are'],
    ['a\u0000b', String.raw`has "\u0000" at position 1`],
    ['a😀', 'has "😀" at position 1'],
    ['ａ', 'has "ａ" at position 0: allowed are'],
  ])('%j is none, and the message says what is wrong and where', (text, message) => {
    expect(isRepositoryName(text)).toBe(false)
    expect(() => parseRepositoryName(text)).toThrow(ParseError)
    expect(() => parseRepositoryName(text)).toThrow(message)
  })
})

describe('a tag', () => {
  test('is what the regular expression of the specification says', () => {
    fc.assert(
      fc.property(fc.oneof(from('aZ0._-', 6), from('aZ0._-/:@ \n\0é', 12), fc.string()), (text) => {
        expect(isTag(text)).toBe(tagOracle.test(text))
        expect(safeParseTag(text).ok).toBe(tagOracle.test(text))
      }),
      { numRuns: 4000 },
    )
  })

  test.each([
    ['', 'is empty'],
    ['.a', 'begins with "."'],
    ['-a', 'begins with "-"'],
    ['a b', 'has " " at position 1'],
    ['a/b', 'has "/" at position 1'],
    ['v1.0\n', String.raw`has "\n" at position 4`],
    ['a'.repeat(129), 'has 129 characters: at most 128 are allowed'],
  ])('%j is none, and the message says what is wrong and where', (text, message) => {
    expect(isTag(text)).toBe(false)
    expect(() => parseTag(text)).toThrow(ParseError)
    expect(() => parseTag(text)).toThrow(message)
  })

  test('has at most 128 characters', () => {
    expect(parseTag('_'.repeat(128))).toBe('_'.repeat(128))
  })
})

test('a name made to be walked twice is walked once', () => {
  // Regular expressions with nested repetition take exponential time here; a long one must simply be answered.
  const text = `${'a-'.repeat(120)}!`
  expect(isRepositoryName(text)).toBe(false)
  expect(safeParseRepositoryName('a'.repeat(5_000_000)).ok).toBe(false)
})
