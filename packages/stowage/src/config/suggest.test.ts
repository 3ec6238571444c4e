import { expect, test } from 'vitest'
import { nearest } from './suggest.ts'

const known = ['address', 'data', 'publicUrl', 'metrics', 'uploads']

test.each([
  ['adress', 'address'],
  ['dtaa', 'data'],
  ['public_url', 'publicUrl'],
  ['publicURL', 'publicUrl'],
  ['Metric', 'metrics'],
])('%s was meant to be %s', (name, meant) => {
  expect(nearest(name, known)).toBe(meant)
})

test.each(['storage', 'x', ''])('nothing is near to %j', (name) => {
  expect(nearest(name, known)).toBeUndefined()
})
