import { describe, expect, it } from 'vitest'
import { RegistryError } from '../../errors.ts'
import { type Attempt, createGuard, type GuardOptions, guardNumbers } from './guard.ts'

const minute = 60_000

const setUp = (options: Partial<GuardOptions> = {}) => {
  const clock = { time: 1_800_000_000_000 }
  const guard = createGuard({ now: () => clock.time, ...options })
  /** Seconds of delay; or 0, and the attempt has begun. */
  const begin = (name: string, address: string): Attempt | number => {
    try {
      return guard.begin(name, address)
    } catch (error) {
      expect(error).toBeInstanceOf(RegistryError)
      const { fault, hints } = error as RegistryError
      expect(fault).toBe('too-many-requests')
      expect(hints.retryAfter).toBeGreaterThan(0)
      return hints.retryAfter ?? 0
    }
  }
  const fail = (name: string, address: string): number => {
    const attempt = begin(name, address)
    if (typeof attempt === 'number') return attempt
    attempt.failed()
    return 0
  }
  const succeed = (name: string, address: string): number => {
    const attempt = begin(name, address)
    if (typeof attempt === 'number') return attempt
    attempt.succeeded()
    return 0
  }
  /** Whether one could begin; it does not count. */
  const delay = (name: string, address: string): number => {
    const attempt = begin(name, address)
    if (typeof attempt === 'number') return attempt
    attempt[Symbol.dispose]()
    return 0
  }
  /** Guesses that get through when each is made as early as it can be. */
  const guess = (milliseconds: number, one: () => number): number => {
    const end = clock.time + milliseconds
    let through = 0
    while (clock.time < end) {
      const wait = one()
      if (wait === 0) through += 1
      clock.time += wait * 1000
    }
    return through
  }
  return { clock, guard, begin, fail, succeed, delay, guess }
}

const elsewhere = (index: number): string => `10.${index >> 8}.${index & 255}.1`

describe('one name from one network', () => {
  it('five failures are free, then each doubles the delay, up to a minute', () => {
    const { clock, fail, delay } = setUp()
    const delays = []
    for (let failure = 0; failure < 14; failure += 1) {
      expect(fail('alice', '192.0.2.1')).toBe(0)
      delays.push(delay('alice', '192.0.2.1'))
      clock.time += (delays.at(-1) ?? 0) * 1000
    }
    expect(delays).toEqual([0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60, 60])
  })

  it('a delay ends when it was said to, however often one knocks', () => {
    const { clock, fail } = setUp()
    for (let failures = 0; failures < 7;) {
      const wait = fail('alice', '192.0.2.1')
      if (wait === 0) failures += 1
      clock.time += wait * 1000
    }
    const left = []
    for (let knock = 0; knock < 9; knock += 1) {
      left.push(fail('alice', '192.0.2.1'))
      clock.time += 500
    }
    expect(left).toEqual([4, 4, 3, 3, 2, 2, 1, 1, 0])
  })

  it('is the whole network, and not the next one, and not the next name', () => {
    const { fail, delay } = setUp()
    for (let failure = 0; failure < 5; failure += 1) fail('alice', `192.0.2.${failure}`)
    expect(delay('alice', '192.0.2.200')).toBe(1)
    expect(delay('alice', '::ffff:192.0.2.201')).toBe(1)
    expect(delay('alice', '192.0.3.1')).toBe(0)
    expect(delay('bob', '192.0.2.1')).toBe(0)
  })

  it('a success makes nothing free: it may be that of somebody else there', () => {
    const { fail, succeed, delay } = setUp()
    for (let failure = 0; failure < 4; failure += 1) fail('alice', '192.0.2.1')
    expect(succeed('alice', '192.0.2.2')).toBe(0)
    fail('alice', '192.0.2.1')
    expect(delay('alice', '192.0.2.1')).toBe(1)
  })

  it('failures are forgotten after a quarter of an hour', () => {
    const { clock, fail, delay } = setUp()
    for (let failure = 0; failure < 5; failure += 1) fail('alice', '192.0.2.1')
    clock.time += guardNumbers.pair.forgetAfter - 1
    expect(fail('alice', '192.0.2.1')).toBe(0)
    expect(delay('alice', '192.0.2.1')).toBe(2)
    clock.time += guardNumbers.pair.forgetAfter
    expect(fail('alice', '192.0.2.1')).toBe(0)
    expect(delay('alice', '192.0.2.1')).toBe(0)
  })

  it('a day of guessing is about one guess a minute', () => {
    const { fail, guess } = setUp()
    expect(guess(24 * 60 * minute, () => fail('alice', '192.0.2.1'))).toBeLessThan(24 * 60 + 20)
  })

  it('a clock that was set back delays nobody', () => {
    const { clock, fail, delay } = setUp()
    for (let failure = 0; failure < 5; failure += 1) fail('alice', '192.0.2.1')
    clock.time -= 24 * 60 * minute
    expect(delay('alice', '192.0.2.1')).toBe(0)
  })
})

describe('attempts under way', () => {
  it('of a thousand at once five get in', () => {
    const { begin, delay } = setUp()
    const begun = Array.from({ length: 1000 }, () => begin('alice', '192.0.2.1')).filter(
      (attempt) => typeof attempt !== 'number',
    )
    expect(begun.length).toBe(5)
    for (const attempt of begun) attempt.failed()
    expect(delay('alice', '192.0.2.1')).toBe(1)
  })

  it('of a thousand at once after a delay one gets in', () => {
    const { clock, begin, fail } = setUp()
    for (let failure = 0; failure < 7; failure += 1) clock.time += fail('alice', '192.0.2.1') * 1000
    clock.time += minute
    const begun = Array.from({ length: 1000 }, () => begin('alice', '192.0.2.1'))
    expect(begun.filter((attempt) => typeof attempt !== 'number').length).toBe(1)
    expect(begun[1]).toBe(1)
  })

  it('of a thousand at once from a thousand networks ten get in', () => {
    const { begin } = setUp()
    const begun = Array.from({ length: 1000 }, (_, index) => begin('alice', elsewhere(index)))
    expect(begun.filter((attempt) => typeof attempt !== 'number').length).toBe(10)
  })

  it('one of which nothing came is given back', () => {
    const { begin, delay } = setUp()
    for (let round = 0; round < 1000; round += 1) expect(delay('alice', '192.0.2.1')).toBe(0)
    for (let round = 0; round < 5; round += 1) expect(begin('alice', '192.0.2.1')).not.toBeTypeOf('number')
    expect(begin('alice', '192.0.2.1')).toBe(1)
  })

  it('only its first verdict counts', () => {
    const { begin, fail, delay } = setUp()
    const attempt = begin('alice', '192.0.2.1') as Attempt
    attempt.failed()
    attempt.failed()
    attempt.succeeded()
    attempt[Symbol.dispose]()
    for (let failure = 0; failure < 3; failure += 1) fail('alice', '192.0.2.1')
    expect(delay('alice', '192.0.2.1')).toBe(0)
    fail('alice', '192.0.2.1')
    expect(delay('alice', '192.0.2.1')).toBe(1)
  })
})

describe('one name from everywhere', () => {
  it('ten guesses a minute in the long run', () => {
    const { fail, guess } = setUp()
    let index = 0
    const through = guess(60 * minute, () => fail('alice', elsewhere((index += 1))))
    expect(through).toBeLessThanOrEqual(10 + 600)
    expect(through).toBeGreaterThan(600)
  })

  it('a network where the name has logged in is not delayed by it', () => {
    const { clock, fail, succeed, delay } = setUp()
    expect(succeed('alice', '192.0.2.1')).toBe(0)
    for (let index = 0; index < 1000; index += 1) fail('alice', elsewhere(index))
    expect(delay('alice', '198.51.100.1')).toBe(6)
    expect(delay('alice', '192.0.2.99')).toBe(0)
    // For a month, by its own failures alone.
    clock.time += guardNumbers.knownFor - 1
    for (let index = 0; index < 1000; index += 1) fail('alice', elsewhere(index))
    expect(delay('alice', '192.0.2.1')).toBe(0)
    for (let failure = 0; failure < 5; failure += 1) fail('alice', '192.0.2.1')
    expect(delay('alice', '192.0.2.1')).toBe(1)
  })

  it('after a month it is as any other', () => {
    const { clock, fail, succeed, delay } = setUp()
    succeed('alice', '192.0.2.1')
    clock.time += guardNumbers.knownFor
    for (let index = 0; index < 1000; index += 1) fail('alice', elsewhere(index))
    expect(delay('alice', '192.0.2.1')).toBe(6)
  })

  it('is nothing to other names', () => {
    const { fail, delay } = setUp()
    for (let index = 0; index < 1000; index += 1) fail('alice', elsewhere(index))
    expect(delay('bob', '198.51.100.1')).toBe(0)
  })

  it('what was right costs nothing', () => {
    const { succeed } = setUp()
    for (let index = 0; index < 1000; index += 1) expect(succeed('alice', elsewhere(index))).toBe(0)
  })
})

describe('all names from one network', () => {
  it('a hundred guesses a minute in the long run', () => {
    const { fail, guess } = setUp()
    let index = 0
    const through = guess(60 * minute, () => fail(`user${(index += 1)}`, '192.0.2.1'))
    expect(through).toBeLessThanOrEqual(100 + 6000)
    expect(through).toBeGreaterThan(3000)
  })

  it('delays nobody who has logged in there before', () => {
    const { fail, succeed, delay } = setUp()
    succeed('alice', '192.0.2.1')
    for (let index = 0; index < 1000; index += 1) fail(`user${index}`, '192.0.2.2')
    expect(delay('bob', '192.0.2.1')).toBe(1)
    expect(delay('alice', '192.0.2.1')).toBe(0)
  })

  it('a network that has to wait takes nothing from the name', () => {
    const { fail, delay } = setUp()
    for (let index = 0; index < 100; index += 1) fail(`user${index}`, '192.0.2.2')
    for (let index = 0; index < 100; index += 1) expect(fail('alice', '192.0.2.2')).toBe(1)
    expect(delay('alice', '198.51.100.1')).toBe(0)
  })

  it('connections without an address are one network', () => {
    const { guard } = setUp()
    for (let failure = 0; failure < 5; failure += 1) guard.begin('alice', undefined).failed()
    expect(() => guard.begin('alice', 'somewhere')).toThrow('Try again in 1 s')
  })
})

it('failures, however many, do not make it forget where names have logged in', () => {
  const { fail, succeed, delay } = setUp({ limit: 20 })
  succeed('alice', '192.0.2.1')
  for (let index = 0; index < 1000; index += 1) fail(`user${index}`, elsewhere(index))
  for (let index = 0; index < 20; index += 1) fail('alice', elsewhere(2000 + index))
  expect(delay('alice', '198.51.100.1')).toBeGreaterThan(0)
  expect(delay('alice', '192.0.2.1')).toBe(0)
})

it('names that are refused, however many, make it forget nobody', () => {
  const { fail, delay } = setUp({ limit: 300 })
  for (let failure = 0; failure < 5; failure += 1) fail('alice', '192.0.2.1')
  for (let index = 0; index < 10; index += 1) fail('bob', elsewhere(index))
  for (let index = 0; index < 100; index += 1) fail(`user${index}`, '198.51.100.1')
  for (let index = 0; index < 1000; index += 1) expect(fail(`made up ${index}`, '198.51.100.1')).toBe(1)
  expect(delay('alice', '192.0.2.1')).toBe(1)
  expect(delay('bob', '203.0.113.1')).toBe(6)
})

it('what the queue refuses is asked by the network, and not by the name', () => {
  const { guard, begin, delay } = setUp()
  for (let index = 0; index < 100; index += 1) guard.begin('alice', '192.0.2.1').refused()
  expect(begin('bob', '192.0.2.2')).toBe(1)
  expect(delay('alice', '198.51.100.1')).toBe(0)
})

it('failures that name nobody are those of their network', () => {
  const { guard, delay } = setUp()
  for (let index = 0; index < 100; index += 1) guard.failedWithoutName('192.0.2.1')
  expect(() => guard.failedWithoutName('192.0.2.9')).toThrow('Try again in 1 s')
  expect(delay('alice', '192.0.2.1')).toBe(1)
  expect(delay('alice', '192.0.3.1')).toBe(0)
})

it('a verdict that comes after the pair was forgotten still counts', () => {
  const { guard, fail, delay } = setUp({ limit: 2 })
  const attempts = Array.from({ length: 5 }, () => guard.begin('alice', '192.0.2.1'))
  for (let index = 0; index < 10; index += 1) fail(`user${index}`, elsewhere(index))
  for (const attempt of attempts) attempt.failed()
  expect(delay('alice', '192.0.2.1')).toBe(1)
})

it('says when to come again, and nothing of the name', () => {
  const { guard } = setUp()
  for (let failure = 0; failure < 5; failure += 1) guard.begin('alice', '192.0.2.1').failed()
  expect(() => guard.begin('alice', '192.0.2.1')).toThrow(
    'Too many logins have failed. Try again in 1 s. Personal tokens are not delayed.',
  )
})
