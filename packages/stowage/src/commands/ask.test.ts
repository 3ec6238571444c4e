import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createRegistry } from '@stowage/registry'
import { expect, onTestFinished, test } from 'vitest'
import { withoutServer } from '../testing/account-worlds.ts'
import { runClientCommand } from '../testing/client-command.ts'
import { run } from '../testing/command.ts'
import { temporaryDirectory } from '../testing/temporary-directory.ts'

test('rules and issuers of the configuration are listed and explained, and the first administrator is left to the server', async () => {
  const stowage = await withoutServer()
  const environment = {
    STOWAGE_ACCESS_RULES: '[{"subject":"anonymous","repositories":"public/*","actions":["pull"]}]',
    STOWAGE_ADMIN_PASSWORD: 'correct horse',
  }
  const listed = await stowage(['access', 'ls'], { environment })
  expect(listed.stdout).toMatch(/^-  +anonymous +public\/\* +pull$/m)
  const explained = await stowage(['access', 'explain', 'anonymous', 'pull', 'public/a'], { environment })
  expect(explained).toMatchObject({ code: 0, stdout: expect.stringContaining('configuration') as string })
  expect(JSON.parse((await stowage(['user', 'ls', '--json'], { environment })).stdout)).toEqual({ users: [] })
})

const scratch = async (): Promise<string> => {
  const directory = await temporaryDirectory()
  onTestFinished(async () => directory[Symbol.asyncDispose]())
  return directory.path
}

const initialised = async (secret?: string): Promise<string> => {
  const data = await scratch()
  const registry = await createRegistry({ storage: data, ...(secret !== undefined && { accounts: { secret } }) })
  if (secret !== undefined) await registry.accounts?.rotateKeys()
  await registry[Symbol.asyncDispose]()
  return data
}

const secret = '0123456789abcdef0123456789abcdef'

test('a directory without a registry is no answer, and nothing is made in it', async () => {
  const data = await scratch()
  const file = join(data, 'file')
  writeFileSync(file, '')
  for (const [path, said] of [
    [data, `There is no registry in ${data}: it has no registry.db.`],
    [file, `${file} is no directory.`],
    [join(file, 'x'), `${join(file, 'x')} is no directory.`],
  ] as const) {
    const missing = { code: 66, stdout: '', stderr: `stowage: ${said} Say which one with --data.\n` }
    expect(await runClientCommand(['user', 'ls', '--data', path])).toMatchObject(missing)
    expect(await runClientCommand(['key', 'rotate', '--data', path])).toMatchObject(missing)
    expect(await run(['status', '--data', path])).toMatchObject(missing)
    expect(await run(['sweep', '--data', path])).toMatchObject(missing)
  }
  const add = ['user', 'add', 'ada', '--no-password', '--data', file]
  expect(await runClientCommand(add)).toMatchObject({ code: 66 })
  expect(readdirSync(data)).toEqual(['file'])
})

test('the first user can be there before the first start, and where that was is said', async () => {
  const data = join(await scratch(), 'new')
  const add = (name: string): ReturnType<typeof runClientCommand> =>
    runClientCommand(['user', 'add', name, '--no-password', '--data', data])
  expect(await add('ada')).toMatchObject({
    code: 0,
    stdout: 'Added ada.\n',
    stderr: `Made a new registry in ${data}.\n`,
  })
  expect(await add('bob')).toMatchObject({ code: 0, stderr: '' })
})

test('a command that needs no secret makes none', async () => {
  const data = await initialised(secret)
  for (const argv of [
    ['user', 'ls'],
    ['user', 'add', 'ada', '--no-password'],
    ['key', 'ls'],
  ]) {
    expect(await runClientCommand([...argv, '--data', data])).toMatchObject({ code: 0 })
  }
  for (const argv of [['status'], ['sweep']]) expect(await run([...argv, '--data', data])).toMatchObject({ code: 0 })
  expect(existsSync(join(data, 'secret.key'))).toBe(false)
})

test('status and sweep ask for none of the files of accounts', async () => {
  const data = await initialised()
  const env = { STOWAGE_ACCESS_SECRET_FILE: '/nowhere/secret', STOWAGE_ACCESS_HTPASSWD: '/nowhere/users' }
  for (const argv of [['status'], ['sweep']]) {
    expect(await run([...argv, '--data', data], { env })).toMatchObject({ code: 0 })
  }
})

test('keys are rotated with the secret of the server, or not at all', async () => {
  const data = await initialised(secret)
  const rotate = ['key', 'rotate', '--data', data]
  expect(await runClientCommand(rotate)).toMatchObject({
    code: 78,
    stderr: expect.stringMatching(/sealed with another secret.*\n.*--config/) as string,
  })
  expect(existsSync(join(data, 'secret.key'))).toBe(false)
  const file = join(data, 'secret')
  writeFileSync(file, `${secret}\n`)
  const environment = { STOWAGE_ACCESS_SECRET_FILE: file }
  expect(await runClientCommand(rotate, { environment })).toMatchObject({ code: 0 })
  const registry = await createRegistry({ storage: data, accounts: { secret } })
  onTestFinished(async () => registry[Symbol.asyncDispose]())
  expect((await registry.accounts?.listKeys())?.map(({ current }) => current)).toEqual([true, false])
})

test('a data directory that is not there is not made', async () => {
  expect(await runClientCommand(['user', 'ls', '--data', '/nowhere/data'])).toMatchObject({
    code: 66,
    stderr: 'stowage: There is no data directory /nowhere/data. Say which one with --data.\n',
  })
})
