import { readFileSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { createTestRegistry, sample } from '@stowage/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { administrationCommands } from '../packages/stowage/src/commands/list.ts'
import { settingKeys } from '../packages/stowage/src/config/settings.ts'
import { startOidcIssuer } from '../packages/registry/src/testing/oidc-issuer.ts'
import { blocksOf, brokenLinks, pattern, runScript, type ScriptOutcome, sendTo } from './chapter.ts'
import { freePort } from './clients/loopback.ts'

const root = new URL('..', import.meta.url).pathname
const page = await readFile(join(root, 'docs', 'access.md'), 'utf8')

describe('docs/access.md: ten minutes', () => {
  const section = page.split('\n## Ten minutes\n')[1]?.split('\n## ')[0] ?? ''
  const blocks = blocksOf(section, 'Ten minutes')
  let directory: string
  let expected: readonly (RegExp | undefined)[]
  let outcome: ScriptOutcome

  /** All blocks in one shell, as who reads pastes them; only names of places that are not here are others. */
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'stowage-chapter-'))
    await using hub = await createTestRegistry()
    await sample.pushImage({ send: sendTo(hub.url) } as never, 'alpine', '3.20', sample.image('alpine'))
    await using issuer = await startOidcIssuer()
    const port = await freePort()
    const tokenOf = async (claims: object): Promise<string> => issuer.token({ audience: 'registry.example', claims })

    await mkdir(join(directory, 'bin'))
    await mkdir(join(directory, 'work'))
    const command = join(directory, 'bin', 'stowage')
    const main = join(root, 'packages', 'stowage', 'src', 'main.ts')
    await writeFile(command, `#!/bin/sh\nexec "${process.execPath}" --conditions=@stowage/source "${main}" "$@"\n`)
    await chmod(command, 0o755)

    const logIn = 'stowage login localhost:5000 --username ci --password-stdin'
    const steps = [
      ...blocks.map(({ code }, index) => ({ name: String(index), code })),
      { name: 'other branch', code: `echo "$OTHER_BRANCH" | ${logIn} || echo "exit code $?"` },
      { name: 'other repository', code: `echo "$OTHER_REPOSITORY" | ${logIn} || echo "exit code $?"` },
      {
        name: 'wrong password',
        code: 'echo guess | stowage login localhost:5000 -u ada --password-stdin || echo "exit code $?"',
      },
    ]
    const here = (text: string): string =>
      text
        .replaceAll('localhost:5000', `localhost:${port}`)
        .replaceAll('alpine:3.20', `${hub.host}/alpine:3.20`)
        .replaceAll('https://token.actions.githubusercontent.com', issuer.url)
    const script = [
      'set -eu',
      // Ends the server whatever happens; it is the only thing in the background.
      "trap 'kill $(jobs -p) && wait' EXIT",
      ...steps.map(({ name, code }) => `echo "@@ ${name}"\n${code}`),
    ].join('\n')
    const env = {
      ...process.env,
      PATH: [join(directory, 'bin'), process.env['PATH']].join(delimiter),
      HOME: directory,
      DOCKER_CONFIG: directory,
      NO_PROXY: 'localhost,127.0.0.1',
      ID_TOKEN: await tokenOf({ repository: 'acme/app', ref: 'refs/heads/main' }),
      OTHER_BRANCH: await tokenOf({ repository: 'acme/app', ref: 'refs/pull/1/merge' }),
      OTHER_REPOSITORY: await tokenOf({ repository: 'mallory/app', ref: 'refs/heads/main' }),
    }
    expected = blocks.map(({ output }) => (output === undefined ? undefined : pattern(here(output))))
    outcome = await runScript(here(script), { cwd: join(directory, 'work'), env })
  }, 120_000)
  afterAll(async () => rm(directory, { recursive: true, force: true }))

  it.each(blocks.map((block, index) => ({ ...block, index })))('$title: $code', ({ index }) => {
    const printed = outcome.outputs.get(String(index))
    expect(printed, `the blocks before it ended with code ${outcome.code}: ${outcome.stderr}`).toBeDefined()
    const endedHere = outcome.code !== 0 && !outcome.outputs.has(String(index + 1)) && index < blocks.length - 1
    expect(endedHere, outcome.stderr).toBe(false)
    const wanted = expected[index]
    if (wanted !== undefined) expect(printed).toMatch(wanted)
  })

  it('lets in no job that is of another branch or repository, and nobody who guesses', () => {
    expect([...outcome.outputs.keys()].slice(blocks.length), outcome.stderr).toHaveLength(3)
    for (const name of ['other branch', 'other repository', 'wrong password']) {
      expect([name, outcome.outputs.get(name)]).toEqual([name, 'exit code 4'])
    }
  })

  it('is written as if it had been done: five steps, each with commands', () => {
    expect([...new Set(blocks.map(({ title }) => title))]).toHaveLength(5)
    expect(blocks.length).toBeGreaterThanOrEqual(7)
  })
})

const textOf = (file: string): string | undefined => {
  try {
    return readFileSync(join(root, 'docs', file), 'utf8')
  } catch {
    return undefined
  }
}

/** Every setting that django-oci has. */
const settingsOfDjangoOci = [
  'URL_PREFIX',
  'DISABLE_AUTHENTICATION',
  'SPEC_VERSION',
  'PRIVATE_ONLY',
  'CONTENT_TYPES',
  'IMAGE_MANIFEST_CONTENT_TYPE',
  'STORAGE_BACKEND',
  'DOMAIN_URL',
  'MEDIA_ROOT',
  'CACHE_DIR',
  'SESSION_EXPIRES_SECONDS',
  'TOKEN_EXPIRES_SECONDS',
  'DISABLE_TAG_MANIFEST_DELETE',
  'DEFAULT_CONTENT_TYPE',
  'AUTHENTICATED_VIEWS',
  'AUTHENTICATION_SERVER',
  'JWT_SERVER_SECRET',
  'VIEW_RATE_LIMIT',
  'VIEW_RATE_LIMIT_BLOCK',
]

describe('docs/access.md', () => {
  it('names settings and commands that are there', () => {
    const names = [...page.matchAll(/`(\w+\.\w+)(?:: \w+)?`/g)]
      .map(([, name = '']) => name)
      .filter((name) => /^(?:access|admin|limits|policies|tokens|tokenServer|uploads)\./.test(name))
    expect(names.length).toBeGreaterThan(20)
    for (const name of names) expect(settingKeys).toContain(name)
    const known = administrationCommands.flatMap(({ name, aliases }) => [name, ...aliases])
    const commands = [...page.matchAll(/stowage ((?:user|token|access|issuer|key) \w+)/g)].map(([, name]) => name)
    expect(commands.length).toBeGreaterThan(20)
    for (const command of commands) expect(known).toContain(command)
  })

  it('says what became of every setting of django-oci', () => {
    const table = page.split('\n## From django-oci\n')[1] ?? ''
    const left = [...table.matchAll(/^\| (.+?) \|/gm)].map(([, cell]) => cell).join(' ')
    for (const name of settingsOfDjangoOci) expect(left).toContain(`\`${name}\``)
  })

  it('links to headings and files that are there', () => {
    expect(brokenLinks(page, textOf)).toEqual([])
    expect(page.match(/\]\([^)\s]+\)/g)?.length).toBeGreaterThan(20)
  })
})
