import { nearest } from '../config/suggest.ts'
import { show } from '../config/show.ts'
import { StowageError } from '../failure.ts'
import type { ClientCommand } from './define.ts'

/** A command by its names. Its code is loaded when it is run, or its help is wanted. */
export interface ListedCommand {
  /** One word, or a group and a verb: `manifest get`. */
  readonly name: string
  /** Other names. The bare name of a group among them: what has no verb behind the group means this command. */
  readonly aliases: readonly string[]
  /** One line for the list of all, without a capital letter or a full stop. */
  readonly summary: string
  readonly load: () => Promise<ClientCommand>
}

/** What the words of a command line mean, as far as they are names. */
export type Found =
  | {
      readonly kind: 'command'
      readonly listed: ListedCommand
      readonly rest: readonly string[]
      /** What was perhaps meant, should its arguments turn out to be wrong. */
      readonly meant: string | undefined
    }
  /** A group without a verb: its help is wanted. */
  | { readonly kind: 'group'; readonly group: string }

const namesOf = ({ name, aliases }: ListedCommand): readonly string[] => [name, ...aliases]

/** What others call a command, or what is asked for here in another way: suggested, and not taken. */
const elsewhere: ReadonlyMap<string, string> = new Map([
  ['tag remove', 'tag rm'],
  ['manifest digest', 'digest'],
  ['manifest resolve', 'digest'],
  ['list', 'ls'],
  ['version', '--version'],
  ['export', 'image pull'],
  ['import', 'image push'],
  ['load', 'image push'],
])

/** Every name with its command. */
export const commandNames = (list: readonly ListedCommand[]): ReadonlyMap<string, ListedCommand> =>
  new Map(list.flatMap((listed) => namesOf(listed).map((name) => [name, listed] as const)))

/** The verbs of a group, or none. */
export const verbsOf = (list: readonly ListedCommand[], group: string): readonly string[] =>
  list.flatMap((listed) =>
    namesOf(listed).flatMap((name) => (name.startsWith(`${group} `) ? [name.slice(group.length + 1)] : [])),
  )

/**
 * Groups take their verbs as the next word. A group that is also a command (`manifest`, `blob`, `tag`: as crane has them) is one
 * when the next word is no verb.
 *
 * @returns undefined when the first word is neither a command nor a group
 * @throws {StowageError} `usage` for a verb that the group does not have
 */
export const findCommand = (list: readonly ListedCommand[], argv: readonly string[]): Found | undefined => {
  const [first = '', second] = argv
  const names = commandNames(list)
  const verbs = verbsOf(list, first)
  const withVerb = second === undefined ? undefined : names.get(`${first} ${second}`)
  if (withVerb !== undefined) return { kind: 'command', listed: withVerb, rest: argv.slice(2), meant: undefined }
  if (verbs.length > 0 && (second === undefined || second === '--help' || second === '-h')) {
    return { kind: 'group', group: first }
  }
  const near = nearest(second ?? '', verbs)
  const meant = elsewhere.get(`${first} ${second}`) ?? (near === undefined ? undefined : `${first} ${near}`)
  const alone = names.get(first)
  if (alone !== undefined) return { kind: 'command', listed: alone, rest: argv.slice(1), meant }
  if (verbs.length === 0) return undefined
  throw new StowageError('usage', `${show(second)} is not a command of stowage ${first}.`, {
    hint: meant === undefined ? `There is ${verbs.join(', ')}.` : `Did you mean stowage ${meant}?`,
  })
}

/** First words that were probably meant. @throws {StowageError} `usage`, always */
export const unknownCommand = (first: string, known: readonly string[]): StowageError => {
  const meant = elsewhere.get(first) ?? nearest(first, known)
  return new StowageError('usage', `${show(first)} is not a command of stowage.`, {
    hint: meant === undefined ? 'See stowage --help for all of them.' : `Did you mean stowage ${meant}?`,
  })
}
