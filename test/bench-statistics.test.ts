import { describe, expect, it } from 'vitest'
import { median, percentile, ratio } from '../bench/statistics.ts'

describe('median', () => {
  it('takes the middle of an odd number, whatever the order', () => {
    expect(median([9, 1, 5])).toBe(5)
  })

  it('takes the mean of the two in the middle of an even number', () => {
    expect(median([4, 1, 2, 10])).toBe(3)
  })

  it('sorts by size and not by text', () => {
    expect(median([100, 9, 20])).toBe(20)
  })

  it('has no answer for nothing', () => {
    expect(() => median([])).toThrow('median of no values')
  })

  it('leaves the list as it was', () => {
    const rounds = [3, 1, 2]
    median(rounds)
    expect(rounds).toEqual([3, 1, 2])
  })
})

describe('percentile', () => {
  const hundred = Array.from({ length: 100 }, (_, index) => 100 - index)

  it('is the nearest rank: a value that was measured', () => {
    expect(percentile(hundred, 99)).toBe(99)
    expect(percentile(hundred, 50)).toBe(50)
    expect(percentile([1, 2, 3], 99)).toBe(3)
    expect(percentile([1, 2, 3], 1)).toBe(1)
  })

  it('lets twenty of two thousand lie above p99', () => {
    const measured = Array.from({ length: 2000 }, (_, index) => index)
    const p99 = percentile(measured, 99)
    expect(measured.filter((value) => value > p99)).toHaveLength(20)
  })

  it('refuses percents that are none', () => {
    expect(() => percentile([1], 0)).toThrow('percent must be in (0, 100], got 0')
    expect(() => percentile([1], 100.5)).toThrow('got 100.5')
    expect(() => percentile([], 50)).toThrow('percentile of no values')
  })
})

describe('ratio', () => {
  it('divides the medians, and shows how far single rounds stray', () => {
    expect(ratio([10, 40, 20], [1, 2, 4])).toEqual({ ofMedians: 10, lowest: 5, highest: 20 })
  })

  it('refuses rounds that have no counterpart', () => {
    expect(() => ratio([1, 2], [1])).toThrow('the same rounds on both sides, got 2 and 1')
  })
})
