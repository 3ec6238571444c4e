import { expect, test } from 'vitest'
import { type ListKind, listSchema } from './lists.ts'

const read = (kind: ListKind, given: unknown): unknown => {
  const result = listSchema(kind).safeParse(given)
  return result.success ? result.data : result.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`)
}

const issuer = {
  name: 'ci',
  issuer: 'https://ci.example',
  audience: 'registry.example',
  conditions: { repository: 'acme/*', protected: true },
  permissions: [{ repositories: 'acme/*', actions: 'push,pull' }],
}

test('rules', () => {
  const rule = { subject: 'authenticated', repositories: '*', actions: ['push', 'pull', 'pull'] }
  expect(read('rules', [rule])).toEqual([{ ...rule, actions: ['pull', 'push'] }])
  expect(read('rules', [])).toEqual([])
  expect(read('rules', rule)).toEqual([': must be a list of { subject, repositories, actions }'])
  expect(read('rules', ['x'])).toEqual(['0: must be an item with subject, repositories, actions, not "x"'])
  expect(read('rules', [{}])).toEqual([
    '0.subject: is missing: it must be user:NAME, group:NAME, authenticated or anonymous',
    '0.repositories: is missing: it must be a repository or a glob such as team/* or *',
    '0.actions: is missing: it must be one or more of pull, push, overwrite, delete, administer',
  ])
  for (const actions of [[], '', ['*'], 'pull,', [1]]) expect(read('rules', [{ ...rule, actions }])).toHaveLength(1)
})

test('issuers', () => {
  expect(read('issuers', [issuer])).toEqual([
    {
      ...issuer,
      conditions: { repository: 'acme/*', protected: 'true' },
      permissions: [{ repositories: 'acme/*', actions: ['pull', 'push'] }],
    },
  ])
  const keys = { ...issuer, jwksUri: 'http://127.0.0.1:1/keys?v=1', conditions: { sub: 'x' }, permissions: [] }
  expect(read('issuers', [keys])).toEqual(['0.permissions: must have at least one item'])
  expect(read('issuers', [{ ...issuer, jwksUri: 'http://ci.example/keys' }])).toEqual([
    '0.jwksUri: must be an https URL, not "http://ci.example/keys"',
  ])
  for (const conditions of [{}, { sub: '*' }, { iss: 'x' }, { sub: '' }, [], 'sub=x']) {
    expect(read('issuers', [{ ...issuer, conditions }])).toEqual([
      expect.stringMatching(/^0\.conditions: must be claims/),
    ])
  }
  for (const name of ['token', 'CI', '-', 'a_b']) expect(read('issuers', [{ ...issuer, name }])).toHaveLength(1)
  expect(read('issuers', [issuer, issuer])).toEqual([': has two issuers of one name'])
  expect(read('issuers', [{ ...issuer, claims: {} }])).toEqual([
    '0: has no key "claims"; there are name, issuer, audience, jwksUri, conditions, permissions',
  ])
  expect(read('issuers', [{ ...issuer, permissions: [{ repositories: '*', actions: 'pull', tag: 'x' }] }])).toEqual([
    '0.permissions.0: has no key "tag"; there are repositories, actions',
  ])
})

test('quotas are of repositories or of a user, and say which key is wrong', () => {
  expect(read('quotas', '[{"repositories":"team/*","bytes":"1GiB"},{"user":"*","bytes":5}]')).toEqual([
    { repositories: 'team/*', bytes: 2 ** 30 },
    { user: '*', bytes: 5 },
  ])
  expect(read('quotas', [{ user: 'ada', repositories: '*', bytes: 1 }])).toEqual([
    '0: has no key "repositories"; there are user, bytes',
  ])
  expect(read('quotas', [{ repositories: '*', bytes: 'much' }])).toEqual([
    '0.bytes: must be a size such as 512MiB or 10GiB, not "much"',
  ])
  expect(read('quotas', [7])).toEqual(['0: must be an item with repositories, bytes, not 7'])
})

test('words may be separated by commas, or be JSON', () => {
  expect(read('networks', '10.0.0.0/8, ::1')).toEqual(['10.0.0.0/8', '::1'])
  expect(read('networks', '["10.0.0.0/8"]')).toEqual(['10.0.0.0/8'])
  expect(read('networks', '10.0.0.0/8,proxy')).toEqual([
    '1: must be an address or a network such as 10.0.0.0/8, not "proxy"',
  ])
  expect(read('tags', '*:v*,team/app:stable')).toEqual(['*:v*', 'team/app:stable'])
  expect(read('rules', 'user:ada')).toEqual([': must be JSON, a list of { subject, repositories, actions }'])
})

test('a list without end is refused', () => {
  expect(
    read(
      'networks',
      Array.from({ length: 1001 }, () => '10.0.0.1'),
    ),
  ).toEqual([': has more than 1000 items'])
})
