import { Command, CommanderError, Option } from 'commander'
import { nearest } from '../config/suggest.ts'
import { StowageError } from '../failure.ts'
import { outputOptions } from './common-options.ts'
import type { ClientCommand } from './define.ts'
import { longFlag, type OptionSpec, type OptionSpecs, type OptionValues } from './option-kinds.ts'
import { optionGroups } from './option-groups.ts'

/** What a command line says. */
export interface Parsed {
  readonly args: readonly unknown[]
  /** The values of one group of options, by their names. @throws {StowageError} `usage` */
  read<O extends OptionSpecs>(specs: O): OptionValues<O>
}

/** The command as commander knows it: for its help, and to take a command line apart. */
export const toCommander = (path: string, command: ClientCommand): Command => {
  const made = new Command(path)
    .description(command.about)
    .helpOption('-h, --help', 'print this help')
    .helpCommand(false)
    .showSuggestionAfterError(false)
    .exitOverride()
  for (const argument of command.usage.split(' ').filter(Boolean)) {
    made.argument(argument, command.arguments[argument.replaceAll(/[^a-z-]/g, '')] ?? '')
  }
  for (const { heading, specs } of optionGroups(command)) {
    for (const spec of Object.values(specs)) {
      for (const option of optionsOf(withFormats(spec, command.formats))) made.addOption(option.helpGroup(heading))
    }
  }
  return made
}

/** `--format` of a command that has words of its own for it. */
const withFormats = (spec: OptionSpec<unknown>, formats: ClientCommand['formats']): OptionSpec<unknown> =>
  spec !== outputOptions.format || formats === undefined
    ? spec
    : { ...spec, about: `${formats.join(', ')}; or ${spec.about}` }

/** Takes apart what follows the name of a command. @throws {StowageError} `usage` */
export const parseArguments = (path: string, command: ClientCommand, argv: readonly string[]): Parsed => {
  const specs = optionGroups(command).flatMap((group) => Object.values(group.specs))
  const made = toCommander(path, command).configureOutput({ writeErr: () => {} })
  let args: readonly unknown[] = []
  made.action(() => {
    args = made.processedArgs
  })
  try {
    made.parse(withValues(argv, specs), { from: 'user' })
  } catch (error) {
    if (error instanceof CommanderError) throw usageError(path, error, specs)
    throw error
  }
  const given = (spec: OptionSpec<unknown>): readonly (string | boolean)[] =>
    optionsOf(spec).flatMap((option) => gathered(made.getOptionValue(option.attributeName())))
  return {
    args,
    read: <O extends OptionSpecs>(wanted: O) =>
      Object.fromEntries(
        Object.entries(wanted).map(([name, spec]) => [name, spec.read(given(spec))]),
      ) as OptionValues<O>,
  }
}

/** All spellings of an option. Each gathers what was given in a list of its own. */
const optionsOf = (spec: OptionSpec<unknown>): Option[] => {
  const value = valueOf(spec)
  const own = new Option(spec.flags, spec.about).hideHelp(spec.hidden)
  const others = spec.also.map((other) => new Option(`${other} ${value}`.trim()).hideHelp())
  return [own, ...others].flatMap((option) => {
    const plain = gathering(option, true)
    const negated = new Option(longFlag(option.flags).replace(/^--/, '--no-'))
    return spec.negatable ? [plain, gathering(negated.hideHelp(), false)] : [plain]
  })
}

/** `<file>`, `[bool]`, or nothing. */
const valueOf = ({ flags }: OptionSpec<unknown>): string => /[<[].*$/.exec(flags)?.[0] ?? ''

/** `instead` stands for the value of an option that has none. */
const gathering = (option: Option, instead: boolean): Option =>
  option.argParser((value: string | undefined, before: unknown) => [...gathered(before), value ?? instead])

/** Commander begins with `true` for what is called `--no-…`. */
const gathered = (value: unknown): readonly (string | boolean)[] => (Array.isArray(value) ? value : [])

/** An optional value is one only behind `=`: what follows the option may be an argument. */
const withValues = (argv: readonly string[], specs: readonly OptionSpec<unknown>[]): string[] => {
  const optional = new Set(
    specs.filter((spec) => valueOf(spec).startsWith('[')).flatMap(({ flags, also }) => [longFlag(flags), ...also]),
  )
  const end = argv.includes('--') ? argv.indexOf('--') : argv.length
  return argv.map((word, index) => (index < end && optional.has(word) ? `${word}=true` : word))
}

/** Commander's words, and what was probably meant. */
const usageError = (path: string, error: CommanderError, specs: readonly OptionSpec<unknown>[]): StowageError => {
  // What stands behind `=` may be a password.
  const said = error.message
    .replace(/^error: /, '')
    .replace(/'(-[^'=]*)=.*'/s, "'$1'")
    .replace(/\.$/, '')
  const unknown = error.code === 'commander.unknownOption' ? /'(--[^'=]+)/.exec(said)?.[1] : undefined
  const known = specs.flatMap((spec) => optionsOf(spec).flatMap((option) => option.long ?? []))
  const meant = unknown === undefined ? undefined : nearest(unknown, known)
  const help = `See stowage ${path} --help.`
  return new StowageError(
    'usage',
    `${said[0]?.toUpperCase()}${said.slice(1)}.${meant === undefined ? ` ${help}` : ` Did you mean ${meant}?`}`,
  )
}
