import { expect, it } from 'vitest'
import { inBrowser, isBrowser, sendsStreams } from './fetch.ts'

it.each([
  ['a page', {}, true],
  ['a page with what bundlers put in place of process', { process: { versions: {} } }, true],
  ['a page with less than that', { process: {} }, true],
  ['Node or Bun', { process: { versions: { node: '24.15.0' } } }, false],
  ['a Deno that has no process', { Deno: {} }, false],
])('knows %s', (_, runtime, expected) => {
  expect(isBrowser(runtime)).toBe(expected)
})

it('is not in a browser here, and sends streams', () => {
  expect([inBrowser, sendsStreams]).toEqual([false, true])
})
