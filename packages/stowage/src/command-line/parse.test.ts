import { describe, expect, test } from 'vitest'
import { bothSidesOptions, fromOptions, networkOptions, registryOptions, toOptions } from './common-options.ts'
import { defineCommand, type Sides } from './define.ts'
import { count, duration, flag, oneOf, text, texts } from './option-kinds.ts'
import { withLayouts } from './layout-arguments.ts'
import { parseArguments } from './parse.ts'

const options = {
  output: text('-o, --output <file>', 'a file'),
  names: texts('--name <name>', 'a name', { also: ['--title'] }),
  limit: count('--limit <n>', 'a number', { least: 1 }),
  wait: duration('--wait <duration>', 'a while'),
  mode: oneOf('--mode <mode>', 'a mode', ['fast', 'slow']),
  force: flag('-f, --force', 'be rude', { also: ['-y'] }),
  noWarning: flag('--no-warning', 'say nothing'),
}

const command = (sides: Sides = 'one') =>
  defineCommand({
    usage: '<first> [rest...]',
    arguments: { first: 'the first', rest: 'the others' },
    about: 'Does nothing.',
    options,
    sides,
    examples: [['stowage nothing', 'nothing']],
    run: async ({ args: [first, rest], options: { limit, mode } }) => {
      // The types of all of them come from the definition.
      const known: [string, readonly string[], number | undefined, 'fast' | 'slow' | undefined] = [
        first,
        rest,
        limit,
        mode,
      ]
      expect(known).toHaveLength(4)
    },
  })

const parse = (words: string, sides?: Sides) => parseArguments('nothing', command(sides), words.split(' '))

describe('parseArguments', () => {
  test('knows arguments and options in any order', () => {
    const parsed = parse('-fo out a --name x --title y b --limit=3 --wait 1.5m --mode slow c --no-warning')
    expect(parsed.args).toEqual(['a', ['b', 'c']])
    expect(parsed.read(options)).toEqual({
      output: 'out',
      names: ['x', 'y'],
      limit: 3,
      wait: 90_000,
      mode: 'slow',
      force: true,
      noWarning: true,
    })
  })

  test('what is not given is undefined, false or empty', () => {
    const parsed = parse('a')
    expect(parsed.args).toEqual(['a', []])
    expect(parsed.read(options)).toEqual({
      output: undefined,
      names: [],
      limit: undefined,
      wait: undefined,
      mode: undefined,
      force: false,
      noWarning: false,
    })
  })

  test('behind -- everything is an argument', () => {
    expect(parse('-- --force --tls-verify').args).toEqual(['--force', ['--tls-verify']])
  })

  test.each([
    ['--ouput x a', "Unknown option '--ouput'. Did you mean --output?"],
    ['--xyzzy a', "Unknown option '--xyzzy'. See stowage nothing --help."],
    ['--output', /Option '-o, --output <file>' argument missing/],
    ['--force', /Missing required argument 'first'/],
    ['--plain-htp a', /Did you mean --plain-http\?/],
  ])('%s is refused', (words, message) => {
    expect(() => parse(words)).toThrow(message)
  })

  test.each([
    ['--limit 0 a', '--limit must be a whole number of 1 or more, not "0".'],
    ['--limit 1e3 a', /whole number/],
    ['--wait long a', /--wait must be a duration/],
    ['--wait 0 a', /--wait must be a duration/],
    ['--mode medium a', '--mode must be fast or slow, not "medium".'],
  ])('%s is refused when it is read', (words, message) => {
    expect(() => parse(words).read(options)).toThrow(message)
  })
})

describe('options that come by themselves', () => {
  test('--plain-http is yes, no or not said', () => {
    const plainHttp = (words: string) => parse(words).read(registryOptions).plainHttp
    expect([plainHttp('a'), plainHttp('a --plain-http'), plainHttp('a --no-plain-http')]).toEqual([
      undefined,
      true,
      false,
    ])
    expect(plainHttp('a --plain-http --no-plain-http')).toBe(false)
  })

  test('skopeo spells some of them in its own way', () => {
    const read = parse('--tls-verify a --creds me:secret --authfile x.json').read(registryOptions)
    expect(read).toMatchObject({ tlsVerify: true, credentials: 'me:secret', registryConfigs: ['x.json'] })
    expect(parse('a --tls-verify=false').read(registryOptions).tlsVerify).toBe(false)
    const two = parse('a b --src-creds u:p --dest-tls-verify=false --src-ca-file c.pem --jobs 3', 'two')
    expect(two.read(fromOptions)).toMatchObject({ credentials: 'u:p', caFile: 'c.pem', tlsVerify: undefined })
    expect(two.read(toOptions)).toMatchObject({ credentials: undefined, tlsVerify: false })
    expect(two.read(networkOptions)).toMatchObject({ concurrency: 3 })
  })

  test('with two sides, a password is for one of them', () => {
    expect(() => parse('a b --username me', 'two')).toThrow(/Unknown option/)
    const two = parse('a b --from-username me --to-plain-http --insecure', 'two')
    expect(two.read(fromOptions)).toMatchObject({ username: 'me', plainHttp: undefined })
    expect(two.read(toOptions)).toMatchObject({ username: undefined, plainHttp: true })
    expect(two.read(bothSidesOptions)).toMatchObject({ insecure: true })
  })

  test('--oci-layout makes layouts of references, on the side that is meant', () => {
    const layouts = (words: string, sides: Sides, references?: readonly number[]) =>
      withLayouts({ sides, ...(references === undefined ? {} : { references }) }, parse(words, sides))
    expect(layouts('a --oci-layout', 'one')).toEqual(['ocidir:a', []])
    expect(layouts('ocidir:a --oci-layout', 'one')).toEqual(['ocidir:a', []])
    expect(layouts('a --oci-layout', 'one', [1])).toEqual(['a', []])
    expect(layouts('a --to-oci-layout', 'two')).toEqual(['a', []])
    expect(layouts('a --from-oci-layout', 'two')).toEqual(['ocidir:a', []])
    expect(layouts('a', 'one')).toEqual(['a', []])
  })

  test('a command that speaks to nobody has none of them', () => {
    expect(() => parse('a --plain-http', 'none')).toThrow(/Unknown option/)
    expect(parse('a', 'none').read(registryOptions)).toMatchObject({ username: undefined, registryConfigs: [] })
  })
})
