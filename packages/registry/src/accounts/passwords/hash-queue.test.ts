import { argon2Sync } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { createPasswords, type Derivation } from './hash-queue.ts'
import { encodePhc, parsePhc } from './phc.ts'

/** Derives as Node does, and notes what it was asked. */
const recording = () => {
  const asked: Derivation[] = []
  const passwords = createPasswords({
    derive: async (parameters) => {
      asked.push(parameters)
      return argon2Sync('argon2id', parameters)
    },
  })
  return { asked, passwords }
}

it('a password fits its hash, and no other one', async () => {
  await using passwords = createPasswords()
  const phc = await passwords.hash('correct horse ✓')
  expect(phc).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/)
  expect(await passwords.verify(phc, 'correct horse ✓')).toBe(true)
  for (const wrong of ['correct horse', 'correct horse ✓ ', 'Correct horse ✓', '', phc]) {
    expect(await passwords.verify(phc, wrong)).toBe(false)
  }
})

it('the same password has another hash each time', async () => {
  await using passwords = createPasswords()
  expect(await passwords.hash('same')).not.toBe(await passwords.hash('same'))
})

it('a hash is compared by its own parameters', async () => {
  await using passwords = createPasswords()
  const parameters = { memory: 8192, passes: 3, parallelism: 2 }
  const salt = Buffer.alloc(20, 7)
  const tag = argon2Sync('argon2id', { message: 'older', nonce: salt, ...parameters, tagLength: 24 })
  const phc = encodePhc({ ...parameters, salt, tag })
  expect(await passwords.verify(phc, 'older')).toBe(true)
  expect(await passwords.verify(phc, 'newer')).toBe(false)
})

describe('equal work', () => {
  it('for a wrong password, an unknown name, a broken hash and a password that is too long', async () => {
    const { asked, passwords } = recording()
    const phc = await passwords.hash('right')
    const verdicts = []
    const costs = []
    for (const [hash, password] of [
      [phc, 'right'],
      [phc, 'wrong'],
      [undefined, 'wrong'],
      [undefined, ''],
      ['not a hash', 'wrong'],
      [phc.replace('m=19456', 'm=4294967295'), 'wrong'],
      [phc, 'x'.repeat(1025)],
      [undefined, '✓'.repeat(342)],
    ] as const) {
      const [before, calls] = [passwords.work, asked.length]
      verdicts.push(await passwords.verify(hash, password))
      costs.push([passwords.work - before, asked.length - calls])
    }
    expect(verdicts).toEqual([true, ...Array.from({ length: 7 }, () => false)])
    expect(costs).toEqual(Array.from({ length: 8 }, () => [1, 1]))
    const cost = asked.map(({ message, nonce, ...parameters }) => [Buffer.isBuffer(message), nonce.length, parameters])
    expect(new Set(cost.map((each) => JSON.stringify(each))).size).toBe(1)
  })

  it('a password that is too long is never hashed', async () => {
    const { asked, passwords } = recording()
    const phc = await passwords.hash('right')
    await passwords.verify(phc, 'x'.repeat(1025))
    await expect(passwords.hash('x'.repeat(1025))).rejects.toMatchObject({ code: 'invalid', field: 'password' })
    expect(asked.map(({ message }) => message.length)).toEqual([5, 8])
    const longest = await passwords.hash('x'.repeat(1024))
    expect(await passwords.verify(longest, 'x'.repeat(1024))).toBe(true)
  })

  it('what stands in for a password that is too long is no password', async () => {
    await using passwords = createPasswords()
    const phc = await passwords.hash('too long')
    expect(await passwords.verify(phc, 'x'.repeat(1025))).toBe(false)
  })

  it('the hash of nobody fits nothing', async () => {
    // Whatever is derived: what nobody has is not it.
    const passwords = createPasswords({ derive: async ({ tagLength }) => new Uint8Array(tagLength) })
    expect(await passwords.verify(undefined, 'x')).toBe(false)
    expect(parsePhc(await passwords.hash('x'))?.tag).toEqual(Buffer.alloc(32))
  })
})

it('so much is derived at once, so much waits, and the rest is refused before any work', async () => {
  const pending: PromiseWithResolvers<Uint8Array>[] = []
  const passwords = createPasswords({
    concurrency: 2,
    waiting: 3,
    derive: () => {
      const one = Promise.withResolvers<Uint8Array>()
      pending.push(one)
      return one.promise
    },
  })
  const asked = Array.from({ length: 10 }, () => passwords.verify(undefined, 'guess'))
  const settled = Promise.allSettled(asked)
  for (const rejected of asked.slice(5)) {
    await expect(rejected).rejects.toMatchObject({ fault: 'overloaded', hints: { retryAfter: 1 } })
  }
  expect([passwords.work, pending.length]).toEqual([2, 2])
  // Grows while it is gone through.
  for (const one of pending) {
    one.resolve(new Uint8Array(32))
    await new Promise((resolve) => void setImmediate(resolve))
  }
  expect((await settled).map(({ status }) => status)).toEqual([
    ...Array.from({ length: 5 }, () => 'fulfilled'),
    ...Array.from({ length: 5 }, () => 'rejected'),
  ])
  expect(passwords.work).toBe(5)
})
