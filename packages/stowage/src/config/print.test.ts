import { expect, test } from 'vitest'
import { parseConfig } from './file.ts'
import { printConfiguration } from './print.ts'
import { resolveConfiguration } from './resolve.ts'

test('what is printed is a configuration file that says the same', () => {
  const resolved = resolveConfiguration({
    flags: {
      address: '[::1]:0',
      'cors.origins': 'https://a.example,https://b.example',
      data: '/a b/: #c',
      'limits.bodyIdle': '250ms',
      'policies.quotas': '[{"repositories":"a/*","bytes":"1GiB"}]',
      trustedProxies: '10.0.0.0/8, ::1',
      auth: false,
    },
    environment: { STOWAGE_ALLOW_MISSING_BLOBS: 'true' },
  })
  const printed = printConfiguration(resolved)
  expect(printed).toMatch(/^address: .* # address$/m)
  expect(printed).toMatch(/^ {2}allowMissingBlobs: true +# STOWAGE_ALLOW_MISSING_BLOBS$/m)
  expect(printed).toMatch(/^ {2}expireAfter: 10m +# default$/m)
  expect(printed).toMatch(/^# publicUrl: +# not set$/m)
  expect(printed).toMatch(/^auth: off +# --no-auth$/m)
  expect(printed).toMatch(/^ {2}requestBurst: 20000 +# default$/m)
  const set = Object.entries(resolved.settings).filter(([, value]) => value !== undefined)
  expect(parseConfig(printed, 'printed').map(({ key, value }) => [key, value])).toEqual(set)
})

test('a password is not printed, and what is printed sets none', () => {
  const printed = printConfiguration(resolveConfiguration({ environment: { STOWAGE_ADMIN_PASSWORD: 'correct horse' } }))
  expect(printed).toMatch(/^ {2}# password: \[hidden\] +# STOWAGE_ADMIN_PASSWORD$/m)
  expect(printed).not.toContain('correct horse')
  expect(parseConfig(printed, 'printed').map(({ key }) => key)).not.toContain('admin.password')
})
