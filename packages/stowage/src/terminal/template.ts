import { show } from '../config/show.ts'
import { StowageError } from '../failure.ts'

/**
 * A small part of Go's templates, as scripts for other programs have them: `{{.Digest}}`, `{{.Config.Env}}`, `{{json .}}`,
 * `{{range .Tags}}{{.}}{{"\n"}}{{end}}`, `{{len .Tags}}`. A field is found in any case: `.Digest` is `digest`.
 */
export type Template = (value: unknown) => string

type Node =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'value'; readonly as: 'text' | 'json' | 'len'; readonly path: Path }
  | { readonly kind: 'range'; readonly path: Path; readonly body: readonly Node[] }

type Path = readonly string[]

/** @throws {StowageError} `usage`, now for what is not understood, and when it is used for a field that is not there */
export const parseTemplate = (source: string): Template => {
  const open: { path: Path; body: Node[] }[] = [{ path: [], body: [] }]
  const put = (node: Node): void => void open.at(-1)?.body.push(node)
  for (const [index, part] of source.split(/\{\{-?\s*(.*?)\s*-?\}\}/s).entries()) {
    if (index % 2 === 0) {
      if (part.includes('{{')) throw wrong(source, 'has {{ without }}')
      if (part !== '') put({ kind: 'text', text: part.replaceAll('\\n', '\n').replaceAll('\\t', '\t') })
      continue
    }
    const ranged = /^range\s+(\S+)$/.exec(part)?.[1]
    if (ranged !== undefined) {
      open.push({ path: parsePath(source, ranged), body: [] })
    } else if (part === 'end') {
      const { path, body } = open.pop() ?? { path: [], body: [] }
      if (open.length === 0) throw wrong(source, 'has {{end}} without {{range}}')
      put({ kind: 'range', path, body })
    } else {
      put(parseAction(source, part))
    }
  }
  if (open.length > 1) throw wrong(source, 'has {{range}} without {{end}}')
  return (value) => render(source, open[0]?.body ?? [], value)
}

const parseAction = (source: string, action: string): Node => {
  if (/^".*"$/.test(action)) {
    try {
      return { kind: 'text', text: String(JSON.parse(action)) }
    } catch {
      throw wrong(source, `has ${show(action)}, which is no text`)
    }
  }
  const [, as, path = ''] = /^(?:(json|len|println|print)\s+)?(\.\S*)$/.exec(action) ?? []
  if (path === '') {
    throw wrong(
      source,
      `has {{${show(action).slice(1, -1)}}}; there are {{.Field}}, {{json .}}, {{len .}} and {{range .}}`,
    )
  }
  return { kind: 'value', as: as === 'json' || as === 'len' ? as : 'text', path: parsePath(source, path) }
}

const parsePath = (source: string, text: string): Path => {
  if (!/^\.(?:[A-Za-z_][\w-]*(?:\.[A-Za-z_][\w-]*)*)?$/.test(text))
    throw wrong(source, `has ${show(text)}, which is no field`)
  return text.split('.').filter(Boolean)
}

const render = (source: string, nodes: readonly Node[], value: unknown): string =>
  nodes
    .map((node) => {
      if (node.kind === 'text') return node.text
      const found = lookUp(source, node.path, value)
      if (node.kind === 'value') return written(node.as, found)
      const items: readonly unknown[] = Array.isArray(found) ? found : Object.values(found ?? {})
      return items.map((item) => render(source, node.body, item)).join('')
    })
    .join('')

const lookUp = (source: string, path: Path, value: unknown): unknown => {
  let found = value
  for (const name of path) {
    const fields = typeof found === 'object' && found !== null ? Object.keys(found) : []
    const key = fields.find((one) => one === name) ?? fields.find((one) => one.toLowerCase() === name.toLowerCase())
    if (key === undefined) {
      const there = fields.length === 0 ? 'there are no fields here' : `there is ${fields.join(', ')}`
      throw wrong(source, `asks for .${name}; ${there}`)
    }
    found = (found as Readonly<Record<string, unknown>>)[key]
  }
  return found
}

const written = (as: 'text' | 'json' | 'len', value: unknown): string => {
  if (as === 'json') return JSON.stringify(value) ?? 'null'
  if (as === 'len') return String(typeof value === 'string' ? value.length : Object.keys(value ?? {}).length)
  // Go writes lists so: [a b].
  if (Array.isArray(value)) return `[${value.map((item) => written('text', item)).join(' ')}]`
  return typeof value === 'string' ? value : value === null || value === undefined ? '' : JSON.stringify(value)
}

const wrong = (source: string, problem: string): StowageError =>
  new StowageError('usage', `The template ${show(source)} ${problem}.`)
