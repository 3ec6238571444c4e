import { show } from '../config/show.ts'
import { StowageError } from '../failure.ts'

/**
 * A filter by patterns: what matches one of `include` (or all, when there is none) and none of `exclude`. A pattern is a glob,
 * in which `*` is anything and `?` one character, or a regular expression between slashes; both are for the whole name.
 *
 * @throws {StowageError} `usage`
 */
export const toFilter = (include: readonly string[], exclude: readonly string[]): ((name: string) => boolean) => {
  const wanted = include.map(toPattern)
  const unwanted = exclude.map(toPattern)
  return (name) =>
    (wanted.length === 0 || wanted.some((pattern) => pattern.test(name))) &&
    !unwanted.some((pattern) => pattern.test(name))
}

/** One pattern, for a whole name. @throws {StowageError} `usage` */
export const toPattern = (pattern: string): RegExp => {
  const expression = /^\/(.*)\/$/.exec(pattern)?.[1]
  try {
    if (expression !== undefined) return new RegExp(`^(?:${expression})$`)
  } catch (error) {
    throw new StowageError('usage', `${show(pattern)} is not a regular expression.`, { cause: error })
  }
  const glob = pattern
    .split(/(\*+|\?)/)
    .map((part) =>
      part.startsWith('*') ? '.*' : part === '?' ? '.' : part.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`),
    )
  return new RegExp(`^${glob.join('')}$`)
}
