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
    },
    environment: { STOWAGE_ALLOW_MISSING_BLOBS: 'true' },
  })
  const printed = printConfiguration(resolved)
  expect(printed).toMatch(/^address: .* # address$/m)
  expect(printed).toMatch(/^ {2}allowMissingBlobs: true +# STOWAGE_ALLOW_MISSING_BLOBS$/m)
  expect(printed).toMatch(/^ {2}expireAfter: 10m +# default$/m)
  expect(printed).toMatch(/^# publicUrl: +# not set$/m)
  const set = Object.entries(resolved.settings).filter(([, value]) => value !== undefined)
  expect(parseConfig(printed, 'printed').map(({ key, value }) => [key, value])).toEqual(set)
})
