import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { silentLogger } from '../logger.ts'
import type { AccountStore, IssuerRow, UserRow } from '../metadata/account-store.ts'
import { sqliteMetadata, type SqliteMetadata } from '../metadata/sqlite/sqlite-metadata.ts'
import { createDirectory, type Directory } from './directory.ts'

const user = (name: string): UserRow => ({
  id: `id-of-${name}`,
  name,
  administrator: false,
  groups: [],
  createdAt: 1,
  passwordChangedAt: 1,
})

describe('the directory', () => {
  let metadata: SqliteMetadata
  let store: AccountStore
  let directory: Directory
  let now: number
  let calls: string[]
  let changes: number

  beforeEach(async () => {
    metadata = await sqliteMetadata({ path: ':memory:' })
    calls = []
    now = 1_000_000
    changes = 0
    store = new Proxy(metadata.accounts, {
      get: (target, name) => {
        const method: unknown = Reflect.get(target, name)
        if (typeof method !== 'function') return method
        return (...args: unknown[]): unknown => {
          calls.push(String(name))
          return Reflect.apply(method, target, args)
        }
      },
    })
    directory = createDirectory({
      store,
      rules: [],
      issuers: [],
      now: () => now,
      logger: silentLogger,
      onChange: () => changes++,
    })
  })

  afterEach(() => metadata[Symbol.asyncDispose]())

  it('answers at once and without a query while it is fresh', async () => {
    await metadata.accounts.addUser(user('ada'), false)
    await directory.state()
    expect(await directory.user('ada')).toMatchObject({ name: 'ada' })
    expect(await directory.user('nobody')).toBeUndefined()
    calls = []
    expect(directory.state()).not.toBeInstanceOf(Promise)
    expect(directory.user('ada')).toMatchObject({ name: 'ada' })
    // What is not there costs as much as what is.
    expect(directory.user('nobody')).toBeUndefined()
    expect(calls).toEqual([])
  })

  it('looks at one number once a second, and reads again only when that has moved', async () => {
    await directory.state()
    await directory.user('ada')
    calls = []
    now += 1000
    await directory.state()
    expect(calls).toEqual(['accessVersion'])
    expect(directory.user('ada')).toBeUndefined()
    // Another process writes.
    await metadata.accounts.addUser(user('ada'), false)
    await metadata.accounts.addRule({
      subject: { kind: 'anonymous' },
      repositories: 'a',
      actions: ['pull'],
      createdAt: 1,
    })
    expect(directory.user('ada')).toBeUndefined()
    now += 1000
    const { rules } = await directory.state()
    expect(rules.anonymous).toHaveLength(1)
    expect(await directory.user('ada')).toMatchObject({ name: 'ada' })
    // The first look, and this one.
    expect(changes).toBe(2)
  })

  it('forgets at once what this process has changed, also what is on its way', async () => {
    await directory.state()
    const asked = directory.user('ada')
    await metadata.accounts.addUser(user('ada'), false)
    directory.forget()
    await asked
    expect(changes).toBe(2)
    expect(await directory.user('ada')).toMatchObject({ name: 'ada' })
    // Once more when it is read: what was concluded in between may be as old as what was forgotten.
    expect(changes).toBe(3)
  })

  it('asks nobody for what no user can be called, and keeps nothing of it', async () => {
    await directory.state()
    calls = []
    for (const name of ['', 'a b', 'anonymous', '-a', 'a'.repeat(129), 'ä', 'a/b', 'a\u0000']) {
      expect(directory.user(name)).toBeUndefined()
    }
    expect(calls).toEqual([])
  })

  it('asks the store for a refresh token each time', async () => {
    await metadata.accounts.addUser(user('ada'), false)
    const refresh = { id: 't', kind: 'refresh', userId: 'id-of-ada', user: 'ada', label: '', secretHash: '' } as const
    expect(await directory.refreshToken('t')).toBeUndefined()
    await metadata.accounts.addToken({ ...refresh, createdAt: 1, passwordChangedAt: 1 })
    expect(await directory.refreshToken('t')).toMatchObject(refresh)
  })

  it('ignores an issuer of the store that is called like one of the configuration, and says so once', async () => {
    const issuer = (id: string, name: string): IssuerRow => ({
      id,
      name,
      issuer: 'https://ci.example',
      audience: 'registry',
      conditions: { sub: 'x' },
      permissions: [],
      createdAt: 1,
    })
    const warned: object[] = []
    const logger = { ...silentLogger, warn: (facts: object) => void warned.push(facts) }
    const both = createDirectory({ store, rules: [], issuers: [issuer('a', 'ci')], now: () => now, logger })
    await metadata.accounts.addIssuer(issuer('b', 'ci'))
    await metadata.accounts.addIssuer(issuer('c', 'other'))
    for (let round = 0; round < 3; round += 1) {
      both.forget()
      expect((await both.state()).issuers.map(({ id }) => id)).toEqual(['a', 'c'])
    }
    expect(warned).toEqual([{ issuer: 'ci' }])
  })

  it('asks once for all that ask at the same time', async () => {
    await Promise.all(Array.from({ length: 50 }, async () => directory.state()))
    expect(calls).toEqual(['accessVersion', 'listRules', 'listIssuers'])
  })

  it('looks again when the clock was set back', async () => {
    await directory.state()
    calls = []
    now -= 3_600_000
    await directory.state()
    expect(calls).toEqual(['accessVersion'])
  })

  it('fails when the store does, and recovers', async () => {
    let broken = true
    const failing = new Proxy(metadata.accounts, {
      get: (target, name) =>
        name === 'accessVersion' && broken
          ? async () => Promise.reject(new Error('the store is away'))
          : Reflect.get(target, name),
    })
    const unsure = createDirectory({ store: failing, rules: [], issuers: [], now: () => now, logger: silentLogger })
    await expect(unsure.state()).rejects.toThrow('away')
    broken = false
    expect((await unsure.state()).version).toBeGreaterThan(0)
  })
})
