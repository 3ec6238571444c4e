import { describe, expect, test } from 'vitest'
import { type Descriptor, parseDescriptor, safeParseDescriptor } from './descriptor.ts'
import { parseDigest } from './digest.ts'

const digest = parseDigest(`sha256:${'a'.repeat(64)}`)
const least: Descriptor = { mediaType: 'application/octet-stream', digest, size: 5 }

const problemsOf = (value: unknown): Record<string, string> => {
  const result = safeParseDescriptor(value)
  return result.ok ? {} : Object.fromEntries(result.problems.map(({ path, message }) => [path, message]))
}

describe('a descriptor', () => {
  test.each<[string, Descriptor]>([
    ['with what it must have', least],
    ['of nothing', { ...least, size: 0, data: '' }],
    ['of as much as is safe', { ...least, size: Number.MAX_SAFE_INTEGER }],
    ['by sha512', { ...least, digest: parseDigest(`sha512:${'0'.repeat(128)}`) }],
    [
      'with all it may have',
      {
        ...least,
        urls: ['https://example.com/layer'],
        annotations: { 'org.opencontainers.image.title': 'a', '': '' },
        data: 'aGVsbG8=',
        artifactType: 'application/vnd.example.sbom.v1',
        platform: { architecture: 'arm', os: 'linux', variant: 'v7', 'os.version': '1', 'os.features': ['a'] },
      },
    ],
    ['of what runs anywhere', { ...least, platform: { architecture: '', os: '' } }],
  ])('%s reads as it is', (_name, descriptor) => {
    expect(parseDescriptor(structuredClone(descriptor))).toEqual(descriptor)
  })

  test('loses unknown members, and what says nothing', () => {
    const nothing = { urls: null, annotations: null, data: null, artifactType: '', platform: null }
    expect(parseDescriptor({ ...least, ...nothing, custom: { deep: [1] } })).toEqual(least)
  })

  test('says everything that is wrong with it', () => {
    expect(
      problemsOf({
        mediaType: 'nonsense',
        digest: 'sha256:abc',
        size: -1,
        urls: ['a', 5],
        annotations: { a: 1, 'b.c': null },
        artifactType: 'x',
        platform: { os: 5, 'os.features': 'a' },
      }),
    ).toEqual({
      mediaType: 'must be a media type by RFC 6838, type/subtype, got "nonsense"',
      digest: 'sha256 needs 64 hex digits, got 3',
      size: 'must be a whole number from 0 to 9007199254740991, in digits, got -1',
      'urls[1]': 'must be a string, got 5',
      'annotations.a': 'must be a string, got 1',
      'annotations["b.c"]': 'must be a string, got null',
      artifactType: 'must be a media type by RFC 6838, type/subtype, got "x"',
      'platform.architecture': 'is missing',
      'platform.os': 'must be a string, got 5',
      'platform["os.features"]': 'must be an array of strings, got "a"',
    })
    expect(problemsOf({})).toEqual({ mediaType: 'is missing', digest: 'is missing', size: 'is missing' })
  })

  test.each([null, undefined, 5, 'a', [], [least], new Uint8Array(3)])('is not %j', (value) => {
    expect(problemsOf(value)['']).toMatch('must be a descriptor')
  })

  test.each([1.5, -1, '5', Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, 10n, true, {}, null])(
    'has no size %s',
    (size) => {
      expect(Object.keys(problemsOf({ ...least, size }))).toEqual(['size'])
    },
  )

  test.each([
    ['aGVsbG8', 'not a multiple of 4'],
    ['aGVs_G8=', 'has "_" at position 4'],
    ['aGVsbG8=\n   ', 'has "=" at position 7'],
    ['a===', 'has "=" at position 1'],
    ['aGVsbG8h', 'holds 6 bytes, and size says 5'],
    ['', 'holds 0 bytes, and size says 5'],
  ])('has no data %j', (data, message) => {
    expect(problemsOf({ ...least, data })['data']).toMatch(message)
  })

  test('has no member that readers which ignore case take for another', () => {
    expect(problemsOf({ ...least, Size: 6 })).toEqual({
      Size: 'is "size" to readers that ignore case: write it so, or name it otherwise',
    })
    expect(
      Object.keys(problemsOf({ ...least, 'dige\u017ft': 'x', platform: { architecture: 'a', os: 'b', OS: 'c' } })),
    ).toEqual(['["dige\u017ft"]', 'platform.OS'])
  })
})

describe('annotations', () => {
  const many = (count: number): Record<string, string> =>
    Object.fromEntries(Array.from({ length: count }, (_, index) => [`key${index}`, '']))

  test('may be a thousand', () => {
    expect(problemsOf({ ...least, annotations: many(1000) })).toEqual({})
    expect(problemsOf({ ...least, annotations: many(1001) })).toEqual({
      annotations: 'has 1001 entries: at most 1000 are allowed',
    })
  })

  test('have keys of up to 1 KiB, in bytes, and values of any length', () => {
    expect(problemsOf({ ...least, annotations: { ['k'.repeat(1024)]: 'v'.repeat(1_000_000) } })).toEqual({})
    expect(problemsOf({ ...least, annotations: { ['é'.repeat(512)]: '' } })).toEqual({})
    expect(Object.values(problemsOf({ ...least, annotations: { ['k'.repeat(1025)]: '' } }))).toEqual([
      'has a key of more than 1024 bytes',
    ])
    expect(Object.values(problemsOf({ ...least, annotations: { ['é'.repeat(513)]: '' } }))).toEqual([
      'has a key of more than 1024 bytes',
    ])
  })

  test('are well-formed Unicode when they come out', () => {
    const { annotations } = parseDescriptor({ ...least, annotations: { 'a\ud800': 'b\udc00' } })
    expect(annotations).toEqual({ 'a\ufffd': 'b\ufffd' })
  })

  test('cannot reach the prototype of anything', () => {
    const value: unknown = JSON.parse('{"__proto__":"x"}')
    expect(Object.keys(problemsOf({ ...least, annotations: value }))).toEqual(['annotations.__proto__'])
    expect(Object.getPrototypeOf(parseDescriptor({ ...least, annotations: {} }).annotations)).toBe(Object.prototype)
  })
})
