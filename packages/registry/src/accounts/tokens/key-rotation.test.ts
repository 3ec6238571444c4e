import { describe, expect, it } from 'vitest'
import { silentLogger } from '../../logger.ts'
import type { AccountStore } from '../../metadata/account-store.ts'
import { newSecret, setUpKeys as setUp, signs } from '../../testing/signing-keys.ts'
import { createKeyRing } from './key-ring.ts'

describe('rotation', () => {
  it('signs with a new key and still verifies with the old one', async () => {
    const { ring } = await setUp()
    const keys = ring()
    const old = await keys.current()
    // Within the same millisecond.
    const made = await keys.rotate({ revoke: false })
    expect(made).toMatchObject({ current: true, algorithm: 'EdDSA' })
    await expect(keys.current()).resolves.toMatchObject({ id: made.id })
    await expect(signs(old, await keys.verifier(old.id))).resolves.toBe(true)
    const list = await keys.list()
    expect(list.map(({ id, current }) => [id, current])).toEqual([
      [made.id, true],
      [old.id, false],
    ])
    expect(Object.keys(list[0] ?? {}).toSorted()).toEqual(['algorithm', 'createdAt', 'current', 'id'])
  })

  it('with revoke the old keys are gone', async () => {
    const { store, ring } = await setUp()
    const keys = ring()
    const old = await keys.current()
    const between = await keys.rotate({ revoke: false })
    const made = await keys.rotate({ revoke: true })
    await expect(keys.verifier(old.id)).resolves.toBeUndefined()
    await expect(keys.verifier(between.id)).resolves.toBeUndefined()
    expect((await store.listSigningKeys()).map(({ id }) => id)).toEqual([made.id])
  })

  it('of two at once ends with keys that both know', async () => {
    const { ring, store } = await setUp()
    const [one, other] = [ring(), ring()]
    const old = await one.current()
    const made = await Promise.all([one.rotate({ revoke: true }), other.rotate({ revoke: true })])
    const left = (await store.listSigningKeys()).map(({ id }) => id)
    expect(left).not.toContain(old.id)
    expect(left.length).toBeGreaterThan(0)
    one.refresh()
    other.refresh()
    expect((await one.current()).id).toBe((await other.current()).id)
    expect(made.map(({ id }) => id)).toContain((await one.current()).id)
  })

  it('makes one key each time, however fast', async () => {
    const { ring } = await setUp()
    const keys = ring()
    const ids = [(await keys.current()).id]
    for (let times = 0; times < 8; times += 1) ids.unshift((await keys.rotate({ revoke: false })).id)
    expect((await keys.list()).map(({ id }) => id)).toEqual(ids)
  })

  it('is tried again when a process with another secret came first', async () => {
    const { store, secret, clock, ring } = await setUp()
    const options = { algorithm: 'EdDSA', now: () => clock.at, logger: silentLogger } as const
    const old = await ring().current()
    let foreign: string | undefined
    const overtaken: AccountStore = {
      ...store,
      addSigningKey: async (row, newest) => {
        if (foreign === undefined) {
          const other = createKeyRing({ ...options, store, secret: await newSecret() })
          foreign = (await other.rotate({ revoke: false })).id
        }
        return store.addSigningKey(row, newest)
      },
    }
    const keys = createKeyRing({ ...options, store: overtaken, secret })
    const made = await keys.rotate({ revoke: false })
    expect(made.id).not.toBe(foreign)
    expect((await keys.list()).map(({ id }) => id)).toEqual([made.id, foreign, old.id])
    await expect(keys.current()).resolves.toMatchObject({ id: made.id })
  })

  it('takes the algorithm that is set now', async () => {
    const { store, secret, clock, ring } = await setUp('EdDSA')
    const old = await ring().current()
    const keys = createKeyRing({ store, secret, algorithm: 'ES256', now: () => clock.at, logger: silentLogger })
    await expect(keys.current()).resolves.toMatchObject({ id: old.id, algorithm: 'EdDSA' })
    await expect(keys.rotate({ revoke: false })).resolves.toMatchObject({ algorithm: 'ES256' })
    await expect(keys.verifier(old.id)).resolves.toMatchObject({ algorithm: 'EdDSA' })
  })
})

describe('pruning', () => {
  it('removes a key when its last token has ended, which is a lifetime after the next key was made', async () => {
    const { clock, ring } = await setUp()
    const keys = ring()
    const first = await keys.current()
    clock.at += 30 * 24 * 3_600_000
    const second = await keys.rotate({ revoke: false })
    // It signed until a moment ago, however old it is.
    await expect(keys.prune()).resolves.toBe(0)
    clock.at += 3_600_000 + 60_000
    await expect(keys.prune()).resolves.toBe(0)
    await expect(keys.verifier(first.id)).resolves.toBeDefined()
    clock.at += 1
    await expect(keys.prune()).resolves.toBe(1)
    await expect(keys.verifier(first.id)).resolves.toBeUndefined()
    expect((await keys.list()).map(({ id }) => id)).toEqual([second.id])
  })

  it('never removes a key for one that another secret made', async () => {
    const { store, clock, ring } = await setUp()
    const keys = ring()
    const own = await keys.current()
    const secret = await newSecret()
    const stranger = createKeyRing({ store, secret, algorithm: 'EdDSA', now: () => clock.at, logger: silentLogger })
    clock.at += 1
    await stranger.rotate({ revoke: false })
    clock.at += 10 * 3_600_000
    await expect(keys.prune()).resolves.toBe(0)
    await expect(keys.current()).resolves.toMatchObject({ id: own.id })
  })

  it('never removes the key that signs', async () => {
    const { clock, ring } = await setUp()
    const keys = ring()
    const key = await keys.current()
    clock.at += 10 * 365 * 24 * 3_600_000
    await expect(keys.prune()).resolves.toBe(0)
    await expect(keys.current()).resolves.toMatchObject({ id: key.id })
  })
})
