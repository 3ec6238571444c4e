import { existsSync } from 'node:fs'
import type { Registry } from '@stowage/registry'
import type { AdminOperations } from '../admin/api.ts'
import { askServer } from '../admin/client.ts'
import { resolveConfiguration } from '../config/resolve.ts'
import type { Settings } from '../config/settings.ts'
import { StowageError } from '../failure.ts'
import { createLogger } from '../log/create-logger.ts'
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
  if (!existsSync(settings.data)) {
    throw new StowageError('no-data', `There is no data directory ${settings.data}. Say which one with --data.`)
  }
  const fromServer = await askServer(settings.data, operation)
  if (fromServer !== undefined) return { by: 'server', answer: fromServer, settings }

  // Only now: the store is a lot to load, and asking a server does not need it.
  const { openRegistry } = await import('../open-registry.ts')
  const { registryOptions } = await import('../registry-options.ts')
  const logger = createLogger({ level: 'warn', pretty: process.stderr.isTTY })
  await using registry = await openRegistry(settings.data, registryOptions(settings, logger))
  return { by: 'store', answer: await here(registry), settings }
}
