import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { scanJson } from './json-scan.ts'

const integerKeys = new Set(['size'])
const scan = (text: string, maxDepth = 64): ReturnType<typeof scanJson> => scanJson(text, maxDepth, integerKeys)
const paths = (text: string): string[] => scan(text).problems.map(({ path }) => path)

describe('duplicate keys', () => {
  test.each([
    ['{"a":1,"a":2}', ['a']],
    ['{"a":1,"b":{"c":[{"d":1},{"d":1,"e":2,"d":3}]}}', ['b.c[1].d']],
    ['[[{"x":0}],[0,{"x":0,"x":0}]]', ['[1][1].x']],
    [String.raw`{"a":1,"\u0061":2}`, ['a']],
    [String.raw`{"\ud83d\ude00":1,"😀":2}`, ['["😀"]']],
    [String.raw`{"\"":1,"\u0022":2}`, [String.raw`["\""]`]],
    [String.raw`{"a\\":1,"a\\":2}`, [String.raw`["a\\"]`]],
    ['{"":1,"":2}', ['[""]']],
    // Readers whose strings are UTF-8 make one character of every half surrogate pair.
    [String.raw`{"\ud800":1,"\udfff":2}`, ['["\ufffd"]']],
    [`{${Array.from({ length: 20 }, (_, index) => `"k${index}":0`).join()},"k3":1}`, ['k3']],
  ])('%s', (text, expected) => {
    expect(paths(text)).toEqual(expected)
  })

  test.each([
    '{"a":{"a":{"a":1}}}',
    '[{"a":1},{"a":1}]',
    '{"a":"a","b":"a"}',
    '{"a":["a","a","a"]}',
    '{"a":1,"A":2}',
    String.raw`{"a":"\",\"a\":","b":1}`,
    '{"a":{},"b":[],"c":"{\\"a\\":1,\\"a\\":2}"}',
    '5',
    '"a"',
    'null',
  ])('%s has none', (text) => {
    expect(scan(text)).toMatchObject({ problems: [], fatal: false })
  })

  /** A JSON text, and how often an object in it has a key again. */
  interface Written {
    readonly text: string
    readonly repeated: number
  }
  const key = fc.constantFrom('a', 'b', '', 'size', '\\', '"', 'é', '😀', '{', 'a,"a":')
  const spelled = fc.tuple(key, fc.boolean()).map(([name, escaped]) => ({
    name,
    text: escaped
      ? `"${Array.from({ length: name.length }, (_, at) => `\\u${name.charCodeAt(at).toString(16).padStart(4, '0')}`).join('')}"`
      : JSON.stringify(name),
  }))
  const space = fc.constantFrom('', ' ', '\n\t', '\r')
  const { value } = fc.letrec<{ value: Written }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      fc
        .oneof(
          fc.string({ unit: fc.constantFrom('"', '\\', '{', '}', '[', ',', ':', 'a', 'é'), maxLength: 200 }),
          fc.double(),
          fc.boolean(),
        )
        .map((leaf) => ({
          text: JSON.stringify(leaf),
          repeated: 0,
        })),
      fc.array(fc.tuple(tie('value'), space), { maxLength: 4 }).map((items) => ({
        text: `[${items.map(([item, gap]) => gap + item.text + gap).join()}]`,
        repeated: items.reduce((sum, [item]) => sum + item.repeated, 0),
      })),
      fc.array(fc.tuple(spelled, tie('value'), space), { maxLength: 12 }).map((members) => ({
        text: `{${members.map(([name, item, gap]) => gap + name.text + gap + ':' + gap + item.text + gap).join()}}`,
        repeated:
          members.length -
          new Set(members.map(([name]) => name.name)).size +
          members.reduce((sum, [, item]) => sum + item.repeated, 0),
      })),
    ),
  }))

  test('are counted in any document, however it is written', () => {
    let withDuplicates = 0
    fc.assert(
      fc.property(value, ({ text, repeated }) => {
        expect(() => void JSON.parse(text)).not.toThrow()
        expect(scan(text).problems.length).toBe(Math.min(repeated, 101))
        if (repeated > 0) withDuplicates++
      }),
      { numRuns: 3000 },
    )
    expect(withDuplicates).toBeGreaterThan(100)
  })

  test('in great number end the scan', () => {
    const text = `{${Array.from({ length: 100_000 }, () => '"a":1').join()}}`
    const { problems, fatal } = scan(text)
    expect(fatal).toBe(true)
    expect(problems.length).toBe(101)
  })
})

test('no document that JSON.stringify writes has a problem', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 6 }), (value) => {
      const text = JSON.stringify(value)
      if (text.includes('__proto__')) return
      expect(scan(text)).toMatchObject({ problems: [], fatal: false })
    }),
    { numRuns: 2000 },
  )
})

test('nothing makes the scan throw or run on', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...Array.from('{}[]",:\\-1e. a')), maxLength: 200 }), (text) => {
      scan(text, 8)
    }),
    { numRuns: 5000 },
  )
})

describe('depth', () => {
  const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth)
  test('of 64 is the most', () => {
    expect(scan(nested(64))).toMatchObject({ problems: [], fatal: false })
    expect(scan(nested(65))).toMatchObject({ fatal: true, problems: [{ message: 'is nested deeper than 64 levels' }] })
    expect(scan('{"a":'.repeat(65))).toMatchObject({ fatal: true, problems: [{ path: 'a.a.a.a.a.a.a.a…' }] })
  })

  test('is how many are open, not how many there are, and brackets in strings are none', () => {
    expect(scan(`[${Array.from({ length: 500 }, () => '[]').join()}]`, 2).fatal).toBe(false)
    expect(scan(JSON.stringify('['.repeat(500)), 2).fatal).toBe(false)
  })
})

test('a document of very many parts ends the scan, one of many does not', () => {
  const objects = (count: number): string => `[${Array.from({ length: count }, () => '{"a":0}').join()}]`
  expect(scan(objects(124_999))).toMatchObject({ problems: [], fatal: false })
  expect(scan(objects(125_000))).toMatchObject({
    fatal: true,
    problems: [{ message: 'has more than 250000 members, objects and arrays' }],
  })
  expect(scan(`[${Array.from({ length: 500_000 }, () => '0').join()}]`).fatal).toBe(false)
})

test.each(['{} x', '{}{}', '[]]', '{}\u0000', '{}\u00a0', '[],'])('%j has text after its end', (text) => {
  expect(scan(text)).toMatchObject({
    fatal: true,
    problems: [{ path: '', message: expect.stringContaining('after the end') }],
  })
})

test('white space after the end is no text', () => {
  expect(scan('{} \t\r\n').problems).toEqual([])
})

test('__proto__ is no name at any level', () => {
  expect(paths('{"__proto__":1}')).toEqual(['__proto__'])
  expect(paths(String.raw`{"a":[{"\u005f_proto__":{}}]}`)).toEqual(['a[0].__proto__'])
})

describe('whole numbers', () => {
  const odd = (text: string): [string, string][] => [...scan(text).oddIntegers]
  test.each(['1e3', '1.0', '1.5', '-1', '-0', '5.0000000000000000000001', '1E2', '12345678901234567', '1e400'])(
    '%s is not written in digits',
    (written) => {
      expect(odd(`{"size":${written}}`)).toEqual([['size', written]])
      expect(odd(`{"layers":[{},{"size": ${written} }]}`)).toEqual([['layers[1].size', written]])
    },
  )

  test.each(['0', '5', '9007199254740991', '9007199254740993'])('%s is', (written) => {
    expect(odd(`{"size":${written}}`)).toEqual([])
  })

  test('count where they are the value of an integer key, not deeper than a descriptor is', () => {
    expect(odd('{"sizes":1e3,"size":[1e3],"a":{"b":{"c":{"size":1e3}}}}')).toEqual([])
    expect(odd('{"size":"1e3","x":1e3}')).toEqual([])
  })

  test('in great number end the scan', () => {
    const { fatal, oddIntegers } = scan(`[${Array.from({ length: 100_000 }, () => '{"size":1e3}').join()}]`)
    expect(fatal).toBe(true)
    expect(oddIntegers.size).toBe(1000)
  })
})

test('long strings end where they end, whatever stands before the quote', () => {
  for (let length = 0; length < 200; length++) {
    for (const before of ['', '\\', '\\\\', '"', '\\"', '"\\']) {
      for (const text of [
        JSON.stringify({ a: 'y'.repeat(length) + before, b: 0, c: 'a', d: { b: 0 } }),
        JSON.stringify({ [`${'x'.repeat(length)}${before}`]: 0, b: 0, c: 'a', d: { b: 0 } }),
      ]) {
        expect(scan(text).problems).toEqual([])
        expect(paths(`${text.slice(0, -1)},"b":1}`)).toEqual(['b'])
      }
    }
  }
})
