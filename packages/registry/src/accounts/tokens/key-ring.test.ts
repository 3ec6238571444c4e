import { describe, expect, it } from 'vitest'
import { type Logger, silentLogger } from '../../logger.ts'
import type { AccountStore } from '../../metadata/account-store.ts'
import { counted, newSecret, setUpKeys as setUp, signs } from '../../testing/signing-keys.ts'
import { createKeyRing } from './key-ring.ts'

describe.each(['EdDSA', 'ES256'] as const)('a ring of %s keys', (algorithm) => {
  it('makes the first key when it is needed, and keeps it from start to start', async () => {
    const { store, ring } = await setUp(algorithm)
    const first = ring()
    await expect(first.list()).resolves.toEqual([])
    const key = await first.current()
    expect(key).toMatchObject({ algorithm, createdAt: 1_700_000_000_000 })
    expect(key.id).toMatch(/^[a-z0-9]{16}$/)
    expect(key.privateKey.extractable).toBe(false)
    const second = ring()
    await expect(second.current()).resolves.toMatchObject({ id: key.id })
    await expect(signs(key, await second.verifier(key.id))).resolves.toBe(true)
    const [row] = await store.listSigningKeys()
    expect(row?.publicKey).not.toContain('"d"')
    expect(JSON.parse(row?.publicKey ?? '')).toMatchObject({ alg: algorithm })
  })
})

it('rings that need a first key at once all sign with the same one', async () => {
  const { store, secret } = await setUp()
  const rings = Array.from({ length: 6 }, () =>
    createKeyRing({ store, secret, algorithm: 'EdDSA', now: () => 5, logger: silentLogger }),
  )
  const keys = await Promise.all(rings.flatMap((ring) => [ring.current(), ring.current()]))
  expect(new Set(keys.map(({ id }) => id)).size).toBe(1)
  await expect(store.listSigningKeys()).resolves.toHaveLength(1)
})

it('one ring that is asked many times at once makes one key', async () => {
  const { store, secret, clock } = await setUp()
  const { store: counting, counts } = counted(store)
  const ring = createKeyRing({
    store: counting,
    secret,
    algorithm: 'EdDSA',
    now: () => clock.at,
    logger: silentLogger,
  })
  await Promise.all(Array.from({ length: 50 }, () => ring.current()))
  expect(counts).toEqual({ lists: 2, adds: 1 })
  await ring.current()
  expect(counts.lists).toBe(2)
})

describe('another process', () => {
  it('that has made a key is believed without being told, at most once a second', async () => {
    const { store, secret, clock, ring } = await setUp()
    const { store: counting, counts } = counted(store)
    const here = createKeyRing({
      store: counting,
      secret,
      algorithm: 'EdDSA',
      now: () => clock.at,
      logger: silentLogger,
    })
    await here.current()
    const made = await ring().rotate({ revoke: false })
    counts.lists = 0
    await expect(here.verifier(made.id)).resolves.toBeUndefined()
    clock.at += 1000
    await expect(here.verifier(made.id)).resolves.toMatchObject({ id: made.id })
    expect(counts.lists).toBe(1)
    for (let times = 0; times < 100; times += 1) await here.verifier(`0123456789abcd${times + 10}`)
    expect(counts.lists).toBe(1)
  })

  it('that has revoked a key is believed after refresh', async () => {
    const { ring } = await setUp()
    const here = ring()
    const old = await here.current()
    await ring().rotate({ revoke: true })
    here.refresh()
    await expect(here.verifier(old.id)).resolves.toBeUndefined()
    expect((await here.current()).id).not.toBe(old.id)
  })

  it('asks the store for nothing that cannot be the id of a key', async () => {
    const { store, secret, clock } = await setUp()
    const { store: counting, counts } = counted(store)
    const keys = createKeyRing({
      store: counting,
      secret,
      algorithm: 'EdDSA',
      now: () => clock.at,
      logger: silentLogger,
    })
    const strange = [
      '',
      '../../etc/passwd',
      "' or 1=1 --",
      'A'.repeat(16),
      '0123456789abcde\n',
      '__proto__',
      'x'.repeat(9999),
    ]
    for (const kid of strange) await expect(keys.verifier(kid)).resolves.toBeUndefined()
    expect(counts.lists).toBe(0)
  })
})

describe('a secret that was lost', () => {
  it('ends the keys it sealed: they neither sign nor verify, and that is logged once', async () => {
    const { store, clock, ring } = await setUp()
    const old = await ring().current()
    const warnings: unknown[] = []
    const logger: Logger = { ...silentLogger, warn: (facts, message) => void warnings.push([facts, message]) }
    const secret = await newSecret()
    const keys = createKeyRing({ store, secret, algorithm: 'EdDSA', now: () => clock.at, logger })
    const made = await keys.current()
    expect(made.id).not.toBe(old.id)
    await expect(keys.verifier(old.id)).resolves.toBeUndefined()
    keys.refresh()
    await keys.list()
    expect(warnings).toEqual([[{ keys: [old.id] }, expect.stringContaining('does not open these signing keys')]])
    // Whoever still has the other secret goes on with their own key, instead of both making keys in turn.
    await expect(ring().current()).resolves.toMatchObject({ id: old.id })
  })

  it('a row that somebody without the secret put into the database is no key', async () => {
    const { store, secret, ring } = await setUp()
    const keys = ring()
    const own = await keys.current()
    const [row] = await store.listSigningKeys()
    if (row === undefined) throw new Error('no row')
    // The sealed part of another key; further down, an algorithm that is not its own.
    await store.addSigningKey({ ...row, id: 'intruder00000000', createdAt: row.createdAt + 1 }, row.id)
    keys.refresh()
    await expect(keys.verifier('intruder00000000')).resolves.toBeUndefined()
    await expect(keys.current()).resolves.toMatchObject({ id: own.id })
    const changed: AccountStore = {
      ...store,
      listSigningKeys: async () => [{ ...row, algorithm: 'ES256' }],
    }
    const strict = createKeyRing({ store: changed, secret, algorithm: 'EdDSA', now: () => 1, logger: silentLogger })
    await expect(strict.verifier(own.id)).resolves.toBeUndefined()
  })
})

it('a store that fails once is asked again', async () => {
  const { store, secret, clock } = await setUp()
  let broken = true
  const keys = createKeyRing({
    store: {
      ...store,
      listSigningKeys: () => (broken ? Promise.reject(new Error('the disk is away')) : store.listSigningKeys()),
    },
    secret,
    algorithm: 'EdDSA',
    now: () => clock.at,
    logger: silentLogger,
  })
  await expect(keys.current()).rejects.toThrow('the disk is away')
  broken = false
  await expect(keys.current()).resolves.toBeDefined()
})
