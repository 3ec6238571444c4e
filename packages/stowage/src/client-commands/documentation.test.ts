import { readFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import {
  fromOptions,
  networkOptions,
  outputOptions,
  registryOptions,
  toOptions,
} from '../command-line/common-options.ts'
import type { OptionSpecs } from '../command-line/option-kinds.ts'
import { exitCodes } from '../failure.ts'
import { clientCommands } from './list.ts'

const page = await readFile(new URL('../../../../docs/commands.md', import.meta.url), 'utf8')
const [general = '', ...sections] = page.split(/^### /m)

/** Every way to write these options. */
const spellingsOf = (specs: OptionSpecs): string[] =>
  Object.values(specs).flatMap(({ flags, also, negatable }) => {
    const own = [...(flags.match(/(?<=^|, )-{1,2}[a-zA-Z0-9-]+/g) ?? []), ...also]
    const negated = own.filter((one) => one.startsWith('--')).map((one) => one.replace('--', '--no-'))
    return negatable ? [...own, ...negated] : own
  })

/** What the text does not have as code: `--limit`, or `--limit N`. */
const missing = (text: string, words: readonly string[]): string[] =>
  words.filter((word) => !text.includes(`\`${word}\``) && !text.includes(`\`${word} `) && !text.includes(`\`${word}=`))

describe('docs/commands.md', () => {
  test.each(clientCommands.map((listed) => [listed.name, listed] as const))(
    'has stowage %s, with its arguments, other names and options',
    async (name, { aliases, load }) => {
      const section = sections.find((text) => text.startsWith(`stowage ${name}\n`)) ?? ''
      const { usage, options } = await load()
      expect(section).toContain(`\`stowage ${`${name} ${usage}`.trim()}\``)
      expect(missing(section, [...aliases, ...spellingsOf(options)])).toEqual([])
    },
  )

  test('has no command that there is not', () => {
    const names = clientCommands.map(({ name }) => `stowage ${name}`)
    const documented = sections.map((text) => text.split('\n', 1)[0] ?? '')
    expect(documented.filter((heading) => heading.startsWith('stowage ') && !names.includes(heading))).toEqual([])
  })

  test('has the options that come by themselves, and every exit code', () => {
    const common = { ...outputOptions, ...networkOptions, ...registryOptions }
    expect(missing(general, spellingsOf(common))).toEqual([])
    expect(missing(general, [...spellingsOf(fromOptions), ...spellingsOf(toOptions)])).toEqual([])
    const { problems, 'no-data': noData, unavailable, data, locked, configuration, ...ofTheClient } = exitCodes
    for (const code of [0, ...Object.values(ofTheClient)]) expect(general).toContain(`\n| ${code} | `)
    for (const code of [problems, noData, unavailable, data, locked, configuration])
      expect(general).toMatch(new RegExp(`[:,] ${code} `))
  })
})

describe('every command', () => {
  test.each(clientCommands.map((listed) => [listed.name, listed] as const))(
    'stowage %s says what its arguments are, and gives examples of itself',
    async (name, { aliases, load }) => {
      const { usage, arguments: described, examples, about, sides } = await load()
      const argumentNames = usage
        .split(' ')
        .filter(Boolean)
        .map((word) => word.replaceAll(/[^a-z-]/g, ''))
      expect(Object.keys(described)).toEqual(argumentNames)
      expect(about).toMatch(/\.$/)
      expect(['none', 'one', 'two']).toContain(sides)
      for (const [line] of examples) {
        expect([name, ...aliases].some((one) => line.includes(`stowage ${one}`))).toBe(true)
      }
      expect(examples.length).toBeGreaterThan(0)
    },
  )
})
