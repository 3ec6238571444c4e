import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { fileProblems } from './file-problems.ts'

it('says what is wrong, and not what was given', () => {
  const { secret, htpasswd, jwks } = fileProblems
  expect(secret('short')).toBe('has 5 characters, at least 32 are needed. Make one with: openssl rand -hex 32')
  expect(secret('ab'.repeat(20))).toMatch(/^repeats a few characters/)
  expect(secret('0123456789abcdef0123456789abcdef')).toBeUndefined()
  expect(htpasswd('# nobody\nada:hunter2\nbob\n')).toMatch(/^line 2 has no bcrypt hash.*; line 3 is not `name:hash`$/)
  expect(htpasswd('')).toBeUndefined()
  for (const text of ['', 'hunter2', '{}', '{"keys":1}', '{"keys":["x"]}']) {
    expect(jwks(text)).toBe('it is not a JSON Web Key Set')
  }
  expect(jwks('{"keys":[]}')).toBeUndefined()
})

it('looks at the secret of a data directory, and makes none', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'stowage-problems-'))
  onTestFinished(async () => rm(directory, { recursive: true }))
  expect(await fileProblems.secretFile(directory)).toBeUndefined()
  await writeFile(join(directory, 'secret.key'), 'hunter2', { mode: 0o600 })
  expect(await fileProblems.secretFile(directory)).toMatch(/does not hold the secret that was written there/)
  expect(await fileProblems.secretFile(directory)).not.toContain('hunter2')
})
