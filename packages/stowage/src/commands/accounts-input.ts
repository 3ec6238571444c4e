import type { CommandContext } from '../command-line/context.ts'
import type { CommandInput } from './input.ts'

/** The server, or the data directory, that a command on accounts is about. */
export const inputOf = ({
  serverSettings: { data, config },
  environment,
}: Pick<CommandContext<[], object>, 'serverSettings' | 'environment'>): CommandInput => ({
  flags: { data },
  environment,
  file: config,
})
