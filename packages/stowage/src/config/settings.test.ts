import { expect, test } from 'vitest'
import { environmentNames, flagOf, settingKeys } from './settings.ts'

test('no two settings share a name in the environment or a flag', () => {
  const variables = settingKeys.flatMap(environmentNames)
  const flags = settingKeys.map(flagOf)
  expect(new Set(variables).size).toBe(variables.length)
  expect(new Set(flags).size).toBe(flags.length)
})

test('names are made from keys', () => {
  expect(flagOf('uploads.expireAfter')).toBe('--uploads-expire-after')
  expect(environmentNames('uploads.expireAfter')).toEqual(['STOWAGE_UPLOADS_EXPIRE_AFTER'])
  expect(environmentNames('authentication.disabled')).toEqual([
    'STOWAGE_AUTHENTICATION_DISABLED',
    'DISABLE_AUTHENTICATION',
  ])
})
