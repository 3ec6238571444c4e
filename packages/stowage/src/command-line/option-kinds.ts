import { parseDuration } from '../config/duration.ts'
import { show } from '../config/show.ts'
import { parseSize } from '../config/size.ts'
import { StowageError } from '../failure.ts'

/** What was given for one option: a value each time it was given, `true` or `false` where it takes none. */
export type Given = readonly (string | boolean)[]

/** One option of a command. `read` makes its value of what was given, which may be nothing. */
export interface OptionSpec<T> {
  /** As help shows it: `-o, --output <file>`. */
  readonly flags: string
  /** One line, without a full stop. */
  readonly about: string
  /** How else it may be written: `--jobs`. Not in help, but in the documentation. */
  readonly also: readonly string[]
  /** Whether `--no-…` is an option too. */
  readonly negatable: boolean
  /** Left out of help: how other programs call it. */
  readonly hidden: boolean
  /** @throws {StowageError} `usage` */
  read(given: Given): T
}

export type OptionSpecs = Readonly<Record<string, OptionSpec<unknown>>>

/** The values of options, by the names that the command gave them. */
export type OptionValues<O extends OptionSpecs> = {
  readonly [K in keyof O]: O[K] extends OptionSpec<infer T> ? T : never
}

interface More {
  readonly also?: readonly string[]
  readonly hidden?: boolean
}

const spec = <T>(
  flags: string,
  about: string,
  { also = [], hidden = false, negatable = false }: More & { readonly negatable?: boolean },
  read: (given: Given) => T,
): OptionSpec<T> => ({ flags, about, also, hidden, negatable, read })

/** On or off. */
export const flag = (flags: string, about: string, more: More = {}): OptionSpec<boolean> =>
  spec(flags, about, more, (given) => given.includes(true))

/** On by `--x`, off by `--no-x`, undefined when neither was given. */
export const toggle = (flags: string, about: string, more: More = {}): OptionSpec<boolean | undefined> =>
  spec(flags, about, { ...more, negatable: true }, (given) => given.at(-1) as boolean | undefined)

const last = (given: Given): string | undefined => given.findLast((value): value is string => typeof value === 'string')

/** Text. The last one counts. */
export const text = (flags: string, about: string, more: More = {}): OptionSpec<string | undefined> =>
  spec(flags, about, more, last)

/** Text that may be given several times. */
export const texts = (flags: string, about: string, more: More = {}): OptionSpec<readonly string[]> =>
  spec(flags, about, more, (given) => given.filter((value): value is string => typeof value === 'string'))

/** A whole number of `least` or more. */
export const count = (
  flags: string,
  about: string,
  { least = 0, ...more }: More & { readonly least?: number } = {},
): OptionSpec<number | undefined> =>
  spec(flags, about, more, (given) => {
    const value = last(given)
    if (value === undefined) return undefined
    const number = /^\d{1,15}$/.test(value) ? Number(value) : Number.NaN
    if (number >= least) return number
    throw wrong(flags, `must be a whole number of ${least} or more`, value)
  })

/** `30s`, `5m`. @param more.zero Whether there may be none. @returns milliseconds */
export const duration = (
  flags: string,
  about: string,
  { zero = false, ...more }: More & { readonly zero?: boolean } = {},
): OptionSpec<number | undefined> =>
  spec(flags, about, more, (given) => {
    const value = last(given)
    if (value === undefined) return undefined
    const seconds = parseDuration(value)
    if (seconds !== undefined && (seconds > 0 || zero)) return Math.round(seconds * 1000)
    throw wrong(flags, 'must be a duration such as 30s, 5m or 1h', value)
  })

/** `512KiB`, `10MiB`. @returns bytes */
export const size = (flags: string, about: string, more: More = {}): OptionSpec<number | undefined> =>
  spec(flags, about, more, (given) => {
    const value = last(given)
    if (value === undefined) return undefined
    const bytes = parseSize(value)
    if (bytes !== undefined) return bytes
    throw wrong(flags, 'must be a size such as 512KiB or 10MiB', value)
  })

/** One of several words. */
export const oneOf = <const W extends string>(
  flags: string,
  about: string,
  words: readonly W[],
  more: More = {},
): OptionSpec<W | undefined> =>
  spec(flags, about, more, (given) => {
    const value = last(given)
    const word = words.find((one) => one === value)
    if (value === undefined || word !== undefined) return word
    throw wrong(flags, `must be ${words.join(' or ')}`, value)
  })

/** `--tls-verify`, `--tls-verify=false`: as programs in Go write what is on or off. */
export const goFlag = (flags: string, about: string, more: More = {}): OptionSpec<boolean | undefined> =>
  spec(flags, about, more, (given) => {
    const value = given.at(-1)
    if (value === undefined || typeof value === 'boolean') return value
    if (/^(?:true|t|1)$/i.test(value)) return true
    if (/^(?:false|f|0)$/i.test(value)) return false
    throw wrong(flags, 'must be true or false', value)
  })

/** `--output` of `-o, --output <file>`. */
export const longFlag = (flags: string): string => /--[a-z0-9-]+/.exec(flags)?.[0] ?? flags

const wrong = (flags: string, problem: string, value: string): StowageError =>
  new StowageError('usage', `${longFlag(flags)} ${problem}, not ${show(value)}.`)
