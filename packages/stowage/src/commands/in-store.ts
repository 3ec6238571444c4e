import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { AccountOptions } from '@stowage/registry'
import { accountOptions } from '../account-options.ts'
import {
  accountGroup,
  type AccountOperation,
  type OperationAnswer,
  type OperationBody,
} from '../admin/account-operations.ts'
import type { AdminError } from '../admin/api.ts'
import type { Settings } from '../config/settings.ts'
import { configurationError, type Problem, StowageError } from '../failure.ts'
import { type AccountAnswer, openStore } from './ask.ts'

/** Does something with the accounts of a registry that no server serves. @param onOpen Called once it is open. */
export const inStore = async <O extends AccountOperation>(
  settings: Settings,
  operation: O,
  body: OperationBody<O>,
  onOpen: () => void,
): Promise<AccountAnswer<O>> => {
  const problems: Problem[] = []
  // The first administrator is for a server that starts: a command must not make one besides what it was told to do.
  const { firstAdministrator: _, ...options } = accountOptions(settings, problems)
  if (problems.length > 0) throw configurationError(problems)
  const hasSecret = options.secret !== undefined || existsSync(join(settings.data, 'secret.key'))
  // A server may have been told of another secret than this command was: none is made for a look, or for what needs none.
  const passing = hasSecret ? options : { ...options, secret: randomBytes(32).toString('hex') }
  if (operation !== 'key-rotate') return performIn(settings, passing, operation, body, onOpen)
  await requireOwnKeys(settings, passing)
  return performIn(settings, options, operation, body, onOpen)
}

const performIn = async <O extends AccountOperation>(
  settings: Settings,
  options: AccountOptions,
  operation: O,
  body: OperationBody<O>,
  onOpen: () => void,
): Promise<AccountAnswer<O>> => {
  await using registry = await openStore(settings, options)
  onOpen()
  const { accounts } = registry
  if (accounts === undefined) throw new Error('a registry that was opened with accounts has none')
  // What a command was not told may still be so where the server is started.
  const group = accountGroup({ accounts, facts: { auth: settings.auth } })
  const { status, value } = await group.perform(operation, body, new AbortController().signal)
  return status === 200 ? { value: value as OperationAnswer<O> } : (value as AdminError)
}

/** A key under another secret than the server's would be one that it cannot use. */
const requireOwnKeys = async (settings: Settings, options: AccountOptions): Promise<void> => {
  await using registry = await openStore(settings, options)
  const keys = (await registry.accounts?.listKeys()) ?? []
  if (keys.length === 0 || keys.some(({ current }) => current)) return
  throw new StowageError(
    'configuration',
    'The signing keys of this registry are sealed with another secret than the one this command has.',
    { hint: 'Give it the configuration of the server with --config, or rotate while the server runs.' },
  )
}
