import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { parseChallenges } from './challenge.ts'

const parsed = (header: string | null): [string, Record<string, string>][] =>
  parseChallenges(header).map(({ scheme, parameters }) => [scheme, Object.fromEntries(parameters)])

describe('challenges as RFC 9110 has them', () => {
  test.each<[string, [string, Record<string, string>][]]>([
    ['Basic', [['basic', {}]]],
    ['Basic realm="a"', [['basic', { realm: 'a' }]]],
    ['BASIC REALM="A"', [['basic', { realm: 'A' }]]],
    ['Basic realm=a', [['basic', { realm: 'a' }]]],
    ['Basic realm=""', [['basic', { realm: '' }]]],
    ['Basic realm="a,b=c"', [['basic', { realm: 'a,b=c' }]]],
    [String.raw`Basic realm="a \"b\" \\c"`, [['basic', { realm: String.raw`a "b" \c` }]]],
    ['Bearer realm = "r" ,\tservice\t=\ts', [['bearer', { realm: 'r', service: 's' }]]],
    ['Bearer realm="r",, ,service="s",', [['bearer', { realm: 'r', service: 's' }]]],
    ['Bearer realm="r",realm="other"', [['bearer', { realm: 'r' }]]],
    // RFC 9110's own example.
    [
      'Basic realm="simple", Newauth realm="apps", type=1, title="Login to \\"apps\\""',
      [
        ['basic', { realm: 'simple' }],
        ['newauth', { realm: 'apps', type: '1', title: 'Login to "apps"' }],
      ],
    ],
    [
      'Negotiate, NTLM TlRMTVNTUAAB==, Bearer realm="r"',
      [
        ['negotiate', {}],
        ['ntlm', {}],
        ['bearer', { realm: 'r' }],
      ],
    ],
    [
      'Bearer realm="r",scope="repository:a/b:pull,push" , Basic realm="x"',
      [
        ['bearer', { realm: 'r', scope: 'repository:a/b:pull,push' }],
        ['basic', { realm: 'x' }],
      ],
    ],
    ['Bearer realm="r",__proto__=1', [['bearer', { realm: 'r', ['__proto__']: '1' }]]],
  ])('%s', (header, expected) => {
    // Own members of objects, also those with the name of the prototype.
    expect(JSON.stringify(parsed(header))).toBe(
      JSON.stringify(expected.map(([scheme, object]) => [scheme, Object.fromEntries(Object.entries(object))])),
    )
  })
})

describe('challenges as some registries have them', () => {
  test.each<[string, string]>([
    ['Bearer realm=https://auth.example/token,service=r', 'https://auth.example/token'],
    ['Bearer realm=https://auth.example/token?a=b,service=r', 'https://auth.example/token?a=b'],
  ])('%s', (header, realm) => {
    expect(parsed(header)[0]?.[1]['realm']).toBe(realm)
  })
})

describe('what cannot be read', () => {
  test.each<[string | null, [string, Record<string, string>][]]>([
    [null, []],
    ['', []],
    [' , ,', []],
    ['realm="a"', []],
    ['"quoted"', []],
    ['=a', []],
    ['Basic realm="a', [['basic', {}]]],
    [String.raw`Basic realm="a\"`, [['basic', {}]]],
    [
      'Basic realm="a", Bearer realm="b',
      [
        ['basic', { realm: 'a' }],
        ['bearer', {}],
      ],
    ],
    ['Basic realm=', [['basic', {}]]],
    ['Basic realm="a" ???', [['basic', { realm: 'a' }]]],
    ['Basic realm="a" ünknown', [['basic', { realm: 'a' }]]],
    [`Basic realm="${'a'.repeat(20_000)}"`, []],
  ])('%s', (header, expected) => {
    expect(parsed(header)).toEqual(expected)
  })

  it('never throws, whatever it is, and reads what it wrote', () => {
    const part = fc.constantFrom('Basic', 'Bearer', ' ', ',', '=', '"', '\\', 'realm', 'a', '==', '\t', '/', 'é')
    const garbage = fc.oneof(
      fc.string(),
      fc.array(part, { maxLength: 60 }).map((parts) => parts.join('')),
    )
    fc.assert(
      fc.property(garbage, (text) => {
        const before = parseChallenges(text)
        const written = before.map(({ scheme, parameters }) => {
          const list = [...parameters].map(
            ([name, value]) => `${name}="${value.replaceAll(/["\\]/g, String.raw`\$&`)}"`,
          )
          return `${scheme} ${list.join(', ')}`
        })
        expect(parseChallenges(written.join(', '))).toEqual(before)
      }),
      { numRuns: 2000 },
    )
  })

  it('takes no longer for a header made to be slow', () => {
    for (const piece of ['a ', 'a=', 'a="\\', '\\"', ' \t', 'a==', '"a']) {
      const header = `Basic ${piece.repeat(16 * 1024)}`.slice(0, 16 * 1024)
      expect(parseChallenges(header).length).toBeLessThan(16 * 1024)
    }
  })
})
