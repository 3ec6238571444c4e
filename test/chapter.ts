import { execFile } from 'node:child_process'

/** A page whose commands are run by a test, one after another in one shell, as who reads it pastes them. */
export interface Block {
  readonly title: string
  readonly code: string
  /** What it prints; undefined when the page does not say. */
  readonly output?: string
}

/** The commands of a text, and what stands below each of them. */
export const blocksOf = (section: string, heading: string): readonly Block[] => {
  const blocks: Block[] = []
  let title = heading
  for (const [, found, language, body = ''] of section.matchAll(/^#{2,3} (.+)$|^```(\w*)\n([\s\S]*?)^```$/gm)) {
    const last = blocks.at(-1)
    if (found !== undefined) title = found
    else if (language === 'sh') blocks.push({ title, code: body })
    else if (language === 'text' && last !== undefined) blocks[blocks.length - 1] = { ...last, output: body.trim() }
    else throw new Error(`under "${title}" there is a block of "${language}" that nothing runs`)
  }
  return blocks
}

/** `…` stands for anything on a line. */
export const pattern = (text: string): RegExp => {
  const literals = text.split('…').map((literal) => literal.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'))
  return new RegExp(`^${literals.join('.*')}$`)
}

export interface ScriptOutcome {
  readonly code: number
  /** What was printed behind each `@@ name` on a line of its own. */
  readonly outputs: ReadonlyMap<string, string>
  readonly stderr: string
}

export const runScript = async (
  script: string,
  options: { readonly cwd: string; readonly env: NodeJS.ProcessEnv },
): Promise<ScriptOutcome> => {
  const ended = Promise.withResolvers<{ code: number; stdout: string; stderr: string }>()
  execFile('bash', ['-c', script], { ...options, timeout: 100_000 }, (error, stdout, stderr) => {
    ended.resolve({ code: error === null ? 0 : Number(error.code ?? 255), stdout, stderr })
  })
  const { code, stdout, stderr } = await ended.promise
  const outputs = new Map<string, string>()
  for (const part of `\n${stdout}`.split('\n@@ ').slice(1)) {
    const end = part.indexOf('\n')
    outputs.set(end === -1 ? part : part.slice(0, end), end === -1 ? '' : part.slice(end + 1).trim())
  }
  return { code, outputs, stderr }
}

/** As much of a door as pushing a sample takes. */
export const sendTo =
  (url: string) =>
  async (method: string, target: string, sent: { headers?: object; body?: unknown } = {}) => {
    const answer = await fetch(`${url}${target}`, { method, ...sent } as RequestInit)
    return { status: answer.status, text: () => '' }
  }

/** Where a page links to that is not there: files and headings. */
export const brokenLinks = (page: string, textOf: (file: string) => string | undefined): readonly string[] => {
  const headingsOf = (text: string): Set<string> =>
    new Set([...text.matchAll(/^#+ (.+)$/gm)].map(([, heading]) => slug(heading ?? '')))
  return [...page.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target]) => target ?? '')
    .filter((target) => {
      if (target.startsWith('https://')) return false
      const [file = '', anchor] = target.split('#', 2)
      const text = file === '' ? page : textOf(file)
      return text === undefined || (anchor !== undefined && !headingsOf(text).has(anchor))
    })
}

const slug = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\w\s-]/g, '')
    .replaceAll(' ', '-')
