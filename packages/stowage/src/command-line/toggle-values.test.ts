import { expect, test } from 'vitest'
import { toggleValueProblem } from './toggle-values.ts'

test.each([
  [['--auth', 'off'], '--auth takes no value. Write --no-auth.'],
  [['--auth=off'], '--auth takes no value. Write --no-auth.'],
  [['--auth=0'], '--auth takes no value. Write --no-auth.'],
  [['--auth', 'ON'], '--auth takes no value. Write --auth.'],
  [['--metrics=never'], '--metrics takes no value. Write --metrics or --no-metrics.'],
])('%j: %s', (argv, problem) => {
  expect(toggleValueProblem(['serve', ...argv])).toBe(problem)
})

test.each([
  [['--auth', '0']],
  [['--auth', '127.0.0.1:0']],
  [['0', '--auth']],
  [['--no-auth']],
  [['--data=off']],
  [['--', '--auth', 'off']],
])('%j is no mistake', (argv) => {
  expect(toggleValueProblem(['serve', ...argv])).toBeUndefined()
})
