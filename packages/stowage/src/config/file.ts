import { readFileSync, statSync } from 'node:fs'
import { basename } from 'node:path'
import { type Document, isMap, isNode, isScalar, isSeq, LineCounter, parseDocument, visit } from 'yaml'
import { configurationError, type Problem, StowageError } from '../failure.ts'
import { findingsOf } from './issues.ts'
import { getNested, type Nested, nestedSchema, pathOf } from './schema.ts'
import { type SettingKey, settingKeys } from './settings.ts'

/** What a configuration file says of one setting, and in which line. */
export interface FileValue {
  readonly key: SettingKey
  readonly value: unknown
  readonly line: number
}

const maxBytes = 1024 * 1024

/**
 * Reads and checks a configuration file.
 *
 * @throws StowageError that lists every problem with its line and column.
 */
export const readConfigFile = (path: string): FileValue[] => parseConfig(readText(path), basename(path))

const readText = (path: string): string => {
  try {
    const { size } = statSync(path)
    if (size > maxBytes)
      throw new StowageError('configuration', `${path} is larger than 1 MiB: that is no configuration file.`)
    return readFileSync(path, 'utf8')
  } catch (cause) {
    if (cause instanceof StowageError) throw cause
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown'
    const why =
      { ENOENT: 'it does not exist', EACCES: 'this user may not read it', EISDIR: 'it is a directory' }[code] ?? code
    throw new StowageError('configuration', `The configuration file ${path} cannot be read: ${why}.`, { cause })
  }
}

/** @param name How the file is called in messages. */
export const parseConfig = (text: string, name: string): FileValue[] => {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  const at = (offset: number): string => {
    const { line, col } = lines.linePos(offset)
    return `${name}:${line}:${col}`
  }

  const syntax: Problem[] = [...document.errors, ...document.warnings].map(({ code, pos, message }) => ({
    where: at(pos[0]),
    message: code === 'DUPLICATE_KEY' ? 'this key is there already' : message,
  }))
  visit(document, {
    Alias: (_, node) => {
      if (node.resolve(document) !== undefined) return
      syntax.push({ where: at(node.range?.[0] ?? 0), message: `there is no anchor &${node.source} before this alias` })
    },
  })
  if (syntax.length > 0) throw configurationError(syntax)

  const result = nestedSchema.safeParse(content(document, name))
  if (!result.success) {
    const found = findingsOf(result.error).map(({ path, problem }) => ({ problem, offset: offsetOf(document, path) }))
    const inOrder = found.toSorted((a, b) => a.offset - b.offset)
    throw configurationError(inOrder.map(({ problem, offset }) => ({ ...problem, where: at(offset) })))
  }
  return settingKeys.flatMap((key) => {
    const value = getNested(result.data, key)
    return value === undefined ? [] : [{ key, value, line: lines.linePos(offsetOf(document, pathOf(key))).line }]
  })
}

/** A file with nothing in it but comments sets nothing. */
const content = (document: Document, where: string): Nested => {
  try {
    return (document.toJS() as Nested | null) ?? {}
  } catch (error) {
    // Aliases of aliases of aliases: the parser stops before they fill the memory.
    throw configurationError([{ where, message: error instanceof Error ? error.message : String(error) }])
  }
}

/** Where the key at `path` begins; what holds it, when there is no such key. */
const offsetOf = (document: Document, path: readonly string[]): number => {
  let node: unknown = document.contents
  let offset = 0
  for (const name of path) {
    if (isSeq(node)) {
      node = node.items[Number(name)]
      if (isNode(node)) offset = node.range?.[0] ?? offset
      continue
    }
    if (!isMap(node)) break
    const pair = node.items.find(({ key }) => (isScalar(key) ? String(key.value) : String(key)) === name)
    if (pair === undefined) break
    if (isNode(pair.key)) offset = pair.key.range?.[0] ?? offset
    node = pair.value
  }
  return offset
}
