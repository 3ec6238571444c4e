import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { AccountOptions, Registry } from '@stowage/registry'
import type { AccountOperation, OperationAnswer, OperationBody } from '../admin/account-operations.ts'
import type { AdminError, AdminOperations } from '../admin/api.ts'
import { askAccountServer, askServer, askUpkeepServer } from '../admin/client.ts'
import type { UpkeepAnswer, UpkeepBody, UpkeepOperation } from '../admin/upkeep-operations.ts'
import { resolveConfiguration } from '../config/resolve.ts'
import type { Settings } from '../config/settings.ts'
import { type Failure, StowageError } from '../failure.ts'
import { whileLocked } from '../while-locked.ts'
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
  requireRegistry(settings)
  type Both = Answered<Awaited<ReturnType<AdminOperations[O]>>, B>
  const byServer = async (): Promise<Both | undefined> => {
    const answer = await askServer(settings.data, operation)
    return answer === undefined ? undefined : { by: 'server', answer }
  }
  const byStore = async (): Promise<Both> => {
    // Without accounts: who only looks at what is stored needs no secret, and makes none.
    await using registry = await openStore(settings, undefined)
    return { by: 'store', answer: await here(registry) }
  }
  return { ...((await byServer()) ?? (await whileLocked(byStore, byServer))), settings }
}

/**
 * Has something done with accounts, in the same two ways. It works while `auth` is off, too: what is prepared holds from the
 * moment on when it is turned on.
 *
 * @param onNew Called when there was no registry, and one was made. Without it that is an error: a command that was told of the
 * wrong directory must not answer as if nobody were there.
 * @throws StowageError
 */
export const askAccounts = async <O extends AccountOperation>(
  input: CommandInput,
  operation: O,
  body: OperationBody<O>,
  onNew?: (data: string) => void,
): Promise<OperationAnswer<O>> => {
  const { settings } = resolveConfiguration(input)
  const isNew = onNew === undefined ? requireRegistry(settings) : !hasRegistry(settings)
  const byServer = async (): Promise<AccountAnswer<O> | undefined> => askAccountServer(settings.data, operation, body)
  const byStore = async (): Promise<AccountAnswer<O>> => {
    const { inStore } = await import('./in-store.ts')
    return inStore(settings, operation, body, () => isNew && onNew?.(settings.data))
  }
  return valueOf((await byServer()) ?? (await whileLocked(byStore, byServer)))
}

/**
 * Has something done for the upkeep of a registry, in the same two ways. It may take long.
 *
 * @param signal Ends it, wherever it runs.
 * @throws StowageError; the reason of the signal.
 */
export const askUpkeep = async <O extends UpkeepOperation>(
  input: CommandInput,
  operation: O,
  body: UpkeepBody<O>,
  signal: AbortSignal,
): Promise<UpkeepAnswer<O>> => {
  const { settings } = resolveConfiguration(input)
  requireRegistry(settings)
  const byServer = async (): Promise<Answer<UpkeepAnswer<O>> | undefined> =>
    askUpkeepServer(settings.data, operation, body, signal)
  const byStore = async (): Promise<Answer<UpkeepAnswer<O>>> => {
    const { upkeepGroup } = await import('../admin/upkeep-operations.ts')
    // What a run withholds is in its report.
    await using registry = await openStore(settings, undefined, 'error')
    const group = upkeepGroup({ registry, exclusive: true })
    const { status, value } = await group.perform(operation, body, signal)
    return status === 200 ? { value: value as UpkeepAnswer<O> } : (value as AdminError)
  }
  const value = valueOf((await byServer()) ?? (await whileLocked(byStore, byServer)))
  signal.throwIfAborted()
  return value
}

export type Answer<A> = { readonly value: A } | AdminError
export type AccountAnswer<O extends AccountOperation> = Answer<OperationAnswer<O>>

const valueOf = <A>(answer: Answer<A>): A => {
  if ('value' in answer) return answer.value
  const { code, message } = answer.error
  throw new StowageError(failures[code] ?? 'failed', message)
}

const failures: Partial<Record<AdminError['error']['code'], Failure>> = {
  invalid: 'usage',
  refused: 'denied',
  unknown: 'not-found',
}

/** @throws StowageError `no-data` */
export const requireRegistry = (settings: Settings): false => {
  if (hasRegistry(settings)) return false
  const { data } = settings
  const what = existsSync(data)
    ? `There is no registry in ${data}: it has no registry.db`
    : `There is no data directory ${data}`
  throw new StowageError('no-data', `${what}. Say which one with --data.`)
}

/** @throws StowageError `no-data` when the data directory is a file, or behind one */
const hasRegistry = ({ data }: Settings): boolean => {
  try {
    statSync(join(data, 'registry.db'))
    return true
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
    if (code === 'ENOENT') return false
    // Who may not look may not ask either, and that is said better further on.
    if (code !== 'ENOTDIR') return true
    throw new StowageError('no-data', `${data} is no directory. Say which one with --data.`, { cause })
  }
}

/** The registry of the data directory, in this process. */
export const openStore = async (
  settings: Settings,
  accounts: AccountOptions | undefined,
  level: 'warn' | 'error' = 'warn',
): Promise<Registry> => {
  // Only now: the store is a lot to load, and asking a server does not need it.
  const { openRegistry } = await import('../open-registry.ts')
  const { registryOptions } = await import('../registry-options.ts')
  const { createLogger } = await import('../log/create-logger.ts')
  const logger = createLogger({ level, pretty: process.stderr.isTTY })
  const { upkeep, ...options } = registryOptions(settings, logger, accounts)
  // What a server does by itself now and then, a command does only when it was told to.
  return openRegistry(settings.data, {
    ...options,
    upkeep: {
      garbage: { ...upkeep?.garbage, every: 0 },
      retention: { ...upkeep?.retention, every: 0 },
      scrub: { ...upkeep?.scrub, every: 0 },
    },
  })
}
