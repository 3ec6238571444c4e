import { expect, it } from 'vitest'
import { createCredentialKey } from './credential-key.ts'
import { createVerified, type VerifiedOptions } from './verified.ts'

const setUp = (options: Partial<VerifiedOptions> = {}) => {
  const clock = { time: 1_000_000 }
  return { clock, verified: createVerified<string>({ now: () => clock.time, ...options }) }
}

it('what was right is right again, for that name, that password and that state alone', () => {
  const { verified } = setUp()
  verified.put('alice', 'wonder', 's1', 'Alice')
  expect(verified.get('alice', 'wonder', 's1')).toBe('Alice')
  expect(verified.get('alice', 'wonder', 's1')).toBe('Alice')
  expect(verified.get('alice', 'land', 's1')).toBeUndefined()
  expect(verified.get('bob', 'wonder', 's1')).toBeUndefined()
  expect(verified.get('alice', 'wonder', 's2')).toBeUndefined()
  // The state does not come back.
  expect(verified.get('alice', 'wonder', 's1')).toBeUndefined()
})

it('name and password cannot be cut in another place', () => {
  const { verified } = setUp()
  verified.put('alice', 'bc', 's', 'Alice')
  verified.put('bob', '1:\0x', 's', 'Bob')
  verified.put('carol', 'c\0d', 's', 'Carol')
  for (const [name, password] of [
    ['aliceb', 'c'],
    ['alice\0bc', ''],
    ['', 'alicebc'],
    ['carol\0c', 'd'],
    ['bob\x001:\0', 'x'],
    ['bob\x004:1:', 'x'],
  ] as const) {
    expect(verified.get(name, password, 's')).toBeUndefined()
  }
})

it('holds for a minute from the verdict, however often it is used', () => {
  const { clock, verified } = setUp()
  verified.put('alice', 'wonder', 's', 'Alice')
  for (let second = 0; second < 59; second += 1) {
    clock.time += 1000
    expect(verified.get('alice', 'wonder', 's')).toBe('Alice')
  }
  clock.time += 1000
  expect(verified.get('alice', 'wonder', 's')).toBeUndefined()
})

it('a clock that was set back ends it', () => {
  const { clock, verified } = setUp()
  verified.put('alice', 'wonder', 's', 'Alice')
  clock.time -= 1
  expect(verified.get('alice', 'wonder', 's')).toBeUndefined()
})

it('remembers so many, those used least recently go', () => {
  const { verified } = setUp({ limit: 2 })
  verified.put('a', 'p', 's', 'A')
  verified.put('b', 'p', 's', 'B')
  verified.get('a', 'p', 's')
  verified.put('c', 'p', 's', 'C')
  expect(['a', 'b', 'c'].map((name) => verified.get(name, 'p', 's'))).toEqual(['A', undefined, 'C'])
})

it('can be emptied', () => {
  const { verified } = setUp()
  verified.put('alice', 'wonder', 's', 'Alice')
  verified.clear()
  expect(verified.get('alice', 'wonder', 's')).toBeUndefined()
})

it('the key of credentials is short, of this process alone, and says nothing of them', () => {
  const [one, other] = [createCredentialKey(), createCredentialKey()]
  const key = one('alice', 'wonder'.repeat(1000))
  expect(key).toMatch(/^[A-Za-z0-9_-]{43}$/)
  expect(one('alice', 'wonder'.repeat(1000))).toBe(key)
  expect(other('alice', 'wonder'.repeat(1000))).not.toBe(key)
})
