import { expect, test } from 'vitest'
import { formatSize, parseSize } from './size.ts'

test.each([
  ['4096', 4096],
  ['4MiB', 4 * 1024 * 1024],
  ['4 mib', 4 * 1024 * 1024],
  ['10GB', 10_000_000_000],
  ['1.5KiB', 1536],
  ['12B', 12],
])('%s is %d bytes', (text, bytes) => {
  expect(parseSize(text)).toBe(bytes)
})

test.each(['', 'large', '-1', '4 mi', '0.3B', '99999999TiB', '1e9'])('%j is no size', (text) => {
  expect(parseSize(text)).toBeUndefined()
})

test.each([
  [0, '0'],
  [1000, '1000'],
  [1024, '1KiB'],
  [1536, '1536'],
  [4 * 1024 * 1024, '4MiB'],
  [2 ** 40, '1TiB'],
])('%d bytes are written %s, and read back', (bytes, text) => {
  expect(formatSize(bytes)).toBe(text)
  expect(parseSize(text)).toBe(bytes)
})
