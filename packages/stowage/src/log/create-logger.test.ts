import { expect, test } from 'vitest'
import { createLogger } from './create-logger.ts'

const logged = (
  pretty: boolean,
  write: (logger: ReturnType<typeof createLogger>) => void,
  level = 'info' as const,
): string => {
  let out = ''
  write(createLogger({ level, pretty, write: (line) => (out += line) }))
  return out
}

test('one JSON object a line', () => {
  const out = logged(false, (logger) => logger.info({ repository: 'a/b', status: 201 }, 'changed'))
  expect(out).toMatch(/^\{[^\n]*\}\n$/)
  expect(JSON.parse(out)).toMatchObject({ level: 'info', msg: 'changed', repository: 'a/b', status: 201 })
})

test('less than the level is not logged', () => {
  expect(logged(false, (logger) => logger.debug({}, 'x'))).toBe('')
})

test.each([true, false])('nobody can forge a line or steer a terminal (for people: %s)', (pretty) => {
  const nasty = 'x\n{"level":"error","msg":"forged"}\r\u001b[2J\u009b31m\u2028\u202e\u007f'
  const out = logged(pretty, (logger) => logger.info({ target: nasty, [nasty]: 1 }, nasty))
  expect(out.split('\n')).toHaveLength(2)
  // oxlint-disable-next-line no-control-regex -- these are what is looked for
  expect(out.trimEnd()).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u202e]/)
  if (!pretty) expect(JSON.parse(out)).toMatchObject({ msg: nasty, target: nasty })
})

test.each([true, false])('secrets are not logged (for people: %s)', (pretty) => {
  const out = logged(pretty, (logger) => {
    logger.error(
      { err: new Error('https://u:hunter2@x/'), headers: { authorization: 'hunter2' } },
      'at https://u:hunter2@y/',
    )
  })
  expect(out).not.toContain('hunter2')
  expect(out).toContain('[redacted]')
})

test('an error for people has its stack below the line', () => {
  const out = logged(true, (logger) => logger.error({ err: new TypeError('broken'), key: 'a b"c' }, 'it failed'))
  expect(out).toMatch(/^\d\d:\d\d:\d\d error it failed key="a b\\"c"\n {4}TypeError: broken\n {8}at /)
})
