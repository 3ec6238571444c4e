import { describe, expect, test } from 'vitest'
import { createRegister, possibleValues, type Write } from './register.ts'

/** `a 1-2` is an acknowledged write of `a` between these ticks; `?` after it, one without an answer; `a<b`, only onto `b`. */
const writeOf = (text: string, operation: number): Write => {
  const [, value = '', onlyIf, start, end, unknown] = /^(\w+)(?:<(\w+))? (\d+)-(\d+|∞)(\?)?$/.exec(text) ?? []
  return {
    operation,
    value,
    start: Number(start),
    end: end === '∞' ? Infinity : Number(end),
    ...(onlyIf !== undefined && { onlyIf }),
    outcome: unknown === '?' ? 'unknown' : 'acknowledged',
  }
}

const possible = (settled: string, writes: readonly string[], from: number, to = from): string[] => {
  const register = createRegister(settled)
  register.writes.push(...writes.map(writeOf))
  return [...possibleValues(register, from, to)].toSorted()
}

describe('what a register may show', () => {
  test.each<[string, string, string[], number, string[]]>([
    ['what it was, when nobody wrote', 'x', [], 9, ['x']],
    ['the acknowledged write alone', 'x', ['a 1-2'], 9, ['a']],
    ['the later of two writes', 'x', ['a 1-2', 'b 3-4'], 9, ['b']],
    ['either of two writes at the same time', 'x', ['a 1-4', 'b 2-3'], 9, ['a', 'b']],
    ['before or after a write without an answer', 'x', ['a 1-2?'], 9, ['a', 'x']],
    ['not what came before the acknowledged write', 'x', ['a 1-2', 'b 3-5?'], 9, ['a', 'b']],
    ['not a write without an answer that was over before the next one began', 'x', ['a 1-2?', 'b 3-4'], 9, ['b']],
    ['a write without an answer that the server may still be at', 'x', ['a 1-∞?', 'b 3-4'], 9, ['a', 'b']],
    ['what was there before, while the write is under way', 'x', ['a 1-5'], 3, ['a', 'x']],
    ['nothing of a write that begins later', 'x', ['a 5-6'], 3, ['x']],
    ['nothing, when what was there was deleted', 'd', ['gone<d 1-2'], 9, ['gone']],
    ['what is there, when another thing was deleted', 'e', ['gone<d 1-2'], 9, ['e']],
    ['the new value, when it came after the deletion of the old one', 'd', ['gone<d 1-2', 'e 3-4'], 9, ['e']],
    ['the new value, when the old one was deleted afterwards', 'd', ['e 1-2', 'gone<d 3-4'], 9, ['e']],
    [
      'nothing or the new value, when the old one was deleted meanwhile',
      'd',
      ['e 1-4', 'gone<d 2-3'],
      9,
      ['e', 'gone'],
    ],
    ['either, when the deletion had no answer', 'd', ['gone<d 1-2?'], 9, ['d', 'gone']],
    [
      'either, when the write onto which the deletion would fall had no answer',
      'x',
      ['d 1-2?', 'gone<d 3-4'],
      9,
      ['gone', 'x'],
    ],
    ['the value that was written again after its deletion', 'd', ['gone<d 1-2', 'd 3-4'], 9, ['d']],
  ])('%s', (_name, settled, writes, from, expected) => {
    expect(possible(settled, writes, from)).toStrictEqual(expected)
  })

  test('all that was there during a longer look', () => {
    expect(possible('x', ['a 3-4', 'b 6-7'], 2, 8)).toStrictEqual(['a', 'b', 'x'])
    expect(possible('x', ['a 3-4', 'b 6-7'], 5, 8)).toStrictEqual(['a', 'b'])
  })
})
