import { describe, expect, it } from 'vitest'
import type { Issuer } from '../accounts.ts'
import { issuerProblems } from './issuer-problems.ts'

const good: Issuer = {
  name: 'github',
  issuer: 'https://token.actions.example',
  audience: 'registry.example',
  conditions: { repository_owner: 'team' },
  permissions: [{ repositories: 'team/*', actions: ['pull', 'push'] }],
}

const problems = (change: object): string[] => issuerProblems({ ...good, ...change }).map(({ field }) => field)

it.each([
  {},
  { name: 'a' },
  { name: '0-a' },
  { name: 'a'.repeat(63) },
  { issuer: 'https://idp.example/realms/main/' },
  { issuer: 'https://idp.example:8443' },
  { issuer: 'http://127.0.0.1:5556/dex' },
  { issuer: 'http://[::1]:5556' },
  { issuer: 'http://localhost:5556' },
  { jwksUri: 'https://idp.example/keys?version=1' },
  { conditions: { sub: 'repo:team/*' } },
  { conditions: { sub: '*', 'https://example.com/claim': 'x' } },
])('%j is good', (change) => expect(issuerProblems({ ...good, ...change })).toEqual([]))

describe('what is wrong is named', () => {
  it.each([undefined, '', 'GitHub', 'a b', '-a', 'a-', 'a:b', 'a'.repeat(64), 5, 'token', 'ä'])('name %j', (name) =>
    expect(problems({ name })).toEqual(['name']),
  )

  it.each([
    undefined,
    '',
    5,
    'token.actions.example',
    'http://token.actions.example',
    'http://127.0.0.1.example',
    'http://0.0.0.0',
    'http://localhost.example',
    'ftp://x.example',
    'file:///etc/passwd',
    'javascript:0',
    'https://user@x.example',
    'https://user:secret@x.example',
    'https://x.example/?a=b',
    'https://x.example/#a',
    'https://x.example/#',
    `https://x.example/${'a'.repeat(2000)}`,
  ])('issuer %j', (issuer) => {
    expect(problems({ issuer })).toEqual(['issuer'])
    expect(JSON.stringify(issuerProblems({ ...good, issuer: issuer as string }))).not.toContain('secret')
  })

  it.each(['', 5, null, 'keys.json', 'http://keys.example', 'https://user:pw@x.example'])('jwksUri %j', (jwksUri) =>
    expect(problems({ jwksUri })).toEqual(['jwksUri']),
  )

  it.each([undefined, '', ' ', 5, 'a\n', 'é', 'a'.repeat(513)])('audience %j', (audience) =>
    expect(problems({ audience })).toEqual(['audience']),
  )

  it.each([
    undefined,
    null,
    [],
    'sub=x',
    {},
    { sub: '*' },
    { sub: '*', repository: '**' },
    { sub: '' },
    { sub: 5 },
    { sub: null },
    { sub: ['x'] },
    { '': 'x' },
    { iss: 'https://token.actions.example' },
    { aud: 'x' },
    { sub: 'a\u0000' },
    { sub: 'a'.repeat(513) },
    Object.fromEntries(Array.from({ length: 21 }, (_, index) => [`claim${index}`, 'x'])),
  ])('conditions %j', (conditions) => expect(problems({ conditions })).toEqual(['conditions']))

  it.each([
    [undefined, 'permissions'],
    [[], 'permissions'],
    [[null], 'permissions[0].repositories'],
    [[{ repositories: 'Team/*', actions: ['pull'] }], 'permissions[0].repositories'],
    [[{ repositories: 'team/*', actions: ['pul'] }], 'permissions[0].actions'],
    [[{ repositories: 'team/*', actions: [] }], 'permissions[0].actions'],
  ])('permissions %j', (permissions, field) => expect(problems({ permissions })).toEqual([field]))

  it.each([undefined, null, 'x', 5, []])('an issuer that is %j', (issuer) =>
    expect(issuerProblems(issuer as unknown as Issuer).map(({ field }) => field)).toEqual([
      'name',
      'issuer',
      'audience',
      'conditions',
      'permissions',
    ]),
  )

  it('in sentences', () => {
    const all = issuerProblems({ name: '', issuer: 'x', jwksUri: 'y', audience: '', conditions: {}, permissions: [] })
    expect(all).toHaveLength(6)
    for (const { message } of all) expect(message).toMatch(/^[A-Z].*\.$/)
    expect(all.map(({ message }) => message)).toContain('The field `issuer` is a URL, as in https://issuer.example.')
  })
})
