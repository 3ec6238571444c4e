import { setFlagsFromString } from 'node:v8'
import { findCommand, type ListedCommand } from './find-command.ts'
import { moveLeadingOptions } from './leading-options.ts'
import type { Surroundings } from './run-command.ts'

/**
 * Runs a command line of the client.
 *
 * @returns the exit code; undefined when its first word is none of these commands
 * @throws {StowageError} `usage` for a verb that a group does not have
 */
export const runClient = async (
  list: readonly ListedCommand[],
  argv: readonly string[],
  surroundings: () => Surroundings,
): Promise<number | undefined> => {
  const found = findCommand(list, moveLeadingOptions(argv))
  if (found === undefined) return undefined
  if (found.kind === 'group') {
    const { groupHelp } = await import('./help.ts')
    const { createWrite, ReaderGone } = await import('../terminal/write.ts')
    try {
      await createWrite(surroundings().terminal.stdout)(groupHelp(found.group, list))
    } catch (error) {
      if (!(error instanceof ReaderGone)) throw error
    }
    return 0
  }
  // A copy makes garbage as fast as bytes pass. A young generation that grows with it holds on to tens of MiB of buffers that nobody
  // needs, and is no faster for it: a copy of 1 GiB between two registries took 104 MiB instead of 169.
  setFlagsFromString('--semi-space-growth-factor=1')
  const { runCommand } = await import('./run-command.ts')
  return runCommand(found, surroundings())
}
