import type { Random } from '../random.ts'
import { chance } from './random-choice.ts'

/** JSON as it is written and not as it is read: a key may come twice, and numbers keep their digits. */
export type Tree = string | boolean | null | Digits | Tree[] | Members

/** A number, or anything else, as it stands in the text. */
export interface Digits {
  readonly written: string
}

export interface Members {
  readonly members: [key: string, value: Tree][]
}

export const treeOf = (value: unknown): Tree => {
  if (typeof value === 'number') return { written: String(value) }
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value
  if (Array.isArray(value)) return value.map(treeOf)
  if (typeof value === 'object')
    return { members: Object.entries(value).map(([key, item]) => [key, treeOf(item)] satisfies [string, Tree]) }
  throw new TypeError('This is no JSON.')
}

export interface Style {
  readonly space: string
  readonly line: string
  /** Share of the letters that are written as `\uXXXX`. */
  readonly escapes: number
}

export const write = (tree: Tree, style: Style, random: Random): string => {
  const { space, line } = style
  if (tree === null || typeof tree === 'boolean') return String(tree)
  if (typeof tree === 'string') return quote(tree, style, random)
  if (Array.isArray(tree)) return `[${line}${tree.map((item) => write(item, style, random)).join(`,${line}`)}${line}]`
  if ('written' in tree) return tree.written
  const members = tree.members.map(
    ([key, item]) => `${quote(key, style, random)}${space}:${space}${write(item, style, random)}`,
  )
  return `{${line}${members.join(`,${line}`)}${line}}`
}

const quote = (text: string, { escapes }: Style, random: Random): string => {
  const quoted = JSON.stringify(text)
  if (escapes === 0) return quoted
  return quoted.replaceAll(/(?<!\\)[a-z/]/g, (letter) =>
    chance(random, escapes) ? `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}` : letter,
  )
}
