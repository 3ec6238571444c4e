import { describe, expect, it } from 'vitest'
import { parseChunkRange, parseRange } from './range.ts'

const part = (start: number, end: number): object => ({ kind: 'part', start, end })
const whole = { kind: 'whole' }
const unsatisfiable = { kind: 'unsatisfiable' }

describe('parseRange', () => {
  it.each([
    ['bytes=0-0', part(0, 1)],
    ['bytes=0-499', part(0, 500)],
    ['bytes=500-1499', part(500, 1500)],
    ['bytes=500-', part(500, 2048)],
    ['bytes=-500', part(1548, 2048)],
    ['bytes=-5000', part(0, 2048)],
    ['bytes=2000-5000', part(2000, 2048)],
    ['bytes=0-99999999999999999999', part(0, 2048)],
    ['BYTES=1-2', part(1, 3)],
    ['bytes=500-0', unsatisfiable],
    ['bytes=2048-', unsatisfiable],
    ['bytes=5000-10000', unsatisfiable],
    ['bytes=-0', unsatisfiable],
    ['bytes=99999999999999999999-', unsatisfiable],
    ['bytes=0-0,-1', whole],
    ['bytes=-', whole],
    ['bytes=a-b', whole],
    ['items=0-1', whole],
    ['', whole],
    [null, whole],
  ])('%s of 2048 bytes', (header, expected) => {
    expect(parseRange(header, 2048)).toEqual(expected)
  })

  it('has nothing to give of an empty blob', () => {
    expect(parseRange('bytes=0-', 0)).toEqual(unsatisfiable)
    expect(parseRange('bytes=-1', 0)).toEqual(unsatisfiable)
  })
})

describe('parseChunkRange', () => {
  it.each([
    ['0-0', { first: 0, last: 0 }],
    ['1024-2047', { first: 1024, last: 2047 }],
    ['bytes 0-1', undefined],
    ['0-1/2', undefined],
    ['2-1', undefined],
    ['-1', undefined],
    ['1-', undefined],
    ['0-9007199254740993', undefined],
    ['', undefined],
  ])('%s', (header, expected) => {
    expect(parseChunkRange(header)).toEqual(expected)
  })
})
