import { readFileSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { createTestRegistry, sample } from '@stowage/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { administrationCommands } from '../packages/stowage/src/commands/list.ts'
import { upkeepCommands } from '../packages/stowage/src/commands/upkeep-list.ts'
import { upkeepSettings } from '../packages/stowage/src/config/upkeep-settings.ts'
import { blocksOf, brokenLinks, pattern, runScript, type ScriptOutcome, sendTo } from './chapter.ts'
import { freePort } from './clients/loopback.ts'

const root = new URL('..', import.meta.url).pathname
const page = readFileSync(join(root, 'docs', 'upkeep.md'), 'utf8')
const blocks = blocksOf(page, 'Keeping a registry in order')

describe('docs/upkeep.md: every command', () => {
  let directory: string
  let expected: readonly (RegExp | undefined)[]
  let outcome: ScriptOutcome

  /** All blocks in one shell, as who reads pastes them; only names of places that are not here are others. */
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'stowage-upkeep-'))
    await using hub = await createTestRegistry()
    await sample.pushImage({ send: sendTo(hub.url) } as never, 'alpine', '3.20', sample.image('alpine'))
    const port = await freePort()
    await mkdir(join(directory, 'bin'))
    await mkdir(join(directory, 'work'))
    const command = join(directory, 'bin', 'stowage')
    const main = join(root, 'packages', 'stowage', 'src', 'main.ts')
    await writeFile(command, `#!/bin/sh\nexec "${process.execPath}" --conditions=@stowage/source "${main}" "$@"\n`)
    await chmod(command, 0o755)
    const here = (text: string): string =>
      text.replaceAll('localhost:5000', `localhost:${port}`).replaceAll('alpine:3.20', `${hub.host}/alpine:3.20`)
    const script = [
      'set -eu',
      // Ends the server whatever happens; it is the only thing in the background.
      "trap 'kill $(jobs -p) && wait' EXIT",
      ...blocks.map(({ code }, index) => `echo "@@ ${index}"\n${code}`),
      'echo "@@ end"',
    ].join('\n')
    const env = {
      ...process.env,
      PATH: [join(directory, 'bin'), process.env['PATH']].join(delimiter),
      HOME: directory,
      DOCKER_CONFIG: directory,
      NO_PROXY: 'localhost,127.0.0.1',
    }
    expected = blocks.map(({ output }) => (output === undefined ? undefined : pattern(here(output))))
    outcome = await runScript(here(script), { cwd: join(directory, 'work'), env })
  }, 120_000)
  afterAll(async () => rm(directory, { recursive: true, force: true }))

  it.each(blocks.map((block, index) => ({ ...block, index })))('$title: $code', ({ index }) => {
    const printed = outcome.outputs.get(String(index))
    expect(printed, `the blocks before it ended with code ${outcome.code}: ${outcome.stderr}`).toBeDefined()
    const wanted = expected[index]
    if (wanted !== undefined) expect(printed, outcome.stderr).toMatch(wanted)
  })

  it('ends well', () => {
    expect(outcome.outputs.has('end'), outcome.stderr).toBe(true)
  })
})

describe('docs/upkeep.md', () => {
  it('has every command and every setting of upkeep, and none that there is not', () => {
    const code = blocks.map((block) => block.code).join('\n')
    for (const { name } of upkeepCommands) expect(code).toContain(`stowage ${name}`)
    const settings = Object.keys(upkeepSettings)
    const words = [...page.matchAll(/`((?:garbage|retention|scrub)\.\w+)/g)].map(([, name]) => name)
    for (const word of words) expect(settings).toContain(word)
    const known = administrationCommands.flatMap(({ name, aliases }) => [name, ...aliases])
    const commands = [...page.matchAll(/stowage ((?:gc|scrub|doctor|backup|restore)|retention \w+)/g)].map(
      ([, name]) => name,
    )
    for (const command of commands) expect(known).toContain(command)
  })

  it('links to headings and files that are there', () => {
    const textOf = (file: string): string | undefined => {
      try {
        return readFileSync(join(root, 'docs', file), 'utf8')
      } catch {
        return undefined
      }
    }
    expect(brokenLinks(page, textOf)).toEqual([])
  })
})
