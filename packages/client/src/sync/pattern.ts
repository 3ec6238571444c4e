import { ClientError } from '../errors.ts'

/** A glob, in which `*` is anything and `?` one character, or a regular expression. Both are for the whole name. */
export type Pattern = string | RegExp

/** Most characters of a glob. */
const longest = 500

/** @throws {ClientError} `usage` */
export const toMatcher = (pattern: Pattern): ((name: string) => boolean) => {
  if (pattern instanceof RegExp) {
    const whole = new RegExp(`^(?:${pattern.source})$`, pattern.flags.replaceAll(/[gy]/g, ''))
    return (name) => whole.test(name)
  }
  if (pattern === '' || pattern.length > longest) {
    throw new ClientError('usage', `A pattern has 1 to ${longest} characters, not ${pattern.length}.`)
  }
  return (name) => matchesGlob(pattern, name)
}

/** Whether a text is meant as a pattern. */
export const isGlob = (text: string): boolean => /[*?]/.test(text)

/** Without a regular expression: one of many stars could take for ever. */
const matchesGlob = (glob: string, name: string): boolean => {
  let [at, place] = [0, 0]
  // Where the last star stood, and how far it has taken.
  let [star, taken] = [-1, 0]
  while (place < name.length) {
    if (glob[at] === '*') {
      star = at++
      taken = place
    } else if (glob[at] === '?' || glob[at] === name[place]) {
      at++
      place++
    } else if (star !== -1) {
      at = star + 1
      place = ++taken
    } else return false
  }
  while (glob[at] === '*') at++
  return at === glob.length
}

/** Which names are meant. */
export interface Patterns {
  /** Those that match one of these. Default: all. */
  readonly include?: readonly Pattern[]
  /** Of those, none that match one of these. */
  readonly exclude?: readonly Pattern[]
}

/** @throws {ClientError} `usage` */
export const toFilter = ({ include = [], exclude = [] }: Patterns): ((name: string) => boolean) => {
  const wanted = include.map(toMatcher)
  const unwanted = exclude.map(toMatcher)
  return (name) =>
    (wanted.length === 0 || wanted.some((matches) => matches(name))) && !unwanted.some((matches) => matches(name))
}
