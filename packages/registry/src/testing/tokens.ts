import { expect } from 'vitest'
import type { Answer, GuardedRegistry, Sent } from './guarded-registry.ts'

export const exchange = {
  grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
  subject_token: 'good',
  subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
}

export const post = async (
  { send }: GuardedRegistry,
  form: string | Readonly<Record<string, string>>,
  headers: Sent['headers'] = {},
): Promise<Answer> =>
  send('POST', '/auth/token', {
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
    body: typeof form === 'string' ? form : new URLSearchParams(form).toString(),
  })

export const json = (answer: Answer): Record<string, unknown> => JSON.parse(answer.text) as Record<string, unknown>

/** Whether it is an error both for clients of registries and for those of OAuth. */
export const expectRefusal = (answer: Answer, status: number, error: string, message: RegExp): void => {
  expect([answer.status, json(answer)]).toMatchObject([
    status,
    {
      errors: [{ message: expect.stringMatching(message) as string }],
      error,
      error_description: expect.stringMatching(message) as string,
    },
  ])
  expect(answer.headers['cache-control']).toBe('no-store')
  expect(answer.text).not.toMatch(/secret|hunter2/)
}
