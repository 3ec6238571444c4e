import { describe, expect, it, test, vi } from 'vitest'
import { backoff, isPassing, parseRetryAfter, pause } from './retry.ts'

describe('Retry-After', () => {
  const now = Date.parse('Wed, 21 Oct 2026 07:28:00 GMT')

  test.each<[string | null, number | undefined]>([
    [null, undefined],
    ['', undefined],
    ['0', 0],
    ['120', 120_000],
    [' 7 ', 7000],
    ['00001', 1000],
    // A hundred thousand years: to be told, and not taken for nothing.
    ['3155760000000', 3_155_760_000_000_000],
    // The three forms of a date (RFC 9110, 5.6.7).
    ['Wed, 21 Oct 2026 07:28:05 GMT', 5000],
    ['Wednesday, 21-Oct-26 07:28:05 GMT', 5000],
    ['Wed Oct 21 07:28:05 2026', 5000],
    ['Wed, 21 Oct 2026 07:27:00 GMT', 0],
    ['Thu, 01 Jan 1970 00:00:00 GMT', 0],
    ['-1', undefined],
    ['1.5', undefined],
    ['1e3', undefined],
    ['soon 5', undefined],
    ['5 s', undefined],
    ['Wed, 99 Foo 2026 07:28:05 GMT', undefined],
    ['2026-10-21', undefined],
  ])('%s', (header, expected) => {
    expect(parseRetryAfter(header, now)).toBe(expected)
  })
})

it('tries again what may pass', () => {
  expect([408, 429, 500, 502, 503, 504].every(isPassing)).toBe(true)
  expect([200, 202, 301, 400, 401, 403, 404, 405, 409, 416, 501, 505].some(isPassing)).toBe(false)
})

it('waits longer each time, never as long as all others, and no longer than it may', () => {
  for (let attempt = 2; attempt < 60; attempt++) {
    const full = Math.min(250 * 2 ** (attempt - 2), 10_000)
    const waits = Array.from({ length: 20 }, () => backoff(attempt, 10_000))
    expect(Math.min(...waits)).toBeGreaterThanOrEqual(full / 2)
    expect(Math.max(...waits)).toBeLessThanOrEqual(full)
    expect(new Set(waits).size).toBeGreaterThan(1)
  }
  expect(backoff(5, 0)).toBe(0)
})

describe('a pause', () => {
  it('ends with its time, and leaves nothing at the signal', async () => {
    const { signal } = new AbortController()
    const removed = vi.spyOn(signal, 'removeEventListener')
    await pause(1, signal)
    expect(removed).toHaveBeenCalledOnce()
    await pause(0, signal)
    await pause(-5, signal)
    expect(removed).toHaveBeenCalledOnce()
  })

  it('ends at once with the signal, and its timer with it', async () => {
    vi.useFakeTimers()
    try {
      const stop = new AbortController()
      const pausing = pause(1e6, stop.signal)
      expect(vi.getTimerCount()).toBe(1)
      stop.abort(new Error('enough'))
      await expect(pausing).rejects.toThrow('enough')
      expect(vi.getTimerCount()).toBe(0)
      await expect(pause(0, stop.signal)).rejects.toThrow('enough')
    } finally {
      vi.useRealTimers()
    }
  })
})
