import fc from 'fast-check'
import { posix, win32 } from 'node:path'
import { expect, it } from 'vitest'
import { entryName, linkTarget } from './entry-name.ts'

it.each([
  ['index.json', 'index.json'],
  ['./index.json', 'index.json'],
  ['blobs/', 'blobs'],
  ['./', ''],
  ['blobs//sha256/./x', 'blobs/sha256/x'],
  ['...', '...'],
  ['a..b', 'a..b'],
])('%j is %j', (name, expected) => expect(entryName(name)).toBe(expected))

it.each([
  '/etc/passwd',
  '../x',
  'a/../../x',
  'a/..',
  '..',
  String.raw`a\b`,
  String.raw`..\x`,
  'c:/x',
  'C:x',
  './C:/x',
  './/C:x',
  'a\0b',
  'a\nb',
  '\u009b2J',
  'x'.repeat(513),
])('%j is refused', (name) => expect(entryName(name)).toBeUndefined())

it.each([
  ['a/layer.tar', '../b/layer.tar', 'b/layer.tar'],
  ['a/layer.tar', 'b.tar', 'a/b.tar'],
  ['layer.tar', './b.tar', 'b.tar'],
  ['layer.tar', '../b.tar', undefined],
  ['a/layer.tar', '../../b.tar', undefined],
  ['a/layer.tar', '/b.tar', undefined],
  ['a/layer.tar', String.raw`..\b.tar`, undefined],
  ['a/b/c', '../../../a/d', undefined],
])('a link at %j to %j leads to %j', (from, target, expected) => expect(linkTarget(from, target)).toBe(expected))

it('lets no name out, on whatever system', () => {
  const piece = fc.oneof(fc.constantFrom('..', '.', '', 'a', '/', '\\', 'C:', '...', '\0', 'blobs'), fc.string())
  fc.assert(
    fc.property(fc.array(piece), fc.constantFrom('/', '\\', ''), (pieces, separator) => {
      const name = entryName(pieces.join(separator))
      if (name === undefined) return
      expect(posix.join('/root', name).startsWith('/root')).toBe(true)
      expect(posix.relative('/root', posix.join('/root', name)).startsWith('../')).toBe(false)
      expect(win32.resolve('C:\\root', name).startsWith('C:\\root')).toBe(true)
      expect(entryName(name)).toBe(name)
    }),
  )
})
