import { expect, test } from 'vitest'
import { formatDuration, parseDuration } from './duration.ts'

test.each([
  ['600', 600],
  ['30s', 30],
  ['10m', 600],
  ['1.5h', 5400],
  ['7d', 604_800],
  ['250ms', 0.25],
  ['0.1', 0.1],
  [' 5 m ', 300],
])('%s is %d seconds', (text, seconds) => {
  expect(parseDuration(text)).toBe(seconds)
})

test.each(['', 'soon', '-1', '10x', '1e3', 'Infinity', '10m30s', '0x10', '.5', 'NaN'])('%j is no duration', (text) => {
  expect(parseDuration(text)).toBeUndefined()
})

test.each([
  [0, '0s'],
  [0.25, '250ms'],
  [30, '30s'],
  [90, '90s'],
  [600, '10m'],
  [7200, '2h'],
  [86_400, '1d'],
])('%d seconds are written %s, and read back', (seconds, text) => {
  expect(formatDuration(seconds)).toBe(text)
  expect(parseDuration(text)).toBe(seconds)
})
