import { describe, expect, it, test } from 'vitest'
import { parseFileArgument } from './file-argument.ts'
import { leadsOut } from './link-target.ts'
import { partsOfTitle, safeParts, titleOfPath } from './title-path.ts'

describe('a title', () => {
  it.each([
    ['a.txt', ['a.txt']],
    ['a/b/c', ['a', 'b', 'c']],
    ['./a//b/', ['a', 'b']],
    ['.', []],
    ['..a/b..', ['..a', 'b..']],
    ['größe.txt', ['größe.txt']],
    ['.hidden', ['.hidden']],
    ['ab:c', ['ab:c']],
  ])('%j is a path below the directory', (title, parts) => {
    expect(safeParts(title, 'linux')).toEqual(parts)
  })

  it.each([
    '/etc/passwd',
    '..',
    '../a',
    'a/../../b',
    'a/..',
    'C:/a',
    './C:/a',
    'c:a',
    'a\\b',
    '..\\a',
    '\\\\server\\share',
    'a\0b',
    'a\nb',
    '\u009bx',
  ])('%j is refused', (title) => {
    expect(() => partsOfTitle(title)).toThrow(expect.objectContaining({ code: 'refused' }))
  })

  it('longer than any system takes is refused', () => {
    expect(safeParts('x'.repeat(255))).toBeDefined()
    expect(safeParts('x'.repeat(256))).toBeUndefined()
    expect(safeParts('x/'.repeat(3000))).toBeUndefined()
  })

  it.each(['ab:c', 'ab:$DATA', 'con', 'COM1.txt', 'a/nul', 'a.', 'a ', 'a?', 'a|b'])(
    '%j is refused on Windows',
    (title) => {
      expect(safeParts(title, 'win32')).toBeUndefined()
      expect(safeParts(title, 'linux')).toBeDefined()
    },
  )
})

test.each([
  ['a.txt', 'a.txt'],
  ['./sub/../sub/a.txt', 'sub/a.txt'],
  ['sub/', 'sub'],
  ['.', '.'],
  ['/work/here/a', 'a'],
  ['/elsewhere/b.txt', 'b.txt'],
  ['../c.txt', 'c.txt'],
  ['..d', '..d'],
])('the title of %s is %s', (path, title) => {
  expect(titleOfPath(path, '/work/here')).toBe(title)
})

test.each([
  ['a.txt', 'a.txt', undefined],
  ['a.txt:text/plain', 'a.txt', 'text/plain'],
  ['C:\\a.txt', 'C:\\a.txt', undefined],
  ['C:/a.txt', 'C:/a.txt', undefined],
  ['C:\\a.txt:text/plain', 'C:\\a.txt', 'text/plain'],
  ['a:b', 'a:b', undefined],
  ['a:', 'a:', undefined],
  [':text/plain', ':text/plain', undefined],
  ['-:text/plain', '-', 'text/plain'],
])('the argument %s is the file %s of %s', (text, path, mediaType) => {
  expect(parseFileArgument(text)).toEqual({ path, mediaType })
})

describe('a link', () => {
  it.each([
    ['b', 0],
    ['./b/c', 0],
    ['../b', 1],
    ['../../b', 2],
    ['../..', 2],
    ['..b', 0],
    ['.', 0],
  ])('to %s from depth %i stays inside', (target, depth) => {
    expect(leadsOut(target, depth)).toBe(false)
  })

  it.each([
    ['..', 0],
    ['../../b', 1],
    ['/b', 5],
    ['a/../b', 5],
    ['../a/..', 5],
    ['', 5],
    ['a\\b', 5],
    ['C:b', 5],
  ])('to %s from depth %i does not', (target, depth) => {
    expect(leadsOut(target, depth)).toBe(true)
  })
})
