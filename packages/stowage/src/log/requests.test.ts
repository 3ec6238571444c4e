import type { RequestSummary } from '@stowage/registry'
import { expect, test } from 'vitest'
import { logRequests } from './requests.ts'

const levelOf = (method: string, status: number, debug: boolean): string => {
  let level = 'nothing'
  const write = (name: string) => () => void (level = name)
  const summary: RequestSummary = {
    method,
    route: '/v2/',
    repository: 'a',
    actor: 'anonymous',
    status,
    milliseconds: 1,
    error: undefined,
  }
  logRequests(
    { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') },
    debug,
  )(summary)
  return level
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
  expect(levelOf(method, status, false)).toBe(level)
  expect(levelOf(method, status, true)).toBe(level === 'nothing' ? 'debug' : level)
})
