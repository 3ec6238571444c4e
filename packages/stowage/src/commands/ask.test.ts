import { expect, test } from 'vitest'
import { withoutServer } from '../testing/account-worlds.ts'
import { runClientCommand } from '../testing/client-command.ts'

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

test('a data directory that is not there is not made', async () => {
  expect(await runClientCommand(['user', 'ls', '--data', '/nowhere/data'])).toMatchObject({
    code: 66,
    stderr: 'stowage: There is no data directory /nowhere/data. Say which one with --data.\n',
  })
})
