import { flagOf, hasFlag, isToggle, settingKeys } from '../config/settings.ts'

const yes = /^(?:on|yes|true|1)$/i
const no = /^(?:off|no|false|0)$/i

/** Flags that are on or off by themselves. */
const toggles: readonly string[] = settingKeys.filter((key) => hasFlag(key) && isToggle(key)).map(flagOf)

/**
 * What is wrong with a flag that was given a value and takes none, as in `--auth off`: the next word would pass for the address.
 * A number is one, so only `--auth=0` is a mistake.
 */
export const toggleValueProblem = (argv: readonly string[]): string | undefined => {
  for (const [index, word] of argv.entries()) {
    if (word === '--') return undefined
    const [flag = '', ...rest] = word.split('=')
    if (!toggles.includes(flag)) continue
    const next = argv[index + 1] ?? ''
    const value = rest.length > 0 ? rest.join('=') : /^\d+$/.test(next) ? '' : next
    const [isYes, isNo] = [yes.test(value), no.test(value)]
    if (rest.length === 0 && !isYes && !isNo) continue
    const off = flag.replace('--', '--no-')
    return `${flag} takes no value. Write ${isNo ? off : isYes ? flag : `${flag} or ${off}`}.`
  }
  return undefined
}
