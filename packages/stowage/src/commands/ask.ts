import { existsSync } from 'node:fs'
import type { AccountOptions, Registry } from '@stowage/registry'
import type { AccountOperation, OperationAnswer, OperationBody } from '../admin/account-operations.ts'
import type { AdminError, AdminOperations } from '../admin/api.ts'
import { askAccountServer, askServer } from '../admin/client.ts'
import { resolveConfiguration } from '../config/resolve.ts'
import type { Settings } from '../config/settings.ts'
import { configurationError, type Failure, type Problem, StowageError } from '../failure.ts'
import type { CommandInput } from './input.ts'

/** The answer of the running server, or that of the store itself when no server runs. */
export type Answered<A, B> =
  | { readonly by: 'server'; readonly answer: A }
  | { readonly by: 'store'; readonly answer: B }

/**
 * Has the server that owns the data directory do something; when none runs, opens the store and does it here.
 *
 * @throws StowageError
 */
export const ask = async <O extends keyof AdminOperations, B>(
  input: CommandInput,
  operation: O,
  here: (registry: Registry) => Promise<B>,
): Promise<Answered<Awaited<ReturnType<AdminOperations[O]>>, B> & { readonly settings: Settings }> => {
  const { settings } = resolveConfiguration(input)
  requireData(settings)
  const fromServer = await askServer(settings.data, operation)
  if (fromServer !== undefined) return { by: 'server', answer: fromServer, settings }
  await using registry = await openStore(settings, {})
  return { by: 'store', answer: await here(registry), settings }
}

/**
 * Has something done with accounts, in the same two ways. It works while `auth` is off, too: what is prepared holds from the
 * moment on when it is turned on.
 *
 * @throws StowageError
 */
export const askAccounts = async <O extends AccountOperation>(
  input: CommandInput,
  operation: O,
  body: OperationBody<O>,
): Promise<OperationAnswer<O>> => {
  const { settings } = resolveConfiguration(input)
  requireData(settings)
  const answer = (await askAccountServer(settings.data, operation, body)) ?? (await inStore(settings, operation, body))
  if ('value' in answer) return answer.value
  const { code, message } = answer.error
  throw new StowageError(failures[code] ?? 'failed', message)
}

const failures: Partial<Record<AdminError['error']['code'], Failure>> = { invalid: 'usage', unknown: 'not-found' }

const inStore = async <O extends AccountOperation>(
  settings: Settings,
  operation: O,
  body: OperationBody<O>,
): Promise<{ readonly value: OperationAnswer<O> } | AdminError> => {
  const { accountOptions } = await import('../account-options.ts')
  const { perform } = await import('../admin/account-requests.ts')
  const problems: Problem[] = []
  // The first administrator is for a server that starts: a command must not make one besides what it was told to do.
  const { firstAdministrator: _, ...options } = accountOptions(settings, problems)
  if (problems.length > 0) throw configurationError(problems)
  await using registry = await openStore(settings, options)
  if (registry.accounts === undefined) throw new Error('a registry that was opened with accounts has none')
  const { status, value } = await perform(registry.accounts, operation, body)
  return status === 200 ? { value: value as OperationAnswer<O> } : (value as AdminError)
}

/** @throws StowageError `no-data` */
const requireData = (settings: Settings): void => {
  if (existsSync(settings.data)) return
  throw new StowageError('no-data', `There is no data directory ${settings.data}. Say which one with --data.`)
}

const openStore = async (settings: Settings, accounts: AccountOptions): Promise<Registry> => {
  // Only now: the store is a lot to load, and asking a server does not need it.
  const { openRegistry } = await import('../open-registry.ts')
  const { registryOptions } = await import('../registry-options.ts')
  const { createLogger } = await import('../log/create-logger.ts')
  const logger = createLogger({ level: 'warn', pretty: process.stderr.isTTY })
  return openRegistry(settings.data, registryOptions(settings, logger, accounts))
}
