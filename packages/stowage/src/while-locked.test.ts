import { setTimeout as sleep } from 'node:timers/promises'
import { createRegistry, type Registry } from '@stowage/registry'
import { expect, onTestFinished, test, vi } from 'vitest'
import { accountGroup } from './admin/account-operations.ts'
import { openAdminSocket } from './admin/server.ts'
import { StowageError } from './failure.ts'
import { serve } from './serve.ts'
import { runClientCommand } from './testing/client-command.ts'
import { temporaryDirectory } from './testing/temporary-directory.ts'
import { whileLocked } from './while-locked.ts'

/** A data directory that another has at the moment. */
const busy = async (): Promise<{ data: string; holder: Registry }> => {
  const directory = await temporaryDirectory()
  onTestFinished(async () => directory[Symbol.asyncDispose]())
  return { data: directory.path, holder: await createRegistry({ storage: directory.path }) }
}

const logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }

test('a command waits for one that has the directory', async () => {
  const { data, holder } = await busy()
  const command = runClientCommand(['user', 'ls', '--data', data])
  await sleep(200)
  await holder[Symbol.asyncDispose]()
  expect(await command).toMatchObject({ code: 0, stderr: '' })
})

test('a command that waits finds the server that has the directory', async () => {
  const { data, holder } = await busy()
  onTestFinished(async () => holder[Symbol.asyncDispose]())
  const registry = await createRegistry({ storage: ':memory:', accounts: {} })
  onTestFinished(async () => registry[Symbol.asyncDispose]())
  const { accounts } = registry
  if (accounts === undefined) throw new Error('There are no accounts.')
  await accounts.addUser({ name: 'ada' })
  const command = runClientCommand(['user', 'ls', '--data', data, '--json'])
  await sleep(200)
  const none = async (): Promise<never> => Promise.reject(new Error('not asked here'))
  const group = accountGroup({ accounts, facts: { auth: true } })
  const admin = await openAdminSocket(data, { status: none, sweep: none }, [group], logger)
  onTestFinished(async () => admin[Symbol.asyncDispose]())
  expect((await command).stdout).toContain('"ada"')
})

test('a server waits for a command that has the directory', async () => {
  const { data, holder } = await busy()
  const starting = serve({ address: '127.0.0.1:0', data, logger })
  await sleep(200)
  await holder[Symbol.asyncDispose]()
  await using serving = await starting
  expect((await fetch(`${serving.url}/v2/`)).status).toBe(200)
})

test('it does not wait for ever, nor for anything else', async () => {
  const clock = vi.spyOn(performance, 'now')
  onTestFinished(() => clock.mockRestore())
  let tries = 0
  const fail = async (failure: 'locked' | 'data'): Promise<never> => {
    tries += 1
    clock.mockReturnValue(3000 * tries)
    throw new StowageError(failure, failure)
  }
  clock.mockReturnValue(0)
  await expect(
    whileLocked(
      async () => fail('locked'),
      async () => undefined,
    ),
  ).rejects.toThrow('locked')
  expect(tries).toBe(2)
  clock.mockReturnValue(0)
  await expect(
    whileLocked(
      async () => fail('data'),
      async () => undefined,
    ),
  ).rejects.toThrow('data')
  expect(tries).toBe(3)
})
