import { networkOptions, outputOptions, registryOptions } from './common-options.ts'
import { longFlag } from './option-kinds.ts'

/**
 * `stowage --debug ls …` as `stowage ls --debug …`: users of skopeo and crane write some options before the command. Only those
 * that all commands have are moved; the program's own (`--help`, `--version`) stay.
 */
export const moveLeadingOptions = (argv: readonly string[]): readonly string[] => {
  const takesValue = new Map<string, boolean>()
  for (const { flags, also, negatable } of Object.values({ ...outputOptions, ...networkOptions, ...registryOptions })) {
    const spellings = [...(flags.match(/(?<=^|, )-{1,2}[a-zA-Z0-9-]+/g) ?? []), ...also]
    for (const spelling of spellings) takesValue.set(spelling, flags.includes('<'))
    if (negatable) takesValue.set(longFlag(flags).replace('--', '--no-'), false)
  }
  let at = 0
  while (at < argv.length) {
    const word = argv[at] ?? ''
    const takes = takesValue.get(word.split('=', 1)[0] ?? '')
    if (takes === undefined) break
    at += takes && !word.includes('=') ? 2 : 1
  }
  if (at === 0 || at >= argv.length || argv[at]?.startsWith('-')) return argv
  // Behind the verb of a group, too: an option there would be taken for something else.
  const name = argv.slice(at, at + 1)
  return [...name, ...argv.slice(at + 1), ...argv.slice(0, at)]
}
