import { expect, test } from 'vitest'
import { settingsFrom, type SettingsInput } from '../config/options.ts'
import { settingKeys, settingOf } from '../config/settings.ts'
import { withoutAuth } from './without-auth.ts'

const problemsOf = (input: SettingsInput): (string | undefined)[] =>
  withoutAuth(settingsFrom(input)).map(({ key }) => key)

/** Each setting that is about who asks, given. */
const given: readonly SettingsInput[] = [
  { access: { rules: [{ subject: 'anonymous', repositories: '*', actions: ['pull'] }] } },
  { access: { issuers: [] } },
  { access: { htpasswd: 'users' } },
  { access: { service: 'registry.example' } },
  { access: { secretFile: 'secret' } },
  { tokens: { lifetime: '5m' } },
  { tokenServer: { realm: 'https://auth.example/token' } },
  { tokenServer: { issuer: 'auth' } },
  { tokenServer: { jwks: 'keys.json' } },
  { limits: { requestRate: 5 } },
  { limits: { requestBurst: 5 } },
]

test('each of them does nothing without auth, and says so', () => {
  const found = given.map(problemsOf)
  expect(found.flat()).toEqual(settingKeys.filter((key) => settingOf(key).needsAuth === true))
  expect(found.every((keys) => keys.length === 1)).toBe(true)
  for (const auth of [undefined, false] as const) {
    const [problem] = withoutAuth(settingsFrom({ ...given[0], ...(auth !== undefined && { auth }) }))
    expect(problem?.message).toContain(auth === undefined ? 'while auth is not on' : 'while auth is off')
  }
})

test('what holds without auth may be given, and what is so by itself', () => {
  expect(
    problemsOf({
      tokens: { lifetime: '600s' },
      limits: { requestRate: 0, openUploads: 5, allOpenUploads: 5 },
      admin: { name: 'root', password: 'correct horse' },
      policies: {
        readOnly: true,
        deletion: false,
        immutableTags: ['*:v*'],
        quotas: [{ repositories: '*', bytes: '1GiB' }],
      },
      trustedProxies: ['10.0.0.0/8'],
    }),
  ).toEqual([])
})

test('the quota of a user needs users', () => {
  const [problem] = withoutAuth(settingsFrom({ policies: { quotas: [{ user: 'ada', bytes: 1 }] } }))
  expect(problem).toMatchObject({ key: 'policies.quotas', message: expect.stringContaining('"ada"') as string })
})
