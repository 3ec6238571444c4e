import { describe, expect, it, test } from 'vitest'
import { createDice } from '../testing/fuzzing.ts'
import { basicChallenge, challengeOf, type Reached, type Refused, scopeOf } from './challenge.ts'
import { clientOf } from './client.ts'
import type { Incoming } from './exchange.ts'

const login = { service: 'registry.test', tokens: { issue: async () => Promise.reject(new Error('not asked')) } }
const client = { address: '192.0.2.1', scheme: 'http', authority: 'registry.test:5000' } as const
const reached: Reached = { client, mount: '', publicUrl: '' }
const refused: Refused = { action: 'pull', repository: 'a/b', login: 'required' }

const incoming = (authority: string | undefined): Incoming => ({
  method: 'GET',
  target: '/v2/',
  mount: '',
  header: () => null,
  hasBody: false,
  body: () => {
    throw new Error('There is none.')
  },
  ownsBody: false,
  signal: () => new AbortController().signal,
  remoteAddress: '192.0.2.1',
  secure: false,
  authority,
})

/** How clients of the field read a challenge: one scheme, and values in quotes that nothing escapes. */
const read = (challenge: string): Record<string, string> => {
  expect(challenge).toMatch(/^(Basic|Bearer) ([a-z]+="[ !#-[\]-~]*")(,[a-z]+="[ !#-[\]-~]*")*$/)
  return Object.fromEntries([...challenge.matchAll(/([a-zA-Z]+)="(.+?)"/g)].map(([, name, value]) => [name, value]))
}

describe('the scope of a challenge', () => {
  test.each([
    ['ping', undefined, 'registry:api:ping'],
    ['list', undefined, 'registry:catalog:*'],
    ['pull', 'a/b', 'repository:a/b:pull'],
    ['push', 'a/b', 'repository:a/b:pull,push'],
    ['delete', 'a/b', 'repository:a/b:delete'],
    ['push', undefined, 'registry:api:ping'],
    [undefined, undefined, 'registry:api:ping'],
  ] as const)('of %s on %s is %s', (action, repository, scope) => {
    expect(scopeOf({ action, repository })).toBe(scope)
  })
})

describe('the challenge', () => {
  it('has realm, service and scope, all quoted', () => {
    expect(challengeOf(login, refused, reached)).toBe(
      'Bearer realm="http://registry.test:5000/auth/token",service="registry.test",scope="repository:a/b:pull"',
    )
  })

  test.each([
    ['required', undefined],
    ['invalid-credentials', undefined],
    [undefined, undefined],
    ['insufficient-scope', 'insufficient_scope'],
    ['invalid-token', 'invalid_token'],
  ] as const)('says of %s the error %s', (why, error) => {
    expect(read(challengeOf(login, { ...refused, login: why }, reached))['error']).toBe(error)
  })

  test.each<[string, Partial<Reached>, string]>([
    ['TLS', { client: { ...client, scheme: 'https', authority: 'registry.test' } }, 'https://registry.test/auth/token'],
    ['an IPv6 address', { client: { ...client, authority: '[::1]:5000' } }, 'http://[::1]:5000/auth/token'],
    ['a mount', { mount: '/registry/%6fne' }, 'http://registry.test:5000/registry/%6fne/auth/token'],
    ['`publicUrl`', { mount: '/x', publicUrl: 'https://r.example/y' }, 'https://r.example/y/auth/token'],
  ])('leads to the endpoint behind %s', (_, how, realm) => {
    expect(read(challengeOf(login, refused, { ...reached, ...how }))['realm']).toBe(realm)
  })

  it('leads to the token server elsewhere, whatever the client has called', () => {
    const elsewhere = { service: 'registry.test', realm: 'https://auth.example/token' }
    for (const how of [
      reached,
      { ...reached, publicUrl: 'https://r.example', client: { ...client, authority: undefined } },
    ]) {
      expect(read(challengeOf(elsewhere, refused, how))['realm']).toBe('https://auth.example/token')
    }
  })

  test.each([
    undefined,
    '',
    'evil"',
    'a b',
    'a,b',
    'a/b',
    'user@host',
    'host:',
    'host:x',
    ':80',
    '[::1',
    'a\\',
    'é.test',
    'a'.repeat(300),
  ])('is Basic where the host is %j', (authority) => {
    const seen = clientOf(incoming(authority), undefined)
    expect(challengeOf(login, refused, { ...reached, client: seen })).toBe('Basic realm="registry.test"')
  })

  it('is Basic under a mount that is no path', () => {
    for (const mount of ['/a"b', '/a b', '/<a>', '/é', '/a?b', '/a#b']) {
      expect(challengeOf(login, refused, { ...reached, mount })).toBe('Basic realm="registry.test"')
    }
  })

  it('keeps its quotes whatever the host is called', () => {
    const { pick, below } = createDice(7)
    const parts = [
      'registry',
      '.',
      ':',
      '5000',
      '"',
      '\\',
      ',',
      ' ',
      'scope="x"',
      '\r\n',
      '\u0000',
      'é',
      '[',
      ']',
      '::1',
      '@',
      '/',
      '%22',
    ]
    for (let round = 0; round < 5000; round++) {
      const authority = Array.from({ length: 1 + below(5) }, () => pick(parts)).join('')
      const challenge = challengeOf(login, refused, { ...reached, client: clientOf(incoming(authority), undefined) })
      expect([
        { realm: 'registry.test' },
        { realm: `http://${authority}/auth/token`, service: 'registry.test', scope: 'repository:a/b:pull' },
      ]).toContainEqual(read(challenge))
    }
  })

  it('escapes what its operator has put into the name of the service', () => {
    expect(basicChallenge('My "own"\r\n registry')).toBe(String.raw`Basic realm="My \"own\" registry"`)
  })
})
