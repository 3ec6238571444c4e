import { expect, test } from 'vitest'
import { permissionActions } from '@stowage/registry'
import { actions } from './setting.ts'
import { environmentNames, flagOf, hasFlag, settingKeys } from './settings.ts'

test('no two settings share a name in the environment or a flag', () => {
  const variables = settingKeys.flatMap(environmentNames)
  const flags = settingKeys.map(flagOf)
  expect(new Set(variables).size).toBe(variables.length)
  expect(new Set(flags).size).toBe(flags.length)
})

test('names are made from keys', () => {
  expect(flagOf('uploads.expireAfter')).toBe('--uploads-expire-after')
  expect(environmentNames('uploads.expireAfter')).toEqual(['STOWAGE_UPLOADS_EXPIRE_AFTER'])
  expect(environmentNames('auth')).toEqual(['STOWAGE_AUTH', 'DISABLE_AUTHENTICATION'])
  expect(environmentNames('tokenServer.realm')).toEqual(['STOWAGE_TOKEN_SERVER_REALM', 'AUTHENTICATION_SERVER'])
})

test('actions are those of the registry, in its order', () => {
  expect(actions).toEqual(permissionActions)
})

test('a secret has no flag', () => {
  expect(settingKeys.filter((key) => !hasFlag(key))).toEqual(['address', 'admin.password'])
})
