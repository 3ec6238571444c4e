import { type Accounts, createRegistry } from '@stowage/registry'
import { expect, test } from 'vitest'
import { isPassword } from './kinds.ts'
import { type ListKind, listSchema } from './lists.ts'
import { isRepositoryGlob, isUserName, parseSubject } from './names.ts'

/** What settings may say is what the registry takes: a setting that is accepted must not stop the start later. */
const samples = [
  ['ada', 'A.b_c@d+e-f', '0', 'x'.repeat(128), 'x'.repeat(129), '', '-a', 'a/b', 'a:b', 'ä', 'ANONYMOUS', 'a b', 'a\n'],
  ['*', 'team/*', '*/app', 'a*b', 'team-*', '**', '/', 'Team/*', 'team/', '/*', '?', 'a__b', 'a___b', 'a..b', '*.*'],
  ['correct horse', '1234567', 'ääääääää', '\u{1f434}'.repeat(7), 'x'.repeat(1025), 'tab\tstop', 'null\0null'],
].flat()

const takes = async (work: (accounts: Accounts) => Promise<unknown>): Promise<boolean> => {
  await using registry = await createRegistry({ storage: ':memory:', accounts: {} })
  if (registry.accounts === undefined) throw new Error('there are no accounts')
  return work(registry.accounts).then(
    () => true,
    () => false,
  )
}

const same = async (fits: (text: string) => boolean, work: (accounts: Accounts, text: string) => Promise<unknown>) => {
  const taken = await Promise.all(samples.map(async (text) => takes(async (accounts) => work(accounts, text))))
  expect(samples.filter(fits)).toEqual(samples.filter((_, index) => taken[index]))
}

test('names of users', async () => same(isUserName, async (accounts, name) => accounts.addUser({ name })))

test('names of groups', async () =>
  same(
    (name) => parseSubject(`group:${name}`) !== undefined,
    async (accounts, name) =>
      accounts.addRule({ subject: { kind: 'group', name }, repositories: '*', actions: ['pull'] }),
  ))

test('globs of repositories', async () =>
  same(isRepositoryGlob, async (accounts, repositories) =>
    accounts.addRule({ subject: { kind: 'anonymous' }, repositories, actions: ['pull'] }),
  ))

test('passwords', async () =>
  same(isPassword, async (accounts, password) => accounts.addUser({ name: 'ada', password })))

const issuer = {
  name: 'ci',
  issuer: 'https://ci.example',
  audience: 'registry',
  conditions: { repository: 'acme/app' },
  permissions: [{ repositories: 'acme/*', actions: ['pull' as const] }],
}

test.each([
  {},
  { name: 'token' },
  { name: 'a-' },
  { name: 'x'.repeat(63) },
  { name: 'x'.repeat(64) },
  { issuer: 'http://ci.example' },
  { issuer: 'http://127.0.0.1:8000/x' },
  { issuer: 'https://ci.example/?x=1' },
  { issuer: 'https://me:secret@ci.example' },
  { issuer: 'https://ci.example/#x' },
  { audience: '' },
  { audience: ' ' },
  { audience: 'x'.repeat(513) },
  { jwksUri: 'https://ci.example/keys?v=1' },
  { jwksUri: 'ftp://ci.example/keys' },
  { conditions: {} },
  { conditions: { sub: '*' } },
  { conditions: { sub: '*', repository: 'a*' } },
  { conditions: { aud: 'x' } },
  { conditions: { sub: '' } },
  { permissions: [] },
  { permissions: [{ repositories: 'A', actions: ['pull' as const] }] },
])('an issuer with %j', async (change) => {
  const changed = { ...issuer, ...change }
  expect(listSchema('issuers' satisfies ListKind).safeParse([changed]).success).toBe(
    await takes(async (accounts) => accounts.addIssuer(changed)),
  )
})
