import type { CommandContext } from './context.ts'
import type { OptionSpecs, OptionValues } from './option-kinds.ts'

/** `'<source> <target> [tags...]'` as the arguments that come of it. */
export type ArgumentsOf<U extends string> = U extends ''
  ? readonly []
  : U extends `${infer First} ${infer Rest}`
    ? readonly [ArgumentOf<First>, ...ArgumentsOf<Rest>]
    : readonly [ArgumentOf<U>]

type ArgumentOf<A extends string> = A extends `${string}...${string}`
  ? readonly string[]
  : A extends `[${string}`
    ? string | undefined
    : string

/**
 * How many registries a command speaks to. `one` has the options `--username`, `--plain-http` and so on; `two` has them as
 * `--from-…` and `--to-…` besides; `none` has none of them. `server` is about a registry of one's own: it has `--data` and
 * `--config`.
 */
export type Sides = 'none' | 'one' | 'two' | 'server'

/** What a command is. One file has one, and exports it; `client-commands/list.ts` says what it is called. */
export interface CommandDefinition<U extends string, O extends OptionSpecs> {
  /** Its arguments: `<repository> [tags...]`. */
  readonly usage: U
  /** What the arguments are, by their names. */
  readonly arguments: Readonly<Record<string, string>>
  /** Sentences for the top of its help. */
  readonly about: string
  /** Its own options; those that all commands have come by themselves. */
  readonly options?: O
  readonly sides: Sides
  /** Which of the arguments are references, for `--oci-layout`. Default: the first, and with two sides the second as well. */
  readonly references?: readonly number[]
  /** Words behind `--format` that are about the command itself, and not about how its result is printed. */
  readonly formats?: readonly string[]
  /** Command lines, and what they do. At least one. */
  readonly examples: readonly (readonly [line: string, what: string])[]
  /** More to say in its help, below the options. */
  readonly notes?: string
  /** Said after Ctrl-C: how to go on. Default: that the same command can be run again. */
  readonly resume?: string | ((args: readonly unknown[]) => string)
  /** @throws {ClientError | StowageError} */
  run(context: CommandContext<ArgumentsOf<U>, OptionValues<O>>): Promise<void>
}

/** A command whatever its arguments and options are. */
export type ClientCommand = Omit<CommandDefinition<string, OptionSpecs>, 'run'> & {
  readonly options: OptionSpecs
  run(context: CommandContext<readonly unknown[], Readonly<Record<string, unknown>>>): Promise<void>
}

type NoOptions = Readonly<Record<string, never>>

/** Checks the types of a definition: `args` and `options` of its `run` are those that it names. */
export const defineCommand = <const U extends string, const O extends OptionSpecs = NoOptions>(
  definition: CommandDefinition<U, O>,
): ClientCommand => ({ ...definition, options: definition.options ?? {} })
