import { expect, it } from 'vitest'
import { lineThrough } from './regression.ts'

it('finds the line that the points are on', () => {
  const line = lineThrough([0, 1, 2, 3].map((x) => ({ x, y: 5 - 2 * x })))
  expect(line).toEqual({ slope: -2, fit: 1 })
})

it('says how little a line explains', () => {
  // Up and down, and half as much up on average.
  const { slope, fit } = lineThrough([0, 3, 1, 4, 2, 5].map((y, x) => ({ x, y })))
  expect(slope).toBeCloseTo(5 / 7)
  expect(fit).toBeCloseTo(25 / 49)
})

it('is flat without points that differ', () => {
  expect(lineThrough([])).toEqual({ slope: 0, fit: 0 })
  expect(lineThrough([{ x: 1, y: 1 }])).toEqual({ slope: 0, fit: 0 })
  expect(lineThrough([1, 2, 3].map((x) => ({ x, y: 7 })))).toEqual({ slope: 0, fit: 0 })
})
