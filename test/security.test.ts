import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { createTestRegistry } from '@stowage/testkit'
import { describe, expect, it } from 'vitest'

const root = new URL('..', import.meta.url).pathname
const page = await readFile(join(root, 'SECURITY.md'), 'utf8')

interface Row {
  readonly id: string
  readonly advisories: string
  readonly tests: readonly { readonly title: string; readonly file: string }[]
}

const rows: readonly Row[] = [...page.matchAll(/^\| (T\d+b?) \| ([^|]+) \| [^|]+ \| (.+) \|$/gm)].map(
  ([, id = '', advisories = '', tests = '']) => ({
    id,
    advisories,
    tests: [...tests.matchAll(/\[(.+?)\]\((\S+?)\)/g)].map(([, title = '', file = '']) => ({ title, file })),
  }),
)

describe('SECURITY.md', () => {
  it.each(rows)('$id ($advisories): the test that is named is there', async ({ tests }) => {
    expect(tests.length).toBeGreaterThan(0)
    for (const { title, file } of tests) {
      expect(file).toMatch(/test\.ts$/)
      const source = await readFile(join(root, file), 'utf8')
      // As a title, not in a comment.
      const titles = [...source.matchAll(/^\s*(?:it|test|describe|\]\)).*?\((?:\n\s*)?'(.+?)',/gm)].map(
        ([, text]) => text,
      )
      expect(titles, file).toContain(title)
    }
  })

  it('lists what there is, each once', () => {
    expect(rows.length).toBeGreaterThanOrEqual(25)
    expect(new Set(rows.map(({ id }) => id)).size).toBe(rows.length)
  })

  it('links to headings and files that are there', async () => {
    const targets = [...page.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target ?? '')
    for (const target of targets) await readFile(join(root, target.split('#', 1)[0] ?? ''))
    expect(targets.length).toBeGreaterThan(25)
  })
})

it('T28, CVE-2022-47747: nothing that is for tests is shipped', async () => {
  const { workspaces } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { workspaces: string[] }
  for (const workspace of workspaces) {
    const pack = ['pack', '--dry-run', '--json', '--ignore-scripts', '--offline']
    const { stdout } = await promisify(execFile)('npm', pack, { cwd: join(root, workspace) })
    const [packed] = JSON.parse(stdout) as { files: { path: string }[] }[]
    const paths = packed?.files.map(({ path }) => path) ?? []
    expect(paths.length).toBeGreaterThan(5)
    expect(paths.filter((path) => /(?:^|\/)testing\/|test\.ts$|\.test\./.test(path))).toEqual([])
  }
})

it('T31: what is in the database lets nobody in', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'stowage-security-'))
  try {
    const accounts = { firstAdministrator: { name: 'root', password: 'correct horse battery' } }
    await using server = await createTestRegistry({ storage: directory, accounts })
    const status = async (password: string): Promise<number> => {
      const authorization = `Basic ${Buffer.from(`root:${password}`).toString('base64')}`
      return (await fetch(`${server.url}/v2/`, { headers: { authorization } })).status
    }
    const made = await server.registry.accounts?.addToken({ user: 'root', label: 'laptop' })
    const basic = Buffer.from('root:correct horse battery').toString('base64')
    const asked = await fetch(`${server.url}/auth/token?offline_token=true&client_id=test`, {
      headers: { authorization: `Basic ${basic}` },
    })
    const { token = '', refresh_token: refresh = '' } = (await asked.json()) as Record<string, string>
    expect([token.length > 100, refresh.slice(0, 5)]).toEqual([true, 'stwr_'])
    /** What follows the id: 43 characters, among them `_`. */
    const secretOf = (text: string): string => text.slice(-43)

    let database = ''
    for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile() || entry.name === 'secret.key') continue
      database += await readFile(join(entry.parentPath, entry.name), 'latin1')
    }
    // The rows are among what was read.
    expect(database).toContain('laptop')
    const hashes = [...database.matchAll(/\$argon2id\$[\w+/$=,]+|[0-9a-f]{64}/g)].map(([hash]) => hash)
    expect(hashes.length).toBeGreaterThanOrEqual(3)
    for (const secret of [
      'correct horse',
      basic,
      secretOf(made?.secret ?? '?'),
      secretOf(refresh),
      token.split('.')[2] ?? '?',
    ]) {
      expect(database.includes(secret)).toBe(false)
    }
    expect(await status(made?.secret ?? '')).toBe(200)
    // A hash is no password, with or without the form of a token around it.
    const stored = hashes.slice(0, 3)
    const id = made?.token.id ?? ''
    for (const hash of [...stored, ...stored.map((each) => `stwp_${id}_${each.slice(0, 43)}`)]) {
      expect(await status(hash)).not.toBe(200)
    }
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
})
