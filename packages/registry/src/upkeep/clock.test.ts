import { expect, it } from 'vitest'
import { type Clock, createClock, settleFor, toleranceFor } from './clock.ts'

const minute = 60_000
const hour = 60 * minute
const day = 24 * hour

/** A clock of the test's own, beside a time that only goes on. */
const start = (wall: number, tolerance = hour) => {
  let steady = 5000
  let at = wall
  const clock: Clock = createClock({ now: () => at, monotonic: () => steady, tolerance })
  return {
    clock,
    /** Time passes; the clock goes with it. */
    pass(milliseconds: number) {
      steady += milliseconds
      at += milliseconds
    },
    /** Somebody sets the clock. */
    set(by: number) {
      at += by
    },
  }
}

it('is in doubt where nothing is known of a run before, until it was steady for as long as it must', () => {
  const { clock, pass } = start(day)
  expect(clock.doubt(undefined, hour)).toContain('No run before this one')
  expect(clock.doubt(undefined, hour)).toContain('for 60 minutes more')
  pass(hour - 1)
  expect(clock.doubt(undefined, hour)).toContain('for a minute more')
  pass(1)
  expect(clock.doubt(undefined, hour)).toBeUndefined()
})

it('need not be believed where nothing has to be old', () => {
  expect(start(day).clock.doubt(undefined, 0)).toBeUndefined()
})

it('is believed at once after a restart, when it goes on from the last run', () => {
  expect(start(day).clock.doubt(day - hour, hour)).toBeUndefined()
  expect(start(day).clock.doubt(day - hour - 1, hour)).toContain('far from where it was')
  expect(start(day).clock.doubt(day + hour, hour)).toBeUndefined()
  expect(start(day).clock.doubt(day + hour + 1, hour)).toContain('far from where it was')
})

it('goes on to be believed by the state that this process wrote itself', () => {
  const { clock, pass } = start(day, 5 * minute)
  pass(40 * minute)
  expect(clock.doubt(day - minute, hour)).toBeUndefined()
  pass(15 * minute)
  expect(clock.doubt(day + 40 * minute, hour)).toBeUndefined()
})

it.each([2 * day, -2 * day])('is in doubt for as long as it must be steady after a jump of %i', (by) => {
  const { clock, pass, set } = start(day)
  pass(10 * hour)
  set(by)
  expect(clock.doubt(day + 10 * hour, hour)).toContain('The clock jumped')
  pass(hour - 1)
  expect(clock.doubt(day + 10 * hour, hour)).toContain('The clock jumped')
  pass(1)
  expect(clock.doubt(day + 10 * hour, hour)).toBeUndefined()
})

it('does not believe a state that a jump has made fit', () => {
  const { clock, pass, set } = start(day)
  pass(minute)
  set(-5 * hour)
  expect(clock.doubt(day - 5 * hour, hour)).toContain('The clock jumped')
})

it('remembers a jump there and back, if somebody looked between', () => {
  const { clock, pass, set } = start(day)
  pass(10 * hour)
  set(-2 * day)
  pass(minute)
  clock.look()
  set(2 * day)
  pass(minute)
  expect(clock.doubt(day + 10 * hour, hour)).toContain('The clock jumped')
})

it('takes many small jumps for one', () => {
  const { clock, pass, set } = start(day)
  pass(10 * hour)
  for (let count = 0; count < 12; count += 1) {
    expect(clock.doubt(undefined, hour)).toBeUndefined()
    set(5 * minute)
    pass(minute)
  }
  expect(clock.doubt(undefined, hour)).toBeUndefined()
  set(minute)
  expect(clock.doubt(undefined, hour)).toContain('The clock jumped')
})

it('lives with what a time server corrects', () => {
  const { clock, pass, set } = start(day)
  pass(10 * hour)
  set(hour)
  expect(clock.doubt(undefined, hour)).toBeUndefined()
})

it('asks for an hour, and for less where less must be old', () => {
  expect([settleFor(day), settleFor(10 * minute), settleFor(0)]).toEqual([hour, 10 * minute, 0])
  expect([day, 2 * hour, 8 * minute, 2 * minute, 0].map(toleranceFor)).toEqual([
    hour,
    30 * minute,
    2 * minute,
    minute,
    minute,
  ])
})
