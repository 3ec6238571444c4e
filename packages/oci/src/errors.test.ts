import fc from 'fast-check'
import { expect, test } from 'vitest'
import { errorCodes, isErrorCode, parseErrorBody } from './errors.ts'

test('there are the fourteen codes of the specification, each with a client error', () => {
  expect(Object.keys(errorCodes).toSorted()).toEqual([
    'BLOB_UNKNOWN',
    'BLOB_UPLOAD_INVALID',
    'BLOB_UPLOAD_UNKNOWN',
    'DENIED',
    'DIGEST_INVALID',
    'MANIFEST_BLOB_UNKNOWN',
    'MANIFEST_INVALID',
    'MANIFEST_UNKNOWN',
    'NAME_INVALID',
    'NAME_UNKNOWN',
    'SIZE_INVALID',
    'TOOMANYREQUESTS',
    'UNAUTHORIZED',
    'UNSUPPORTED',
  ])
  for (const { status, description } of Object.values(errorCodes)) {
    expect(status >= 400 && status < 500).toBe(true)
    expect(description).toMatch(/\.$/)
  }
  expect(isErrorCode('DENIED')).toBe(true)
  expect(isErrorCode('toString')).toBe(false)
})

test.each([
  [
    '{"errors":[{"code":"DENIED","message":"no","detail":{"a":1}}]}',
    [{ code: 'DENIED', message: 'no', detail: { a: 1 } }],
  ],
  ['{"errors":[{"code":"A"},{"code":"B"}]}', [{ code: 'A' }, { code: 'B' }]],
  ['{"errors":[{"code":"A","message":null,"detail":null}]}', [{ code: 'A' }]],
  ['{"errors":[{"message":"what"}]}', [{ code: 'UNKNOWN', message: 'what' }]],
  ['{"errors":["what"]}', [{ code: 'UNKNOWN', message: 'what' }]],
  ['{"errors":{"code":"A"}}', [{ code: 'A' }]],
  ['{"message":"what"}', [{ code: 'UNKNOWN', message: 'what' }]],
  ['{"error":"what"}', [{ code: 'UNKNOWN', message: 'what' }]],
  ['{"errors":[]}', []],
  ['{"errors":[5,null,{}]}', []],
  ['<html>502 Bad Gateway</html>', []],
  ['', []],
  ['null', []],
])('%s', (text, errors) => {
  expect(parseErrorBody(text)).toEqual(errors)
})

test('no body makes it throw', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.json(),
        fc.json().map((json) => `{"errors":${json}}`),
      ),
      (text) => {
        for (const error of parseErrorBody(text)) expect(typeof error.code).toBe('string')
      },
    ),
    { numRuns: 2000 },
  )
})
