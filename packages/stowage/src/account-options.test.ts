import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { AccountOptions } from '@stowage/registry'
import { expect, test } from 'vitest'
import { accountOptions } from './account-options.ts'
import { settingsFrom, type SettingsInput } from './config/options.ts'
import type { Problem } from './failure.ts'
import { temporaryDirectory } from './testing/temporary-directory.ts'

const made = (input: SettingsInput): { options: AccountOptions; problems: string[] } => {
  const problems: Problem[] = []
  const options = accountOptions(settingsFrom(input), problems)
  return { options, problems: problems.map(({ message }) => message) }
}

test('without settings there is nothing but the lifetime of tokens', () => {
  expect(made({})).toEqual({ options: { tokenLifetime: 600, rules: [], issuers: [] }, problems: [] })
})

test('settings become options', async () => {
  await using directory = await temporaryDirectory()
  const file = (name: string, text: string): string => {
    const path = join(directory.path, name)
    writeFileSync(path, text)
    return path
  }
  const secret = 's'.repeat(32)
  const permissions = [{ repositories: 'acme/*', actions: ['push'] as const }]
  const issuer = { name: 'ci', issuer: 'https://ci.example', audience: 'x', conditions: { sub: 'job' }, permissions }
  const tokenServer = { realm: 'https://auth.example/token/', issuer: 'auth', jwks: 'https://auth.example/keys' }
  const htpasswd = file('users', '')
  const { options, problems } = made({
    access: {
      rules: [{ subject: 'group:dev', repositories: 'team/*', actions: ['pull'] }],
      issuers: [issuer],
      service: 'registry.example',
      secretFile: file('secret', `${secret}\n`),
      htpasswd,
    },
    tokens: { lifetime: '5m' },
    tokenServer,
    admin: { name: 'root', passwordFile: file('password', 'correct horse\r\n') },
  })
  expect(problems).toEqual([])
  expect(options).toEqual({
    rules: [{ subject: { kind: 'group', name: 'dev' }, repositories: 'team/*', actions: ['pull'] }],
    issuers: [issuer],
    service: 'registry.example',
    secret,
    htpasswd,
    tokenLifetime: 300,
    tokenServer,
    firstAdministrator: { name: 'root', password: 'correct horse' },
  })
})

test('what is wrong is said without a secret', async () => {
  await using directory = await temporaryDirectory()
  const path = join(directory.path, 'secret')
  writeFileSync(path, 'hunter2\n')
  const input = { access: { secretFile: path }, admin: { password: 'hunter2hunter2', passwordFile: path } }
  const { problems } = made({ ...input, tokenServer: { issuer: 'auth' } })
  expect(problems).toEqual([
    `access.secretFile: ${path} has fewer than 32 characters. Make one with: openssl rand -base64 33`,
    'admin.password and admin.passwordFile both give the password: leave one of them away',
    `admin.passwordFile: the password in ${path} must have at least 8 characters, at most 1024 bytes, and be one line`,
    'tokenServer.issuer needs tokenServer.realm and tokenServer.jwks beside it',
  ])
  expect(made({ access: { htpasswd: '/nowhere/x' }, admin: { passwordFile: directory.path } }).problems).toEqual([
    `admin.passwordFile: ${directory.path} cannot be read: it is a directory`,
    'access.htpasswd: /nowhere/x cannot be read: it does not exist',
  ])
})
