import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { describeSource, resolveConfiguration } from './resolve.ts'
import type { SettingKey } from './settings.ts'

const fileOf = (text: string): string => {
  const path = join(mkdtempSync(join(tmpdir(), 'stowage-resolve-')), 'stowage.yaml')
  writeFileSync(path, text)
  return path
}

const sourceOf = (input: Parameters<typeof resolveConfiguration>[0], key: SettingKey): string => {
  const source = resolveConfiguration(input).sources.get(key)
  return source === undefined ? 'nowhere' : describeSource(source)
}

test('without anything the defaults hold', () => {
  const { settings } = resolveConfiguration({})
  expect(settings).toMatchObject({
    address: '127.0.0.1:5000',
    data: resolve('data'),
    publicUrl: undefined,
    auth: undefined,
    'tokens.lifetime': 600,
    'limits.requestRate': 1000,
    'uploads.expireAfter': 600,
    'manifests.maxSize': 4 * 2 ** 20,
    'log.level': 'info',
    metrics: true,
  })
})

test('a flag goes before the environment, that before the file, that before the default', () => {
  const file = fileOf('log: { level: warn }\n')
  const environment = { STOWAGE_LOG_LEVEL: 'error' }
  const flags = { 'log.level': 'debug' }
  const level = (input: Parameters<typeof resolveConfiguration>[0]): unknown =>
    resolveConfiguration(input).settings['log.level']
  expect(level({ file })).toBe('warn')
  expect(level({ file, environment })).toBe('error')
  expect(level({ file, environment, flags })).toBe('debug')
  expect(sourceOf({}, 'log.level')).toBe('default')
  expect(sourceOf({ file }, 'log.level')).toBe(`${file}:1`)
  expect(sourceOf({ file, environment }, 'log.level')).toBe('STOWAGE_LOG_LEVEL')
  expect(sourceOf({ file, environment, flags }, 'log.level')).toBe('--log-level')
})

test('STOWAGE_CONFIG names the file unless a flag does', () => {
  const [one, two] = [fileOf('metrics: no\n'), fileOf('metrics: yes\n')]
  expect(resolveConfiguration({ environment: { STOWAGE_CONFIG: one } }).settings.metrics).toBe(false)
  expect(resolveConfiguration({ environment: { STOWAGE_CONFIG: one }, file: two }).settings.metrics).toBe(true)
})

test('paths are relative to the file that has them, or to the working directory', () => {
  const file = fileOf('data: store\ntls: { cert: /etc/cert.pem }\n')
  mkdirSync(join(file, '..', 'store'))
  expect(resolveConfiguration({ file }).settings).toMatchObject({
    data: join(file, '..', 'store'),
    'tls.cert': '/etc/cert.pem',
  })
  expect(resolveConfiguration({ environment: { STOWAGE_DATA: 'store' } }).settings.data).toBe(resolve('store'))
})

test('the problems of every source come together', () => {
  const file = fileOf('dta: x\nmetrics: perhaps\n')
  const input = { file, environment: { STOWAGE_METRICS: 'off' }, flags: { 'shutdown.deadline': 'soon' } }
  expect(() => resolveConfiguration(input)).toThrow(/4 problems/)
  expect(() => resolveConfiguration(input)).toThrow(
    /stowage\.yaml:1:1: dta is not .*\n.*stowage\.yaml:2:1: metrics must .*\n.*STOWAGE_METRICS: must .*"off"\n.*--shutdown-deadline: must/,
  )
})

test('a file that is not there is a problem like the others', () => {
  const input = { file: '/nowhere/x.yaml', environment: { STOWAGE_METRICS: 'off' } }
  expect(() => resolveConfiguration(input)).toThrow(/x\.yaml cannot be read[^]*STOWAGE_METRICS/)
})

describe('the switch', () => {
  const on = (input: Parameters<typeof resolveConfiguration>[0]): boolean | undefined =>
    resolveConfiguration(input).settings.auth

  test.each([
    ['on', true],
    ['YES', true],
    ['true', true],
    ['1', true],
    ['off', false],
    ['no', false],
    ['False', false],
    ['0', false],
  ])('STOWAGE_AUTH=%s, auth: %s', (text, value) => {
    expect(on({ environment: { STOWAGE_AUTH: text } })).toBe(value)
    expect(on({ file: fileOf(`auth: ${text}\n`) })).toBe(value)
  })

  test.each([
    ['yes', false],
    ['TRUE', false],
    ['1', false],
    ['no', true],
    ['False', true],
    ['0', true],
  ])('DISABLE_AUTHENTICATION=%s: auth is %s', (text, value) => {
    expect(on({ environment: { DISABLE_AUTHENTICATION: text } })).toBe(value)
  })

  test('is unset when nobody says anything', () => {
    expect(on({})).toBeUndefined()
    expect(on({ environment: { STOWAGE_AUTH: '', DISABLE_AUTHENTICATION: '' } })).toBeUndefined()
  })

  test('takes any number of places that agree, in whatever words', () => {
    const environment = { STOWAGE_AUTH: 'off', DISABLE_AUTHENTICATION: '1' }
    expect(on({ file: fileOf('auth: no\n'), environment, flags: { auth: false } })).toBe(false)
  })

  /** Each place by its name, and what makes it say on or off. */
  const places = {
    file: (value: boolean) => ({ file: fileOf(`# first\nauth: ${value ? 'on' : 'off'}\n`) }),
    STOWAGE_AUTH: (value: boolean) => ({ environment: { STOWAGE_AUTH: value ? 'yes' : 'no' } }),
    DISABLE_AUTHENTICATION: (value: boolean) => ({ environment: { DISABLE_AUTHENTICATION: value ? '0' : '1' } }),
    flag: (value: boolean) => ({ flags: { auth: value } }),
  }
  const nameOf = (place: string, value: boolean): RegExp =>
    place === 'file' ? /stowage\.yaml:2/ : place === 'flag' ? (value ? /--auth/ : /--no-auth/) : new RegExp(place)
  const names = Object.keys(places) as (keyof typeof places)[]
  const pairs = names.flatMap((one, index) => names.slice(index + 1).map((other) => [one, other] as const))

  test.each(pairs)('%s and %s must not contradict each other, and both are named', (one, other) => {
    for (const value of [true, false]) {
      const [first, second] = [places[one](value), places[other](!value)]
      const environment = {
        ...('environment' in first && first.environment),
        ...('environment' in second && second.environment),
      }
      const input = { ...first, ...second, environment }
      expect(() => on(input)).toThrow(nameOf(one, value))
      expect(() => on(input)).toThrow(nameOf(other, !value))
      expect(() => on(input)).toThrow(new RegExp(`is ${value ? 'off' : 'on'}, but .* is ${value ? 'on' : 'off'}`))
    }
  })
})

test('a list in the environment is JSON, and its items are looked at one by one', () => {
  const rules = (text: string): unknown =>
    resolveConfiguration({ environment: { STOWAGE_ACCESS_RULES: text } }).settings['access.rules']
  const rule = { subject: 'group:dev', repositories: 'team/*', actions: ['pull', 'push'] }
  expect(rules(JSON.stringify([rule]))).toEqual([rule])
  expect(() => rules('team')).toThrow(/^STOWAGE_ACCESS_RULES: must be JSON, a list of/)
  expect(() => rules(JSON.stringify([rule, { ...rule, action: 'pull' }]))).toThrow(
    'STOWAGE_ACCESS_RULES: [1] has no key "action"; did you mean actions?',
  )
})

test('keys are the path of a file, or a URL', () => {
  const keys = (jwks: string): unknown =>
    resolveConfiguration({ flags: { 'tokenServer.jwks': jwks } }).settings['tokenServer.jwks']
  expect(keys('keys.json')).toBe(resolve('keys.json'))
  expect(keys('https://auth.example/keys?v=1')).toBe('https://auth.example/keys?v=1')
  expect(() => keys('https://user:hunter2@auth.example/keys')).toThrow(/^--token-server-jwks: must be(?!.*hunter2)/)
})

test('a password is not repeated, whatever is wrong with it', () => {
  for (const environment of [
    { STOWAGE_ADMIN_PASSWORD: 'hunter2' },
    { STOWAGE_ADMIN_PASSWORD: 'hunter2\n'.repeat(9) },
  ]) {
    expect(() => resolveConfiguration({ environment })).toThrow(/^STOWAGE_ADMIN_PASSWORD: must be text(?!.*hunter2)/)
  }
  expect(() => resolveConfiguration({ file: fileOf('admin: { password: 12345678 }\n') })).toThrow(
    /admin\.password must be text .* in quotes(?!.*1234)/,
  )
})

test.each([
  ['*', '*'],
  ['https://a.example, http://localhost:3000', ['https://a.example', 'http://localhost:3000']],
])('origins %j', (text, value) => {
  expect(resolveConfiguration({ environment: { STOWAGE_CORS_ORIGINS: text } }).settings['cors.origins']).toEqual(value)
})

test.each(['https://a.example/', 'a.example', 'https://a.example,*', 'https://A.example', ','])(
  '%j are no origins',
  (text) => {
    expect(() => resolveConfiguration({ environment: { STOWAGE_CORS_ORIGINS: text } })).toThrow(/origins/)
  },
)

test('an upload expires after whole seconds', () => {
  expect(() => resolveConfiguration({ flags: { 'uploads.expireAfter': '1500ms' } })).toThrow(
    /in whole seconds, of 1s or more/,
  )
})

test('a switch is a word, and not a list of one', () => {
  expect(() => resolveConfiguration({ file: fileOf('auth: [on]\n') })).toThrow(/auth must be on, yes, true or 1/)
  expect(() => resolveConfiguration({ file: fileOf('metrics: [yes]\n') })).toThrow(/metrics must be yes, true or 1/)
  expect(resolveConfiguration({ file: fileOf('auth: 1\n') }).settings.auth).toBe(true)
})
