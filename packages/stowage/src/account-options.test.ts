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
  const secret = '0123456789abcdef0123456789abcdef'
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
    `access.secretFile: the secret in ${path} has 7 characters, at least 32 are needed. Make one with: openssl rand -hex 32`,
    'admin.password and admin.passwordFile both give the password: leave one of them away',
    `admin.passwordFile: the password in ${path} must have at least 8 characters, at most 1024 bytes, and be one line`,
    'tokenServer.issuer needs tokenServer.realm and tokenServer.jwks beside it',
  ])
  expect(made({ access: { htpasswd: '/nowhere/x' }, admin: { passwordFile: directory.path } }).problems).toEqual([
    `admin.passwordFile: ${directory.path} cannot be read: it is a directory`,
    'access.htpasswd: /nowhere/x cannot be read: it does not exist',
  ])
})

test('files that the registry reads itself are looked at, too', async () => {
  await using directory = await temporaryDirectory()
  const file = (name: string, content: string | Uint8Array): string => {
    const path = join(directory.path, name)
    writeFileSync(path, content)
    return path
  }
  const [users, keys, weak] = [file('users', 'ada:hunter2\n'), file('keys', 'hunter2'), file('weak', 'ab'.repeat(20))]
  const server = { realm: 'https://auth.example/token', issuer: 'auth' }
  const { problems } = made({
    access: { htpasswd: users, secretFile: weak },
    tokenServer: { ...server, jwks: keys },
  })
  expect(problems).toEqual([
    expect.stringMatching(/^access\.secretFile: .* repeats a few characters/),
    `tokenServer.jwks: ${keys} cannot be used: it is not a JSON Web Key Set`,
    expect.stringMatching(/^access\.htpasswd: .* line 1 has no bcrypt hash/),
  ])
  expect(problems.join('')).not.toMatch(/hunter2|abab/)
  const missing = made({ tokenServer: { ...server, jwks: join(directory.path, 'none') } })
  expect(missing.problems).toEqual([expect.stringMatching(/^tokenServer\.jwks: .* it does not exist$/)])
  expect(made({ tokenServer: { ...server, jwks: 'https://auth.example/keys' } }).problems).toEqual([])
})

test('secrets in files are UTF-8, with or without a mark in front', async () => {
  await using directory = await temporaryDirectory()
  const path = join(directory.path, 'password')
  writeFileSync(path, '\ufeffcorrect horse\n')
  expect(made({ admin: { passwordFile: path } }).options.firstAdministrator?.password).toBe('correct horse')
  writeFileSync(path, Buffer.from('corr\u00e9ct horse', 'latin1'))
  expect(made({ admin: { passwordFile: path } }).problems).toEqual([`admin.passwordFile: ${path} is not text in UTF-8`])
})
