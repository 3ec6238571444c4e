import { failure, type Result, success, unwrap } from './result.ts'
import { shown } from './shown.ts'

/** "the total length … is limited to 255 characters": many clients count the registry's host and a slash in. */
const maxRepositoryNameLength = 255

const maxTagLength = 128

const dot = 0x2e
const slash = 0x2f
const underscore = 0x5f
const dash = 0x2d

/** `a-z0-9` */
const isAlphanumeric = (code: number): boolean => (code >= 0x61 && code <= 0x7a) || (code >= 0x30 && code <= 0x39)

/**
 * Where the text stops to be a repository name; -1 if it is one.
 *
 * "`[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(\/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*`", walked once by hand: every request comes
 * through here, and no name can make it step back.
 */
const endOfName = (text: string): number => {
  const end = text.length
  let at = 0
  for (;;) {
    // Here letters or digits must follow: at the start, after a separator, after a slash.
    const start = at
    while (at < end && isAlphanumeric(text.charCodeAt(at))) at++
    if (at === start) return at
    if (at === end) return -1
    const separator = text.charCodeAt(at)
    if (separator === dash) {
      while (at < end && text.charCodeAt(at) === dash) at++
    } else if (separator === underscore) {
      at += text.charCodeAt(at + 1) === underscore ? 2 : 1
    } else if (separator === dot || separator === slash) {
      at++
    } else {
      return at
    }
  }
}

/** Whether the text is a repository name by the grammar of the distribution specification, of at most 255 characters. */
export const isRepositoryName = (text: string): boolean =>
  typeof text === 'string' && text.length <= maxRepositoryNameLength && endOfName(text) === -1

/** @throws {ParseError} saying what is wrong and where */
export const parseRepositoryName = (text: string): string => unwrap('repository name', safeParseRepositoryName(text))

export const safeParseRepositoryName = (text: string): Result<string> =>
  isRepositoryName(text) ? success(text) : failure(nameProblem(text))

const nameProblem = (text: unknown): string => {
  if (typeof text !== 'string') return `must be a string, got ${shown(text)}`
  if (text === '') return 'is empty'
  if (text.length > maxRepositoryNameLength) {
    return `has ${text.length} characters: at most ${maxRepositoryNameLength} are allowed`
  }
  const at = endOfName(text)
  if (at === text.length) return `ends in ${shown(text.charAt(at - 1))}: a component ends in a letter or a digit`
  const found = shown(String.fromCodePoint(text.codePointAt(at) ?? 0))
  if (/[A-Z]/.test(text.charAt(at))) return `has ${found} at position ${at}: letters must be lower case`
  if (/[._/-]/.test(text.charAt(at))) {
    return at === 0
      ? `begins with ${found}: a component begins with a letter or a digit`
      : `has ${found} after ${shown(text.charAt(at - 1))} at position ${at}: between letters and digits stands one of ` +
          '".", "_", "__", dashes, or "/" between components'
  }
  return `has ${found} at position ${at}: allowed are a-z, 0-9, ".", "_", "-" and "/"`
}

/** `[a-zA-Z0-9_]` */
const isTagStart = (code: number): boolean =>
  isAlphanumeric(code) || (code >= 0x41 && code <= 0x5a) || code === underscore

/** Where the text stops to be a tag; -1 if it does not. */
const endOfTag = (text: string): number => {
  if (!isTagStart(text.charCodeAt(0))) return 0
  for (let at = 1; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (!isTagStart(code) && code !== dot && code !== dash) return at
  }
  return -1
}

/** Whether the text is a tag: "`[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}`". */
export const isTag = (text: string): boolean =>
  typeof text === 'string' && text.length <= maxTagLength && endOfTag(text) === -1

/** @throws {ParseError} saying what is wrong and where */
export const parseTag = (text: string): string => unwrap('tag', safeParseTag(text))

export const safeParseTag = (text: string): Result<string> => (isTag(text) ? success(text) : failure(tagProblem(text)))

const tagProblem = (text: unknown): string => {
  if (typeof text !== 'string') return `must be a string, got ${shown(text)}`
  if (text === '') return 'is empty'
  if (text.length > maxTagLength) return `has ${text.length} characters: at most ${maxTagLength} are allowed`
  const at = endOfTag(text)
  const found = shown(String.fromCodePoint(text.codePointAt(at) ?? 0))
  return at === 0
    ? `begins with ${found}: the first character is a letter, a digit or "_"`
    : `has ${found} at position ${at}: allowed are letters, digits, "_", "." and "-"`
}
