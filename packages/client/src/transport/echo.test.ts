import { expect, it, test } from 'vitest'
import { withoutEcho } from './echo.ts'

const password = 'hunter2 & more'
const basic = `Basic ${btoa(`me:${password}`)}`

test.each<[string, string, string]>([
  ['Bearer abc.def', 'what is "Bearer abc.def"?', 'what is "Bearer [redacted]"?'],
  ['Bearer abc.def', 'abc.def, abc.def', '[redacted], [redacted]'],
  [basic, basic, 'Basic [redacted]'],
  [basic, `me:${password}`, '[redacted]'],
  [basic, `wrong password ${password}`, 'wrong password [redacted]'],
  [basic, `password=${encodeURIComponent(password)}`, 'password=[redacted]'],
  ['whole', 'the whole of it', 'the [redacted] of it'],
  ['Basic %%%', 'as %%% is', 'as [redacted] is'],
])('of %s, %j becomes %j', (shown, said, passed) => {
  expect(withoutEcho([{ code: 'A', message: said }], shown)).toEqual([{ code: 'A', message: passed }])
  expect(withoutEcho([{ code: said, detail: { [said]: [said, 1, null] } }], shown)).toEqual([
    { code: passed, detail: { [passed]: [passed, 1, null] } },
  ])
})

it('has no control characters, at any depth, whatever was shown', () => {
  const said = 'a\u001b[2J\r\nb'
  const errors = [{ code: said, message: said, detail: [{ x: said }] }]
  const clean = 'a [2J b'
  expect(withoutEcho(errors, undefined)).toEqual([{ code: clean, message: clean, detail: [{ x: clean }] }])
})

it('leaves words that are in every other word', () => {
  expect(withoutEcho([{ code: 'A', message: 'all about tea' }], `Basic ${btoa('me:a')}`)).toEqual([
    { code: 'A', message: 'all about tea' },
  ])
})

it('has an end where what was said has hardly any', () => {
  const detail: unknown = JSON.parse('['.repeat(30_000) + ']'.repeat(30_000))
  expect(JSON.stringify(withoutEcho([{ code: 'A', detail }], 'Bearer x'))).toContain('…')
})
