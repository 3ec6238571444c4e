import { resolveConfiguration } from '../config/resolve.ts'
import { toInput } from '../config/options.ts'
import { printConfiguration } from '../config/print.ts'
import { createLogger } from '../log/create-logger.ts'
import { serve } from '../serve.ts'
import { permit } from '../server/policy.ts'
import { banner } from './banner.ts'
import type { CommandInput } from './input.ts'
import { stopOnSignals } from './signals.ts'
import { withSources } from './with-sources.ts'

/** `stowage serve`: runs until it is told to stop. With `check`, only says what would be done. */
export const serveCommand = async (input: CommandInput, { check }: { readonly check: boolean }): Promise<void> => {
  const resolved = resolveConfiguration(input)
  const { settings, sources } = resolved
  if (check) {
    await withSources(sources, async () => permit(settings))
    process.stdout.write(`${printConfiguration(resolved)}\n`)
    return
  }
  const logger = createLogger({ level: settings['log.level'], pretty: process.stderr.isTTY })
  const serving = await withSources(sources, async () => serve({ ...toInput(settings), logger }))
  // A reader that went away (`stowage serve | head`) must not take the registry with it.
  process.stdout.on('error', () => {})
  const { url, address: listening, notices } = serving
  process.stdout.write(banner({ url, listening, data: settings.data, settings, notices }))
  await stopOnSignals(serving, logger)
}
