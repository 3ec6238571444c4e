import { expect, test } from 'vitest'
import { redact, redactText } from './redact.ts'

test('values under telling names go, however deep', () => {
  const facts = {
    authorization: 'Bearer abc',
    headers: { Cookie: 'a=b', 'Proxy-Authorization': 'x', accept: 'y' },
    user: { name: 'ann', password: 'hunter2', accessToken: 't', clientSecret: 's', apiKey: 'k' },
    list: [{ refresh_token: 'r' }],
  }
  expect(redact(facts)).toEqual({
    authorization: '[redacted]',
    headers: { Cookie: '[redacted]', 'Proxy-Authorization': '[redacted]', accept: 'y' },
    user: {
      name: 'ann',
      password: '[redacted]',
      accessToken: '[redacted]',
      clientSecret: '[redacted]',
      apiKey: '[redacted]',
    },
    list: [{ refresh_token: '[redacted]' }],
  })
})

test.each([
  ['cannot reach https://ann:hunter2@registry.example/v2/', 'cannot reach https://[redacted]@registry.example/v2/'],
  ['sent Authorization: Bearer eyJhbGciOi.J9', 'sent Authorization: Bearer [redacted]'],
  ['Basic YW5uOmh1bnRlcjI=', 'Basic [redacted]'],
  ['basic authentication is not there', 'basic authentication is not there'],
  ['https://registry.example/a@b', 'https://registry.example/a@b'],
])('%s', (text, clean) => {
  expect(redactText(text)).toBe(clean)
})

test('errors keep what helps and lose what is secret', () => {
  const error = Object.assign(new Error('at postgres://u:pw@db/x', { cause: new Error('inner') }), {
    code: 'E',
    token: 't',
  })
  expect(redact({ err: error })).toMatchObject({
    err: {
      type: 'Error',
      message: 'at postgres://[redacted]@db/x',
      code: 'E',
      token: '[redacted]',
      cause: { message: 'inner' },
    },
  })
  expect(JSON.stringify(redact({ err: error }))).not.toContain('pw@')
})

test('a circle ends', () => {
  const facts: Record<string, unknown> = {}
  facts['self'] = facts
  expect(JSON.stringify(redact(facts))).toContain('[…]')
})
