import { flagOf, hasFlag, isToggle, settingKeys, settingOf } from '../config/settings.ts'
import type { ListedCommand } from './find-command.ts'
import { optionGroups } from './option-groups.ts'
import { longFlag, type OptionSpec } from './option-kinds.ts'

/** What a shell can complete. */
export interface CompletionWords {
  /** The words after `stowage`, with what they mean. */
  readonly first: ReadonlyMap<string, string>
  /** The verbs of each group, with what they mean. */
  readonly verbs: ReadonlyMap<string, ReadonlyMap<string, string>>
  /** The options of each command, by all its names. */
  readonly options: ReadonlyMap<string, readonly CompletedOption[]>
}

export interface CompletedOption {
  /** `-o`, `--output` */
  readonly spellings: readonly string[]
  readonly about: string
  /** Whether a value follows, and whether that is a file. */
  readonly value: 'none' | 'file' | 'other'
}

export const completionWords = async (list: readonly ListedCommand[]): Promise<CompletionWords> => {
  const first = new Map<string, string>()
  const verbs = new Map<string, Map<string, string>>()
  const options = new Map<string, readonly CompletedOption[]>()
  for (const [name, summary, flags] of serverCommands) {
    first.set(name, summary)
    options.set(name, flags)
  }
  for (const { name, aliases, summary, load } of list) {
    const command = await load()
    const specs = optionGroups(command).flatMap((group) => Object.values(group.specs))
    const completed = [...specs.filter(({ hidden }) => !hidden).flatMap(toCompleted), help]
    for (const one of [name, ...aliases]) {
      const [word = '', verb] = one.split(' ')
      options.set(one, completed)
      if (verb === undefined) {
        first.set(word, summary)
      } else {
        if (!first.has(word)) first.set(word, `commands of ${word}`)
        verbs.set(word, (verbs.get(word) ?? new Map<string, string>()).set(verb, summary))
      }
    }
  }
  return { first, verbs, options }
}

const help: CompletedOption = { spellings: ['-h', '--help'], about: 'print help', value: 'none' }

const toCompleted = ({ flags, about, also, negatable }: OptionSpec<unknown>): CompletedOption[] => {
  const value = flags.includes('<file>') ? 'file' : flags.includes('<') ? 'other' : 'none'
  const own = flags.match(/(?<=^|, )-{1,2}[a-zA-Z0-9-]+/g) ?? []
  const completed: CompletedOption = {
    spellings: [...own, ...also.filter((one) => one.startsWith('--'))],
    about,
    value,
  }
  if (!negatable) return [completed]
  return [completed, { spellings: [longFlag(flags).replace('--', '--no-')], about: `not: ${about}`, value: 'none' }]
}

const settingOptions = (keys: typeof settingKeys): CompletedOption[] =>
  keys.map((key) => {
    const { kind, about, unanimous } = settingOf(key)
    const value = kind === 'path' ? 'file' : isToggle(key) ? 'none' : 'other'
    const opposite = unanimous === true ? [flagOf(key).replace('--', '--no-')] : []
    return { spellings: [flagOf(key), ...opposite], about: about.replaceAll('`', ''), value }
  })

const config: CompletedOption = { spellings: ['--config'], about: 'a configuration file', value: 'file' }
const json: CompletedOption = { spellings: ['--json'], about: 'print JSON', value: 'none' }
const data = settingOptions(settingKeys.filter((key) => key === 'data'))

const serverCommands: readonly (readonly [name: string, summary: string, options: readonly CompletedOption[]])[] = [
  [
    'serve',
    'serve a registry',
    [
      ...settingOptions(settingKeys.filter(hasFlag)),
      config,
      { spellings: ['--check-config'], about: 'print the configuration in effect', value: 'none' },
      help,
    ],
  ],
  ['status', 'show what is in a registry, and whether it is served', [...data, config, json, help]],
  ['sweep', 'delete now what has expired', [...data, config, json, help]],
]
