import { resolve } from 'node:path'
import { expect, test } from 'vitest'
import { settingsFrom, toInput } from './options.ts'
import { resolveConfiguration } from './resolve.ts'

test('options are settings, nested and with the defaults', () => {
  const settings = settingsFrom({
    address: 0,
    data: 'x',
    uploads: { expireAfter: '5m' },
    cors: { origins: ['https://a.example'] },
  })
  expect(settings).toMatchObject({
    address: '0',
    data: resolve('x'),
    'uploads.expireAfter': 300,
    'cors.origins': ['https://a.example'],
    'log.level': 'info',
  })
})

test('settings survive the way through options', () => {
  const { settings } = resolveConfiguration({
    flags: {
      'tls.cert': 'a',
      'limits.readerIdle': '90s',
      metrics: false,
      auth: true,
      'access.rules': '[{"subject":"user:ada","repositories":"*","actions":"pull,push"}]',
      'policies.quotas': '[{"user":"*","bytes":"1GiB"}]',
      'policies.immutableTags': '*:v*,team/*:stable',
      'tokenServer.jwks': 'keys.json',
    },
    environment: { STOWAGE_ADMIN_PASSWORD: 'correct horse' },
  })
  expect(settingsFrom(toInput(settings))).toEqual(settings)
})

test('an option that does not exist, or does not fit, is an error that names it', () => {
  const wrong = { addres: 1, uploads: { expireAfter: 'soon' } } as object
  expect(() => settingsFrom(wrong)).toThrow(
    /uploads\.expireAfter must be[^]*addres is not a setting; did you mean address\?/,
  )
})
