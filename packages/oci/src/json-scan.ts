import { itemPath, memberPath } from './json-path.ts'
import type { Problem } from './result.ts'

export interface JsonScan {
  readonly problems: readonly Problem[]
  /** Whether the scan ended early: the text must not be parsed. */
  readonly fatal: boolean
  /** Numbers of integer keys, not deeper than three containers, that are not written as plain digits: path and text. */
  readonly oddIntegers: ReadonlyMap<string, string>
}

const quote = 0x22
const backslash = 0x5c
const openBrace = 0x7b
const closeBrace = 0x7d
const openBracket = 0x5b
const closeBracket = 0x5d
const comma = 0x2c
const minus = 0x2d

/** No honest document comes near; one made for it would keep the scan busy writing paths for seconds. */
const mostProblems = 100
const mostOddIntegers = 1000

/**
 * Members, objects and arrays in one document. Beyond, a document of the size that registries take would keep a thread busy
 * for the better part of a second, and honest ones of that size are long because of their strings.
 */
const mostParts = 250_000

/** Levels of a path that are written out. */
const longestPath = 8

/** From this many keys on, an object's keys are kept in a set. */
const manyKeys = 8

/** What is known of one container that is open. Reused for all containers of its depth. */
interface Frame {
  isObject: boolean
  /** The key whose value is being read. */
  key: string
  /** Of the item being read. */
  index: number
  readonly keys: string[]
  /** All keys, once there are many. */
  set: Set<string> | undefined
}

/**
 * Looks for what `JSON.parse` would let pass or could not survive: duplicate keys at any level, `__proto__`, too much depth,
 * text after the end, whole numbers in a form that rounding would hide.
 *
 * `maxDepth` is how many containers may be open at once. `integerKeys` are members that hold whole numbers: how such a number
 * is written is kept, because `JSON.parse` forgets it.
 *
 * One pass. It does not check the grammar: `JSON.parse` does, and what this pass makes of a text that is not JSON means nothing.
 */
export const scanJson = (text: string, maxDepth: number, integerKeys: ReadonlySet<string>): JsonScan => {
  const problems: Problem[] = []
  const oddIntegers = new Map<string, string>()
  let fatal = false
  let parts = 0
  const frames: Frame[] = []
  let depth = 0
  let frame: Frame | undefined
  let expectsKey = false

  const here = (): string => {
    let path = ''
    for (const level of frames.slice(0, Math.min(depth, longestPath))) {
      path = level.isObject ? memberPath(path, level.key) : itemPath(path, level.index)
    }
    return depth > longestPath ? `${path}…` : path
  }

  const stop = (path: string, message: string): void => {
    problems.push({ path, message })
    fatal = true
  }

  const countPart = (): void => {
    parts++
    if (parts > mostParts) stop('', `has more than ${mostParts} members, objects and arrays`)
  }

  const open = (isObject: boolean): void => {
    countPart()
    if (depth === maxDepth) {
      stop(here(), `is nested deeper than ${maxDepth} levels`)
      return
    }
    frame = frames[depth]
    if (frame === undefined) {
      frame = { isObject, key: '', index: 0, keys: [], set: undefined }
      frames.push(frame)
    } else {
      frame.isObject = isObject
      frame.key = ''
      frame.index = 0
      frame.keys.length = 0
      frame.set = undefined
    }
    depth++
    expectsKey = isObject
  }

  const readKey = (top: Frame, key: string): void => {
    countPart()
    top.key = key
    if (isKnown(top, key)) {
      problems.push({ path: here(), message: 'appears more than once: readers would not agree on which one counts' })
    } else if (key === '__proto__') {
      problems.push({ path: here(), message: 'is not allowed as a name: some readers change their objects by it' })
    }
    if (problems.length === mostProblems) stop('', 'has too many problems of this kind: the rest was not looked at')
  }

  const readInteger = (written: string): void => {
    if (/^(?:0|[1-9][0-9]{0,15})$/.test(written)) return
    oddIntegers.set(here(), written)
    if (oddIntegers.size === mostOddIntegers) {
      stop('', `has ${mostOddIntegers} members named ${[...integerKeys].join(' or ')} that are not written in digits`)
    }
  }

  const end = text.length
  let at = 0
  while (at < end) {
    if (fatal) break
    const code = text.charCodeAt(at)
    if (code === quote) {
      const close = endOfString(text, at + 1)
      if (close === -1) break
      if (expectsKey && frame !== undefined) {
        readKey(frame, unescaped(text.slice(at + 1, close)))
        expectsKey = false
      }
      at = close + 1
    } else if (code === comma) {
      if (frame?.isObject === true) expectsKey = true
      else if (frame !== undefined) frame.index++
      at++
    } else if (code === openBrace || code === openBracket) {
      open(code === openBrace)
      at++
    } else if (code === closeBrace || code === closeBracket) {
      if (depth === 0) break
      depth--
      frame = depth === 0 ? undefined : frames[depth - 1]
      expectsKey = false
      at++
      if (depth === 0) {
        const more = endOfSpace(text, at)
        if (more < end) stop('', `has more text after the end of its JSON value, at position ${more}`)
        break
      }
    } else if (code === minus || (code >= 0x30 && code <= 0x39)) {
      const close = endOfNumber(text, at)
      if (depth <= 3 && frame?.isObject === true && integerKeys.has(frame.key)) readInteger(text.slice(at, close))
      at = close
    } else {
      at++
    }
  }
  return { problems, fatal, oddIntegers }
}

/** Whether the object has had the key before; from now on it has. */
const isKnown = (frame: Frame, key: string): boolean => {
  if (frame.set !== undefined) {
    const before = frame.set.size
    frame.set.add(key)
    return frame.set.size === before
  }
  if (frame.keys.includes(key)) return true
  frame.keys.push(key)
  if (frame.keys.length === manyKeys) frame.set = new Set(frame.keys)
  return false
}

/**
 * The key that a reader gets. Half surrogate pairs become U+FFFD, as they do in readers whose strings are UTF-8: keys that
 * differ in those alone are one key to them.
 */
const unescaped = (raw: string): string => {
  if (!raw.includes('\\')) return raw
  try {
    const key: unknown = JSON.parse(`"${raw}"`)
    return typeof key === 'string' ? key.toWellFormed() : raw
  } catch {
    return raw
  }
}

/** Characters walked one by one before the search is handed to `indexOf`, which is faster over long strings only. */
const stride = 64

/** The position of the quote that ends the string whose first character is at `start`; -1 if none does. */
const endOfString = (text: string, start: number): number => {
  let at = start
  for (;;) {
    for (const limit = Math.min(at + stride, text.length); at < limit; at++) {
      const code = text.charCodeAt(at)
      if (code === quote) return at
      if (code === backslash) at++
    }
    if (at >= text.length) return -1
    // No escape is open at `at`, so a quote found from here ends the string if an even number of backslashes stands before it.
    const found = text.indexOf('"', at)
    if (found === -1) return -1
    let before = found
    while (before > at && text.charCodeAt(before - 1) === backslash) before--
    if ((found - before) % 2 === 0) return found
    at = found + 1
  }
}

const endOfNumber = (text: string, start: number): number => {
  let at = start + 1
  for (; at < text.length; at++) {
    const code = text.charCodeAt(at)
    // digits, `.`, `+`, `-`, `e`, `E`
    const inNumber =
      (code >= 0x30 && code <= 0x39) || code === 0x2e || code === 0x2b || code === minus || (code | 0x20) === 0x65
    if (!inNumber) return at
  }
  return at
}

const endOfSpace = (text: string, start: number): number => {
  let at = start
  while (at < text.length && ' \t\r\n'.includes(text.charAt(at))) at++
  return at
}
