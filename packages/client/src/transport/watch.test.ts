import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { createWatch, IdleError } from './watch.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }))
afterEach(() => void vi.useRealTimers())

it('fires when nothing moves, and says for how long', () => {
  const watch = createWatch()
  watch.touch(100)
  vi.advanceTimersByTime(99)
  expect(watch.signal.aborted).toBe(false)
  vi.advanceTimersByTime(2)
  expect(watch.signal.aborted).toBe(true)
  expect(watch.signal.reason).toBeInstanceOf(IdleError)
  expect(String(watch.signal.reason)).toContain('100 ms')
  expect(vi.getTimerCount()).toBe(0)
})

it('does not fire as long as something moves, with one timer', () => {
  const watch = createWatch()
  for (let moved = 0; moved < 50; moved++) {
    watch.touch(100)
    vi.advanceTimersByTime(60)
    expect(vi.getTimerCount()).toBe(1)
  }
  expect(watch.signal.aborted).toBe(false)
  vi.advanceTimersByTime(200)
  expect(watch.signal.aborted).toBe(true)
})

it('does not fire while it rests, and does after that', () => {
  const watch = createWatch()
  watch.touch(100)
  watch.rest()
  vi.advanceTimersByTime(10_000)
  expect(watch.signal.aborted).toBe(false)
  expect(vi.getTimerCount()).toBe(0)
  watch.touch(50)
  vi.advanceTimersByTime(51)
  expect(watch.signal.aborted).toBe(true)
})

it('takes a shorter limit after a longer one, also over a rest', () => {
  for (const between of [(): void => {}, (watch: ReturnType<typeof createWatch>) => watch.rest()]) {
    const watch = createWatch()
    watch.touch(100_000)
    between(watch)
    watch.touch(10)
    vi.advanceTimersByTime(11)
    expect(watch.signal.aborted).toBe(true)
    expect(vi.getTimerCount()).toBe(0)
  }
})

it('can be told to hurry: then movement is no reason to wait longer', () => {
  const watch = createWatch()
  watch.touch(1000)
  watch.hurry(100)
  for (let moved = 0; moved < 3; moved++) {
    vi.advanceTimersByTime(40)
    expect(watch.signal.aborted).toBe(moved === 2)
    watch.rest()
    watch.touch(1000)
  }
  expect(vi.getTimerCount()).toBeLessThanOrEqual(1)
})

it('says how long all of it took when it was told to hurry', () => {
  const watch = createWatch()
  watch.hurry(100)
  vi.advanceTimersByTime(60)
  watch.touch(80)
  vi.advanceTimersByTime(41)
  expect(String(watch.signal.reason)).toContain('not over in 100 ms')
})

it.each([2 ** 31, Number.MAX_SAFE_INTEGER])('waits for %d ms with timers that can wait', (limit) => {
  const set = vi.spyOn(globalThis, 'setTimeout')
  const watch = createWatch()
  watch.touch(limit)
  vi.advanceTimersByTime(2 ** 31)
  expect(watch.signal.aborted).toBe(limit === 2 ** 31)
  for (const [, wait = 0] of set.mock.calls) expect(wait).toBeLessThan(2 ** 31)
  expect(set.mock.calls.length).toBeLessThan(5)
  watch.end()
})

it('has no timer when it is over, whatever is said afterwards', () => {
  const watch = createWatch()
  watch.touch(100)
  watch.end()
  expect(vi.getTimerCount()).toBe(0)
  watch.touch(100)
  watch.rest()
  watch.touch(1)
  expect(vi.getTimerCount()).toBe(0)
  vi.advanceTimersByTime(1000)
  expect(watch.signal.aborted).toBe(false)
})
