import { createTestRegistry } from '@stowage/testkit'
import { expect, it } from 'vitest'
import { memoryBlobs } from '../blobs/memory/memory-blobs.ts'
import type { TokenRow } from '../metadata/account-store.ts'
import type { MetadataStore } from '../metadata/metadata-store.ts'
import { sqliteMetadata } from '../metadata/sqlite/sqlite-metadata.ts'
import { basic, passwordOf, secret } from '../testing/with-accounts.ts'
import type { Accounts } from './accounts.ts'

interface Tokens {
  readonly token: string
  readonly refresh_token?: string
}

/** Two registries on one database, as two processes are: each knows what it has read within the last second. */
const open = async () => {
  const clock = { time: 1_800_000_000_000 }
  const metadata = await sqliteMetadata({ path: ':memory:' })
  /** Tokens that the other one finds although they are gone, as in a copy of the database that lags behind. */
  const late = new Map<string, TokenRow>()
  const { accounts: kept } = metadata
  const lagging = { ...kept, findToken: async (id: string) => late.get(id) ?? kept.findToken(id) }
  const lent = new Proxy<MetadataStore>(metadata, {
    get: (target, name) => {
      if (name === Symbol.asyncDispose) return async () => {}
      if (name === 'accounts') return lagging
      const value: unknown = Reflect.get(target, name)
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    },
  })
  const start = async (store: MetadataStore) => {
    const registry = await createTestRegistry({
      storage: { metadata: store, blobs: memoryBlobs() },
      accounts: { secret },
      now: () => clock.time,
    })
    const accounts = registry.registry.accounts as Accounts
    const post = (form: Record<string, string>): Promise<Response> =>
      fetch(`${registry.url}/auth/token`, {
        method: 'POST',
        body: new URLSearchParams({ service: 'stowage', ...form }),
      })
    return {
      accounts,
      logIn: async (name: string, password = passwordOf(name)): Promise<Tokens> => {
        const answer = await post({ grant_type: 'password', username: name, password, access_type: 'offline' })
        expect(answer.status).toBe(200)
        return (await answer.json()) as Tokens
      },
      refresh: async (token = ''): Promise<Response> => post({ grant_type: 'refresh_token', refresh_token: token }),
      ping: async (authorization: string): Promise<number> =>
        (await fetch(`${registry.url}/v2/`, { headers: { authorization } })).status,
      [Symbol.asyncDispose]: () => registry[Symbol.asyncDispose](),
    }
  }
  const one = await start(metadata)
  const other = await start(lent)
  await one.accounts.addUser({ name: 'ada', password: passwordOf('ada') })
  clock.time += 1000
  return {
    clock,
    one,
    other,
    metadata,
    late,
    [Symbol.asyncDispose]: async () => {
      await other[Symbol.asyncDispose]()
      await one[Symbol.asyncDispose]()
    },
  }
}

it('a process that has not heard of a new password gives no refresh token for the old one', async () => {
  await using both = await open()
  const { clock, one, other } = both
  const before = await other.logIn('ada')
  expect(before.refresh_token).toMatch(/^stwr_/)
  await one.accounts.setPassword('ada', 'battery staple')
  const late = await other.logIn('ada')
  expect(late.refresh_token).toBeUndefined()
  clock.time += 1000
  for (const token of [before.refresh_token, late.refresh_token]) {
    expect((await one.refresh(token)).status).not.toBe(200)
    expect((await other.refresh(token)).status).not.toBe(200)
  }
  expect(await other.ping(`Bearer ${late.token}`)).toBe(401)
})

it('a refresh token is good for the password it was got with, even where it is still found', async () => {
  await using both = await open()
  const { clock, one, other, metadata, late } = both
  const { refresh_token: token } = await other.logIn('ada')
  const [row] = await metadata.accounts.listTokens({ kind: 'refresh', limit: 1 })
  if (row === undefined) throw new Error('There is no refresh token.')
  await one.accounts.setPassword('ada', 'battery staple')
  clock.time += 1000
  expect((await other.refresh(token)).status).toBe(401)
  late.set(row.id, row)
  expect((await other.refresh(token)).status).toBe(401)
})

it('a process that has heard of revoked keys takes no token of theirs once more', async () => {
  await using both = await open()
  const { clock, one, other } = both
  const { token } = await one.logIn('ada')
  // The second one finds it verified.
  for (let round = 0; round < 2; round += 1) expect(await other.ping(`Bearer ${token}`)).toBe(200)
  await one.accounts.rotateKeys({ revoke: true })
  clock.time += 1000
  expect(await other.ping(`Bearer ${token}`)).toBe(401)
  expect(await one.ping(`Bearer ${token}`)).toBe(401)
})

it('nor when it was just about to read everything again', async () => {
  await using both = await open()
  const { one, other } = both
  const { token } = await one.logIn('ada')
  expect(await other.ping(`Bearer ${token}`)).toBe(200)
  // What it changes itself it forgets; meanwhile it reads the keys, and then the other one revokes them.
  await other.accounts.addRule({ subject: { kind: 'anonymous' }, repositories: 'a', actions: ['pull'] })
  await other.accounts.listKeys()
  await one.accounts.rotateKeys({ revoke: true })
  expect(await other.ping(`Bearer ${token}`)).toBe(401)
})

it('refresh tokens are listed apart, with their last use, and end alone', async () => {
  await using both = await open()
  const { clock, one, other } = both
  const { secret: personal } = await one.accounts.addToken({ user: 'ada', label: 'laptop' })
  const tokens = [await one.logIn('ada'), await one.logIn('ada', personal)]
  clock.time += 5000
  expect((await other.refresh(tokens[0]?.refresh_token)).status).toBe(200)
  expect(await one.accounts.listTokens()).toMatchObject([{ kind: 'personal', label: 'laptop' }])
  expect(await one.accounts.listTokens({ kind: 'refresh' })).toMatchObject([{ kind: 'refresh' }, { kind: 'refresh' }])
  const wrong = { kind: 'other' } as unknown as { kind: 'refresh' }
  await expect(one.accounts.listTokens(wrong)).rejects.toMatchObject({ code: 'invalid', field: 'kind' })
  for (const { id } of await one.accounts.listTokens({ kind: 'refresh' })) {
    expect(JSON.stringify(tokens)).toContain(id)
    await one.accounts.removeToken(id)
  }
  for (const { refresh_token: token } of tokens) {
    // At once elsewhere, too: they are never kept in memory.
    expect((await one.refresh(token)).status).toBe(401)
    expect((await other.refresh(token)).status).toBe(401)
  }
  expect(await one.ping(basic('ada', personal))).toBe(200)
})
