import type { ConfigurationInput } from '../config/resolve.ts'

/** What a command gets: flags, environment, and the path of a configuration file. */
export type CommandInput = ConfigurationInput
