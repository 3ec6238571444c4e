import { expect, test } from 'vitest'
import { settingsFrom, type SettingsInput } from './config/options.ts'
import { registryOptions } from './registry-options.ts'

const logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }
const options = (input: SettingsInput) => registryOptions(settingsFrom(input), logger, {})

test('with auth the registry decides itself, at a rate that is bounded', () => {
  const { access, limits } = options({ auth: true })
  expect(access).toBeUndefined()
  expect(limits).toEqual({ requestRate: 1000, requestBurst: 20_000, openUploads: 1000, allOpenUploads: 10_000 })
})

test.each([undefined, false] as const)('with auth %s everybody may do everything, at any rate', async (auth) => {
  const { access, limits } = options(auth === undefined ? {} : { auth })
  expect(Object.keys(access ?? {})).toEqual(['authenticate', 'authorize', 'visible'])
  expect(limits).toEqual({ openUploads: 1000, allOpenUploads: 10_000 })
})

test('globs of tags are taken apart, and quotas handed on', () => {
  const quotas = [{ repositories: 'team/*', bytes: 5 }]
  expect(options({ policies: { immutableTags: ['team/*:v*'], quotas } }).policies).toEqual({
    readOnly: false,
    deletion: true,
    immutableTags: [{ repositories: 'team/*', tags: 'v*' }],
    quotas,
  })
})
