import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'
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
    'authentication.disabled': undefined,
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

test.each([
  ['yes', true],
  ['TRUE', true],
  ['1', true],
  ['no', false],
  ['False', false],
  ['0', false],
])('DISABLE_AUTHENTICATION=%s is %s', (text, value) => {
  expect(
    resolveConfiguration({ environment: { DISABLE_AUTHENTICATION: text } }).settings['authentication.disabled'],
  ).toBe(value)
})

test.each(['on', 'off', '2', ' ', 'y', 'null'])('DISABLE_AUTHENTICATION=%j is an error', (text) => {
  expect(() => resolveConfiguration({ environment: { DISABLE_AUTHENTICATION: text } })).toThrow(
    /^DISABLE_AUTHENTICATION: must be yes/,
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
