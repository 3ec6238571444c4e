import { expect, test } from 'vitest'
import { runClientCommand } from '../testing/client-command.ts'

test.each([
  ['ls', 'https://me:hunter2@localhost:1/app'],
  ['ls', 'me:hunter2@registry.example/app'],
  ['catalog', 'https://me:hunter2@registry.example'],
  ['cp', '-a', 'https://me:hunter2@registry.example/app', 'localhost:1/app'],
  ['sync', 'https://me:hunter2@registry.example/app', 'localhost:1/app'],
  ['login', 'https://me:hunter2@registry.example', '-u', 'me', '-p', 'hunter2'],
  ['ls', 'localhost:1/app', '--pasword=hunter2'],
  ['ls', 'localhost:1/app', '--quiet=hunter2'],
])('a password in the wrong place is not repeated: stowage %s %s', async (...argv) => {
  const { code, stdout, stderr } = await runClientCommand(argv)
  expect(code).toBe(64)
  expect(stdout + stderr).not.toContain('hunter2')
})

test('what only looks like a password is named in full', async () => {
  const { code, stderr } = await runClientCommand(['ls', 'app:v1@sha256:short'])
  expect(code).toBe(64)
  expect(stderr).toContain('app:v1@sha256:short')
})
