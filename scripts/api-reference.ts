/**
 * Writes the API reference of a package from its declarations: every export, with its docstring and its type, in the order of the
 * entry's list. `--check` writes nothing and fails when a page is not what it would write. Run after `tsc -b`.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'

interface Entry {
  /** What a program imports. */
  readonly name: string
  readonly source: string
}

interface Page {
  readonly file: string
  readonly title: string
  readonly package: string
  readonly entries: readonly Entry[]
}

const pages: readonly Page[] = [
  {
    file: 'docs/client/api.md',
    title: 'API of @stowage/client',
    package: 'packages/client',
    entries: [
      { name: '@stowage/client', source: 'index.ts' },
      { name: '@stowage/client/node', source: 'node/index.ts' },
      { name: '@stowage/client/credentials', source: 'credentials/index.ts' },
      { name: '@stowage/client/reggie', source: 'reggie/index.ts' },
    ],
  },
]

interface Export {
  readonly name: string
  /** The module that declares it, from `src` and without its ending. */
  readonly module: string
}

/** The names of an entry's `export { … } from '…'`, in their order. Anything else in an entry is a mistake here. */
const exportsOf = async (root: string, source: string): Promise<Export[]> => {
  const code = await readFile(join(root, 'src', source), 'utf8')
  const found: Export[] = []
  for (const [, names = '', target = ''] of code.matchAll(/^export (?:type )?\{([^}]*)\} from '([^']+)'/gm)) {
    const module = join(dirname(source), target).replace(/\.ts$/, '')
    for (const item of names.split(',').map((name) => name.trim().replace(/^type /, ''))) {
      const name = item.split(' as ').at(-1) ?? item
      if (name !== '') found.push({ name, module })
    }
  }
  const others = code.match(/^export (?!(?:type )?\{)/gm)
  if (others !== null) throw new Error(`${source} exports otherwise than by "export { … } from"`)
  return found
}

/** A declaration with the comment above it, as `tsc` wrote it. */
const declarationOf = (code: string, name: string): { readonly comment: string; readonly text: string } | undefined => {
  const start = new RegExp(
    `((?:/\\*\\*(?:(?!\\*/)[\\s\\S])*\\*/\\n)?)export (?:declare )?(?:interface|type|const|class|function|abstract class) ${name.replace('$', '\\$')}\\b`,
  ).exec(code)
  if (start === null) return undefined
  const [whole, comment = ''] = start
  const from = start.index + comment.length
  let depth = 0
  let at = start.index + whole.length
  for (; at < code.length; at++) {
    const character = code[at] ?? ''
    if (code.startsWith('/*', at)) {
      at = code.indexOf('*/', at) + 1
      continue
    }
    if ('{[('.includes(character)) depth++
    else if ('}])'.includes(character)) {
      depth--
      // An interface or a class ends with its brace; a type goes on to its semicolon.
      if (
        depth === 0 &&
        character === '}' &&
        /^export (?:declare )?(?:interface|class|abstract class)/.test(code.slice(from))
      )
        break
    } else if (character === ';' && depth === 0) break
  }
  return { comment, text: code.slice(from, at + 1).replace(/^export (?:declare )?/, '') }
}

/** The text of a comment, its tags as sentences. */
const prose = (comment: string): string =>
  comment
    .replace(/^\/\*\*\s?/, '')
    .replace(/\s*\*\/\n?$/, '')
    .split('\n')
    .map((line) => line.replace(/^\s*\* ?/, ''))
    .join('\n')
    .replaceAll(/@throws \{(\w+)\} ?/g, 'Throws `$1`: ')
    .replaceAll(/@throws (\w+)/g, 'Throws `$1`')
    .replaceAll(/@returns /g, 'Gives ')
    .replaceAll(/@param (\w+) /g, '`$1`: ')
    .replaceAll(/@example /g, 'Example: ')
    .trim()

const problems: string[] = []

const describe = async (root: string, { name, module }: Export): Promise<string> => {
  const code = await readFile(join(root, 'dist', `${module}.d.ts`), 'utf8')
  const declaration = declarationOf(code, name)
  if (declaration === undefined) {
    problems.push(`${module}: no declaration of ${name} was found`)
    return ''
  }
  const text = prose(declaration.comment)
  if (text === '') problems.push(`${relative('.', join(root, 'src', module))}.ts: ${name} has no docstring`)
  return `### ${name}\n\n${text}\n\n\`\`\`ts\n${declaration.text}\n\`\`\`\n`
}

const write = async ({ title, package: root, entries }: Page): Promise<string> => {
  const parts = [`# ${title}\n\nWritten from the source by \`npm run docs:api\`.\n`]
  const seen = new Map<string, string>()
  for (const { name, source } of entries) {
    parts.push(`## ${name}\n`)
    const elsewhere: string[] = []
    for (const item of await exportsOf(root, source)) {
      const key = `${item.module} ${item.name}`
      const before = seen.get(key)
      if (before !== undefined) elsewhere.push(item.name)
      else parts.push(await describe(root, item))
      seen.set(key, before ?? name)
    }
    if (elsewhere.length > 0) parts.push(`And from above: ${elsewhere.map((item) => `\`${item}\``).join(', ')}.\n`)
  }
  return parts.join('\n')
}

const check = process.argv.includes('--check')
for (const page of pages) {
  const text = await write(page)
  const before = await readFile(page.file, 'utf8').catch(() => '')
  if (check && before !== text) problems.push(`${page.file} is not up to date: run npm run docs:api`)
  if (!check) await writeFile(page.file, text)
}
if (problems.length > 0) {
  console.error(problems.join('\n'))
  process.exitCode = 1
}
