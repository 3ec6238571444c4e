import { expect, it } from 'vitest'
import { figuresOf, withFigures } from './report.ts'
import type { Result } from './result.ts'
import type { Row } from './row.ts'

const row = (name: string, control = false): Row => ({
  name,
  title: `About ${name}`,
  method: `How ${name} is done.`,
  portable: true,
  control,
  run: async () => ({ figures: {}, failures: [] }),
})

const result = (name: string, more: Partial<Result> = {}): Result => ({
  row: name,
  registry: 'stowage',
  registryVersion: '1',
  size: 'full',
  command: 'npm run reliability -- --full',
  revision: 'abc',
  machine: '2 cores',
  at: '2026-01-02T03:04:05Z',
  seconds: 61,
  seed: 1,
  figures: { cycles: 1000, lost: 0 },
  failures: [],
  ...more,
})

it('says of each row what was counted, whether it holds, and what was not run', () => {
  const text = figuresOf([row('kill'), row('cut'), row('other')], [result('kill'), result('cut', { failures: ['x'] })])
  expect(text).toContain('| About kill | cycles 1,000<br>lost 0 | holds | 61 s |')
  expect(text).toContain('| About cut | cycles 1,000<br>lost 0 | **does not hold**: 1 failures | 61 s |')
  expect(text).toContain('| About other | not run yet | | |')
  expect(text).not.toContain('side by side')
})

it('a control holds when it finds something', () => {
  const text = figuresOf(
    [row('red', true), row('green', true)],
    [result('red', { failures: ['lost'] }), result('green')],
  )
  expect(text).toContain('| About red | cycles 1,000<br>lost 0 | turns red, as it must | 61 s |')
  expect(text).toContain('**found nothing**')
})

it('puts another registry beside ours', () => {
  const theirs = result('kill', { registry: 'docker-registry', figures: { lost: 3 } })
  expect(figuresOf([row('kill')], [result('kill'), theirs])).toContain(
    '| About kill | cycles 1,000<br>lost 0 | lost 3 |',
  )
})

it('replaces what stood between the marks, and nothing else', () => {
  const text = withFigures(
    'before\n<!-- figures: made by `npm run reliability -- --report` -->\nold\n<!-- end of the figures -->\nafter\n',
    'new\n',
  )
  expect(text).toContain('before\n')
  expect(text).toContain('\nnew\n')
  expect(text).toContain('\nafter\n')
  expect(text).not.toContain('old')
  expect(() => withFigures('nothing', 'new')).toThrow('must have the lines')
})
