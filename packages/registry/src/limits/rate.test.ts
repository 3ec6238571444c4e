import { expect, it } from 'vitest'
import { createRate, type RateOptions } from './rate.ts'

const setUp = (options: Partial<RateOptions> = {}) => {
  const clock = { time: 1_000_000 }
  const rate = createRate({ rate: 2, burst: 3, now: () => clock.time, ...options })
  return { clock, rate }
}

it('a full bucket allows its burst, then says how long to wait', () => {
  const { clock, rate } = setUp({ rate: 0.25 })
  expect([1, 2, 3, 4].map(() => rate.take('a'))).toEqual([0, 0, 0, 4])
  clock.time += 1500
  // Asking costs nothing: the wait does not grow.
  expect([rate.take('a'), rate.take('a')]).toEqual([3, 3])
  clock.time += 2500
  expect([rate.take('a'), rate.take('a')]).toEqual([0, 4])
})

it('keys do not share', () => {
  const { rate } = setUp({ burst: 1 })
  expect([rate.take('a'), rate.take('b'), rate.take('a')]).toEqual([0, 0, 1])
})

it.each([3, 7, 10 / 60, 0.1, 1 / 49])('who waits as long as was said gets through, at %d a second', (perSecond) => {
  const { clock, rate } = setUp({ rate: perSecond, burst: 1 })
  for (let round = 0; round < 1000; round += 1) {
    expect(rate.take('a')).toBe(0)
    clock.time += rate.take('a') * 1000
  }
})

it('in the long run no more than the rate gets through, however it is asked', () => {
  const { clock, rate } = setUp({ rate: 5, burst: 10 })
  let through = 0
  for (let step = 0; step < 10_000; step += 1) {
    if (rate.take('a') === 0) through += 1
    clock.time += 7
  }
  expect(through).toBeGreaterThanOrEqual(10 + 70 * 5 - 1)
  expect(through).toBeLessThanOrEqual(10 + 70 * 5)
})

it('rests fill the bucket and not more', () => {
  const { clock, rate } = setUp()
  clock.time += 3_600_000
  expect([1, 2, 3, 4].map(() => rate.take('a'))).toEqual([0, 0, 0, 1])
})

it('what is given back can be taken again, but does not make a bucket fuller than full', () => {
  const { rate } = setUp({ burst: 1 })
  expect([rate.take('a'), rate.take('a')]).toEqual([0, 1])
  rate.giveBack('a')
  rate.giveBack('a')
  expect([rate.take('a'), rate.take('a')]).toEqual([0, 1])
})

it('a clock that was set back does not lock anybody out', () => {
  const { clock, rate } = setUp({ rate: 1, burst: 1 })
  rate.take('a')
  clock.time -= 3_600_000
  expect(rate.take('a')).toBe(1)
  clock.time += 1000
  expect(rate.take('a')).toBe(0)
})

it('remembers so many keys', () => {
  const { rate } = setUp({ burst: 1, rate: 0.001, limit: 2 })
  expect([rate.take('a'), rate.take('b'), rate.take('b')]).toEqual([0, 0, 1000])
  expect([rate.take('c'), rate.take('a')]).toEqual([0, 0])
})
