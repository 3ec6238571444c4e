import { argon2Sync } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { createCredentialCheck } from './credential-check.ts'
import { createGuard } from './guard.ts'
import { createPasswords } from './hash-queue.ts'
import { createVerified } from './verified.ts'

/** Alice and her password, behind everything. */
const setUp = async (options: { keeps?: () => boolean } = {}) => {
  const clock = { time: 1_800_000_000_000 }
  const now = (): number => clock.time
  const passwords = createPasswords({
    derive: async (parameters) => {
      await new Promise((resolve) => void setImmediate(resolve))
      return argon2Sync('argon2id', { ...parameters, memory: 64 })
    },
  })
  const users = new Map([['alice', await passwords.hash('wonder')]])
  const before = passwords.work
  const checks = createCredentialCheck<string>({
    guard: createGuard({ now }),
    verified: createVerified({ now }),
    ...options,
  })
  const check = (name: string, password: string, address = '192.0.2.1', stamp = 's'): Promise<string | undefined> =>
    checks.check({ name, password, address, stamp }, async () =>
      (await passwords.verify(users.get(name), password)) ? name : undefined,
    )
  return { clock, checks, check, work: () => passwords.work - before }
}

const tooMany = { fault: 'too-many-requests' }

it('a client that begins with a hundred requests is verified once, and never delayed', async () => {
  const { check, work } = await setUp()
  const asked = await Promise.all(Array.from({ length: 100 }, () => check('alice', 'wonder')))
  expect(new Set(asked)).toEqual(new Set(['alice']))
  expect(work()).toBe(1)
  for (let request = 0; request < 100; request += 1) expect(await check('alice', 'wonder')).toBe('alice')
  expect(work()).toBe(1)
})

it('a thousand guesses at once are five derivations', async () => {
  const { check, work } = await setUp()
  const asked = await Promise.allSettled(Array.from({ length: 1000 }, (_, index) => check('alice', `guess ${index}`)))
  expect(asked.filter(({ status }) => status === 'fulfilled').length).toBe(5)
  expect(asked.at(-1)).toMatchObject({ status: 'rejected', reason: tooMany })
  expect(work()).toBe(5)
})

it('the same wrong password at once is one guess', async () => {
  const { check, work } = await setUp()
  const asked = await Promise.all(Array.from({ length: 100 }, () => check('alice', 'land')))
  expect(new Set(asked)).toEqual(new Set([undefined]))
  expect(work()).toBe(1)
})

it('an unknown name and a wrong password do the same work, and are delayed alike', async () => {
  const run = async (name: string): Promise<unknown[]> => {
    const { check, work } = await setUp()
    const seen = []
    for (let guess = 0; guess < 7; guess += 1) {
      const [verdict] = await Promise.allSettled([check(name, `guess ${guess}`)])
      seen.push([work(), verdict.status === 'fulfilled' ? verdict.value : (verdict.reason as Error).message])
    }
    return seen
  }
  const seen = await run('alice')
  expect(await run('nobody')).toEqual(seen)
  expect(seen.map((each) => (each as unknown[])[0])).toEqual([1, 2, 3, 4, 5, 5, 5])
})

it('guesses at somebody who is active are not free: who is delayed learns nothing of the right one', async () => {
  const { check } = await setUp()
  await check('alice', 'wonder')
  for (let guess = 0; guess < 5; guess += 1) await check('alice', `guess ${guess}`, '198.51.100.1')
  await expect(check('alice', 'guess', '198.51.100.1')).rejects.toMatchObject(tooMany)
  await expect(check('alice', 'wonder', '198.51.100.1')).rejects.toMatchObject(tooMany)
  expect(await check('alice', 'wonder')).toBe('alice')
})

it('nor does who joins when the right password is under way elsewhere', async () => {
  const { check } = await setUp()
  for (let guess = 0; guess < 5; guess += 1) await check('alice', `guess ${guess}`, '198.51.100.1')
  const right = check('alice', 'wonder')
  await expect(check('alice', 'wonder', '198.51.100.1')).rejects.toMatchObject(tooMany)
  expect(await right).toBe('alice')
})

describe('what is remembered', () => {
  it('ends with the state that it came from, under way too', async () => {
    const { check, work } = await setUp()
    await Promise.all([check('alice', 'wonder', '192.0.2.1', 's1'), check('alice', 'wonder', '192.0.2.1', 's2')])
    expect(work()).toBe(2)
    await check('alice', 'wonder', '192.0.2.1', 's3')
    expect(work()).toBe(3)
    await check('alice', 'wonder', '192.0.2.1', 's3')
    expect(work()).toBe(3)
  })

  it('ends after a minute', async () => {
    const { clock, check, work } = await setUp()
    await check('alice', 'wonder')
    clock.time += 60_000
    await check('alice', 'wonder')
    expect(work()).toBe(2)
  })

  it('is nothing wrong', async () => {
    const { check, work } = await setUp()
    await check('alice', 'land')
    await check('alice', 'land')
    expect(work()).toBe(2)
  })

  it('is nothing that may not be', async () => {
    const { check, work } = await setUp({ keeps: () => false })
    await check('alice', 'wonder')
    await check('alice', 'wonder')
    expect(work()).toBe(2)
  })
})

it('what fails for another reason counts as no guess', async () => {
  const { checks, check } = await setUp()
  for (let round = 0; round < 20; round += 1) {
    const credentials = { name: 'alice', password: `guess ${round}`, address: '192.0.2.1', stamp: 's' }
    const broken = checks.check(credentials, () => Promise.reject(new Error('the database is away')))
    await expect(broken).rejects.toThrow('the database is away')
  }
  expect(await check('alice', 'land')).toBeUndefined()
})

describe('the logins of one network', () => {
  const open = () => {
    const guard = createGuard({ now: () => 1_800_000_000_000 })
    const checks = createCredentialCheck<string>({ guard, verified: createVerified({ now: Date.now }) })
    const begun: PromiseWithResolvers<string | undefined>[] = []
    const ask = (name: string, address: string, stamp = 's'): Promise<string | undefined> =>
      checks.check({ name, password: 'x', address, stamp }, () => {
        const verdict = Promise.withResolvers<string | undefined>()
        begun.push(verdict)
        return verdict.promise
      })
    const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve))
    return { guard, begun, ask, turn }
  }

  it('are six at once, thirty wait, and the next ones are told to come again', async () => {
    const { guard, begun, ask, turn } = open()
    const all = Array.from({ length: 100 }, (_, index) => ask(`user${index}`, '192.0.2.1'))
    const outcome = Promise.allSettled(all)
    await turn()
    expect(begun.length).toBe(6)
    // Others do not wait for them.
    void ask('alice', '198.51.100.1')
    await turn()
    expect(begun.length).toBe(7)
    for (let index = 0; index < begun.length; index += 1) {
      begun[index]?.resolve('somebody')
      await turn()
    }
    expect(begun.length).toBe(37)
    const settled = await outcome
    expect(settled.filter(({ status }) => status === 'fulfilled').length).toBe(36)
    expect(settled.at(-1)).toMatchObject({ reason: { fault: 'too-many-requests', hints: { retryAfter: 1 } } })
    // What was right is given back, what was refused is not: 36 are left of a hundred.
    for (let left = 0; left < 36; left += 1) guard.failedWithoutName('192.0.2.1')
    expect(() => guard.failedWithoutName('192.0.2.1')).toThrow('Try again')
  })

  it('do not hold up who has logged in there before', async () => {
    const { begun, ask, turn } = open()
    const right = ask('alice', '192.0.2.1')
    await turn()
    begun[0]?.resolve('alice')
    expect(await right).toBe('alice')
    void Promise.allSettled(Array.from({ length: 50 }, (_, index) => ask(`user${index}`, '192.0.2.1')))
    await turn()
    expect(begun.length).toBe(7)
    // Another stamp than before: it is verified again.
    const again = ask('alice', '192.0.2.1', 'another')
    await turn()
    expect(begun.length).toBe(8)
    begun[7]?.resolve('alice')
    expect(await again).toBe('alice')
  })
})
