import fc from 'fast-check'
import { expect, it, test } from 'vitest'
import { parseSecretJson } from './json-text.ts'

const failure = (text: string): Error & { cause?: unknown } => {
  try {
    parseSecretJson('f', text)
  } catch (error) {
    return error as Error
  }
  throw new Error('it is JSON')
}

test.each([
  ['hunter2', 'line 1, column 1'],
  ['{"password": hunter2}', 'line 1, column 14'],
  ['{\n  "password": "hunter2",\n  hunter2\n}', 'line 3, column 3'],
  ['{"password": "hunter2" "x": 1}', 'line 1, column 24'],
  ['{"password": "hunter2"', 'line 1, column 23'],
  ['{"password": "hunter2', 'line 1, column 22'],
  ['{"password": "hunter2"}}', 'line 1, column 24'],
  ['["hunter2",, 1]', 'line 1, column 12'],
  ['{"password": tru', 'line 1, column 17'],
  ['\ufeff{}', 'line 1, column 1'],
])('%j is not JSON at %s', (text, place) => {
  expect(failure(text)).toMatchObject({ code: 'invalid-content', message: `f is not JSON at ${place}.` })
  expect(failure(text).cause).toBeUndefined()
})

it('shows nothing of any text', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (before, after) => {
      const text = `${before}hunter2${after}`
      // A secret inside a string that is well-formed is JSON.
      fc.pre(!text.includes('"'))
      expect(failure(text).message).toMatch(/^f is not JSON at line [0-9]+, column [0-9]+\.$/)
    }),
  )
})
