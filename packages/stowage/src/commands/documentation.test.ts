import { readFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { accountOperations } from '../admin/account-operations.ts'
import { clientCommands } from '../client-commands/list.ts'
import { serverOptions } from '../command-line/common-options.ts'
import type { OptionSpecs } from '../command-line/option-kinds.ts'
import { longFlag } from '../command-line/option-kinds.ts'
import { administrationCommands, administrationGroups } from './list.ts'

const page = await readFile(new URL('../../../../docs/administration.md', import.meta.url), 'utf8')
const sections = page.split(/^### /m)

/** Every way to write these options. */
const spellingsOf = (specs: OptionSpecs): string[] =>
  Object.values(specs).flatMap(({ flags, also, negatable }) => {
    const own = [...(flags.match(/(?<=^|, )-{1,2}[a-zA-Z0-9-]+/g) ?? []), ...also]
    return negatable ? [...own, longFlag(flags).replace('--', '--no-')] : own
  })

const missing = (text: string, words: readonly string[]): string[] =>
  words.filter((word) => !text.includes(`\`${word}\``) && !text.includes(`\`${word} `))

const listed = administrationCommands.map((command) => [command.name, command] as const)

describe('docs/administration.md', () => {
  test.each(listed)('has stowage %s, with its arguments, other names and options', async (name, { aliases, load }) => {
    const section = sections.find((text) => text.startsWith(`stowage ${name.split(' ')[0]}\n`)) ?? ''
    const { usage, options } = await load()
    expect(section).toContain(`\`stowage ${`${name} ${usage}`.trim()}\``)
    expect(missing(section, [...aliases, ...spellingsOf(options)])).toEqual([])
  })

  test('has no command that there is not', () => {
    const written = [...page.matchAll(/^\| `stowage ([a-z ]+?)(?: [<[][^`]*)?` \|/gm)].map(([, name]) => name)
    expect(written.toSorted()).toEqual(administrationCommands.map(({ name }) => name).toSorted())
  })

  test('has every operation of the administration API, and the options that come by themselves', () => {
    expect(missing(page, Object.keys(accountOperations))).toEqual([])
    expect(missing(page, spellingsOf(serverOptions))).toEqual([])
  })
})

describe('every command', () => {
  test.each(listed)('stowage %s says what its arguments are, and gives examples of itself', async (name, { load }) => {
    const { usage, arguments: described, examples, about, sides } = await load()
    const names = usage
      .split(' ')
      .filter(Boolean)
      .map((word) => word.replaceAll(/[^a-z-]/g, ''))
    expect(Object.keys(described)).toEqual(names)
    expect(about).toMatch(/\.$/)
    expect(sides).toBe('server')
    expect(examples.length).toBeGreaterThan(0)
    for (const [line] of examples) expect(line).toContain(`stowage ${name}`)
  })

  test('is in a group of its own, and no name is a command of the client', () => {
    const names = administrationCommands.flatMap(({ name, aliases }) => [name, ...aliases])
    const groups = names.flatMap((name) => (name.includes(' ') ? name.split(' ', 1) : []))
    expect([...new Set(groups)]).toEqual([...administrationGroups.keys()])
    const ofClient = new Set(
      clientCommands.flatMap(({ name, aliases }) => [name, ...aliases].map((one) => one.split(' ')[0] ?? '')),
    )
    expect(names.flatMap((name) => name.split(' ', 1)).filter((word) => ofClient.has(word))).toEqual([])
  })
})
