import { expect, it } from 'vitest'
import { ClientError, isClientError, isNotFound, withFacts } from './errors.ts'

it('an error is known by its name and code, also that of another copy of this package', () => {
  const error = new ClientError('not-found', 'no such thing')
  const foreign = Object.assign(new Error('no such thing'), { name: 'ClientError', code: 'not-found' })
  for (const each of [error, foreign]) {
    expect([isClientError(each), isClientError(each, 'not-found'), isNotFound(each)]).toEqual([true, true, true])
    expect(isClientError(each, 'denied')).toBe(false)
  }
  for (const other of [
    new Error('a'),
    Object.assign(new Error('a'), { code: 'not-found' }),
    'not-found',
    null,
    undefined,
  ]) {
    expect(isClientError(other)).toBe(false)
  }
})

it('gets further facts, and keeps its own', () => {
  const cause = new Error('why')
  const error = new ClientError('denied', 'no', { status: 403, subject: 'a', errors: [{ code: 'DENIED' }], cause })
  const richer = withFacts(error, { subject: 'b', hint: 'ask', side: 'target', status: 500 })
  expect(richer).toMatchObject({
    name: 'ClientError',
    code: 'denied',
    message: 'no',
    subject: 'a',
    status: 403,
    hint: 'ask',
    side: 'target',
    errors: [{ code: 'DENIED' }],
    cause,
  })
  expect(richer.stack).toBe(error.stack)
  expect(withFacts(new ClientError('denied', 'no'), { errors: [{ code: 'X' }] }).errors).toEqual([{ code: 'X' }])
  expect(new ClientError('denied', 'no').errors).toEqual([])
  expect('cause' in new ClientError('denied', 'no')).toBe(false)
})
