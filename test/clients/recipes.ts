/**
 * The recipes in `docs/recipes`, executed. The code blocks of a page, in their order, are one program; a `text` block that
 * follows one is what it prints, where `…` stands for anything within a line.
 */
import { equal, match } from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { findProgram, run } from './command.ts'
import type { Client, ClientContext } from './harness.ts'
import { pythonWithClients } from './python-venv.ts'
import { repositoryRoot } from './stowage-server.ts'

interface Page {
  readonly file: string
  /** The info string of the code blocks. */
  readonly language: string
  /** The name under which the program is written. */
  readonly program: string
  readonly interpreter: (context: ClientContext) => Promise<readonly [string, ...string[]]>
  /** A statement that prints a line before a block runs, so that each block's output is known. */
  readonly announce: (line: string) => string
}

const pages: readonly Page[] = [
  {
    file: 'curl.md',
    language: 'sh',
    program: 'recipe.sh',
    interpreter: async () => {
      findProgram('curl')
      return [findProgram('sh'), '-eu']
    },
    announce: (line) => `printf '\\n%s\\n' '${line}'`,
  },
  {
    file: 'fetch.md',
    language: 'js',
    program: 'recipe.mjs',
    interpreter: async () => [process.execPath],
    announce: (line) => `console.log('\\n${line}')`,
  },
  {
    file: 'python-requests.md',
    language: 'python',
    program: 'recipe.py',
    interpreter: async ({ signal, log }) => [await pythonWithClients(signal, log)],
    announce: (line) => `print('\\n${line}', flush=True)`,
  },
]

export const recipes: Client = {
  name: 'recipes',
  modes: ['relative', 'absolute'],
  async run(context) {
    for (const page of pages) {
      await runPage(page, context)
    }
  },
}

async function runPage(page: Page, context: ClientContext): Promise<void> {
  const { check, workDir, url, signal } = context
  const blocks = readBlocks(await readFile(join(repositoryRoot, 'docs', 'recipes', page.file), 'utf8'), page.language)
  const source = blocks.map(({ code }, index) => `${page.announce(`@@ ${index}`)}\n${code}`).join('\n')
  const program = join(workDir, page.program)
  await writeFile(program, source)
  const [interpreter, ...args] = await page.interpreter(context)
  const result = await run(interpreter, [...args, program], {
    cwd: workDir,
    env: { REGISTRY: url },
    signal,
    // Whatever it is, the first check below that does not hold says where the program ended and why.
    exitCodes: Array.from({ length: 256 }, (_, code) => code),
  })
  const outputs = new Map<number, string>()
  for (const part of `\n${result.stdout}`.split('\n@@ ').slice(1)) {
    const end = part.indexOf('\n')
    outputs.set(Number(part.slice(0, end)), part.slice(end + 1).trim())
  }
  for (const [index, block] of blocks.entries()) {
    await check(`${page.file}: ${block.title}`, () => {
      const output = outputs.get(index)
      if (output === undefined) throw new Error(`exit code ${result.code} before this block`)
      const endedHere = result.code !== 0 && !outputs.has(index + 1)
      if (endedHere) throw new Error(`exit code ${result.code} after "${output}"\n${result.stderr}`)
      if (block.output === undefined) equal(output, '')
      else match(output, pattern(block.output))
    })
  }
}

interface Block {
  readonly title: string
  readonly code: string
  /** What it prints; undefined when the page does not say, which means nothing. */
  readonly output?: string
}

function readBlocks(markdown: string, language: string): readonly Block[] {
  const blocks: Block[] = []
  const titles = new Map<string, number>()
  let title = ''
  for (const [, heading, info, body = ''] of markdown.matchAll(/^## (.+)$|^```(\w+)\n([\s\S]*?)^```$/gm)) {
    const last = blocks.at(-1)
    if (heading !== undefined) {
      title = heading
    } else if (info === language) {
      const count = (titles.get(title) ?? 0) + 1
      titles.set(title, count)
      blocks.push({ title: count === 1 ? title : `${title} (${count})`, code: body })
    } else if (info === 'text' && last !== undefined && last.output === undefined) {
      blocks[blocks.length - 1] = { ...last, output: body.trim() }
    } else {
      throw new Error(`under "${title}" there is a block of "${info}" that nothing runs`)
    }
  }
  if (blocks.length < 10) throw new Error(`only ${blocks.length} blocks of ${language} were found`)
  return blocks
}

function pattern(text: string): RegExp {
  const literals = text.split('…').map((literal) => literal.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
  return new RegExp(`^${literals.join('.*')}$`)
}
