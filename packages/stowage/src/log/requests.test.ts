import type { RequestSummary } from '@stowage/registry'
import { expect, test } from 'vitest'
import { logRequests } from './requests.ts'

const logged = (method: string, status: number, debug: boolean): { level: string; facts: object } => {
  let line = { level: 'nothing', facts: {} }
  const write = (level: string) => (facts: object) => void (line = { level, facts })
  const summary: RequestSummary = {
    method,
    route: '/v2/',
    repository: 'a',
    actor: 'anonymous',
    remoteAddress: '192.0.2.1',
    status,
    milliseconds: 1,
    error: undefined,
  }
  logRequests(
    { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') },
    debug,
  )(summary)
  return line
}

test.each([
  ['PUT', 201, 'info'],
  ['DELETE', 202, 'info'],
  ['POST', 201, 'info'],
  ['GET', 401, 'info'],
  ['GET', 403, 'info'],
  ['GET', 503, 'warn'],
  ['POST', 202, 'nothing'],
  ['PATCH', 202, 'nothing'],
  ['GET', 200, 'nothing'],
  ['HEAD', 404, 'nothing'],
])('%s answered %d: %s', (method, status, level) => {
  expect(logged(method, status, false).level).toBe(level)
  expect(logged(method, status, true).level).toBe(level === 'nothing' ? 'debug' : level)
})

test('where it came from is said of who is refused, and at debug', () => {
  for (const status of [401, 403, 429]) {
    expect(logged('GET', status, false).facts).toMatchObject({ actor: 'anonymous', remoteAddress: '192.0.2.1' })
  }
  expect(logged('GET', 200, true).facts).toHaveProperty('remoteAddress', '192.0.2.1')
  expect(logged('PUT', 201, false).facts).not.toHaveProperty('remoteAddress')
})
