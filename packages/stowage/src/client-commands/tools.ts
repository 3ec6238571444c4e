import type { CommandContext } from '../command-line/context.ts'

/** What a part of a command gets of the command's context. */
export type Tools = Omit<CommandContext<readonly [], object>, 'args' | 'options'>
