import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { digestAlgorithms, parseDigest } from './digest.ts'
import { formatReference, parseReference, type Reference, safeParseReference } from './reference.ts'
import { ParseError } from './result.ts'

const digest = parseDigest(`sha256:${'a'.repeat(64)}`)

describe('by the rules of Docker', () => {
  test.each<[string, Reference]>([
    ['alpine', { registry: 'docker.io', repository: 'library/alpine' }],
    ['alpine:3.20', { registry: 'docker.io', repository: 'library/alpine', tag: '3.20' }],
    ['localhost', { registry: 'docker.io', repository: 'library/localhost' }],
    ['localhost:5000', { registry: 'docker.io', repository: 'library/localhost', tag: '5000' }],
    ['localhost/a', { registry: 'localhost', repository: 'a' }],
    ['localhost:5000/a', { registry: 'localhost:5000', repository: 'a' }],
    ['127.0.0.1:5000/a/b:c', { registry: '127.0.0.1:5000', repository: 'a/b', tag: 'c' }],
    ['[::1]:5000/a', { registry: '[::1]:5000', repository: 'a' }],
    ['[2001:db8::1]/a', { registry: '[2001:db8::1]', repository: 'a' }],
    ['grafana/loki', { registry: 'docker.io', repository: 'grafana/loki' }],
    ['docker.io/alpine', { registry: 'docker.io', repository: 'library/alpine' }],
    ['index.docker.io/alpine', { registry: 'docker.io', repository: 'library/alpine' }],
    ['docker.io/a/b', { registry: 'docker.io', repository: 'a/b' }],
    ['ghcr.io/a', { registry: 'ghcr.io', repository: 'a' }],
    ['Foo/bar', { registry: 'Foo', repository: 'bar' }],
    ['host:0/a', { registry: 'host:0', repository: 'a' }],
    [`alpine@${digest}`, { registry: 'docker.io', repository: 'library/alpine', digest }],
    [`ghcr.io/a/b:c@${digest}`, { registry: 'ghcr.io', repository: 'a/b', tag: 'c', digest }],
    [`${'a'.repeat(64)}:tag`, { registry: 'docker.io', repository: `library/${'a'.repeat(64)}`, tag: 'tag' }],
  ])('%s', (text, reference) => {
    expect(parseReference(text)).toEqual(reference)
    expect(parseReference(formatReference(reference))).toEqual(reference)
  })
})

describe('by the rules of OCI', () => {
  test.each<[string, Reference]>([
    ['alpine', { repository: 'alpine' }],
    ['localhost:5000', { repository: 'localhost', tag: '5000' }],
    ['a/b:c', { repository: 'a/b', tag: 'c' }],
    ['ghcr.io/a/b', { registry: 'ghcr.io', repository: 'a/b' }],
    ['docker.io/alpine', { registry: 'docker.io', repository: 'alpine' }],
    ['index.docker.io/alpine', { registry: 'index.docker.io', repository: 'alpine' }],
    ['a'.repeat(64), { repository: 'a'.repeat(64) }],
    [`localhost:5000/a:b@${digest}`, { registry: 'localhost:5000', repository: 'a', tag: 'b', digest }],
  ])('%s', (text, reference) => {
    expect(parseReference(text, { rules: 'oci' })).toEqual(reference)
    expect(formatReference(reference)).toBe(text)
  })
})

test.each([
  ['', '', 'is empty'],
  ['Alpine', 'repository', 'letters must be lower case'],
  ['a'.repeat(64), 'repository', 'Docker takes that for the id of an image'],
  ['ghcr.io/', 'repository', 'is empty'],
  [':tag', 'repository', 'is empty'],
  ['/a', 'repository', 'begins with "/"'],
  ['a:', 'tag', 'is empty'],
  ['a:b:c', 'tag', 'has ":" at position 1'],
  ['a@', 'digest', 'must be <algorithm>:<hex>'],
  ['a@sha256:abc', 'digest', 'needs 64 hex digits, got 3'],
  ['a@sha256:abc/def', 'registry', 'is not a part of a host name'],
  ['host:70000/a', 'registry', '"70000" is not a port'],
  ['host:/a', 'registry', '"" is not a port'],
  ['-a.b/c', 'registry', '"-a" is not a part of a host name'],
  ['a..b/c', 'registry', 'has an empty part'],
  ['foo_bar.com/a', 'registry', '"foo_bar" is not a part of a host name'],
  ['[::1/a', 'registry', 'not an IPv6 address'],
  ['[::1]x/a', 'registry', 'not an IPv6 address'],
  ['[1::2::3]/a', 'registry', 'not an IPv6 address'],
  ['[fe80::1%eth0]/a', 'registry', 'not an IPv6 address'],
  ['https://ghcr.io/a', 'registry', 'is not a port'],
  ['ghcr.io/a:t g@x', 'tag', 'has " " at position 1'],
])('%j is no reference: %s', (text, path, message) => {
  const result = safeParseReference(text)
  expect(result.ok).toBe(false)
  if (result.ok) return
  expect(result.problems).toContainEqual({ path, message: expect.stringContaining(message) })
  expect(() => parseReference(text)).toThrow(ParseError)
})

test('every problem is listed', () => {
  expect(() => parseReference('a_b.c/D:.e@f')).toThrow(/registry: [^]*repository: [^]*tag: [^]*digest: /)
})

const part = fc.stringMatching(/^[a-z0-9]{1,6}$/)
const repositories = fc
  .array(
    fc.tuple(part, fc.constantFrom('.', '_', '__', '-', '---'), part).map((parts) => parts.join('')),
    {
      minLength: 1,
      maxLength: 4,
    },
  )
  .map((parts) => parts.join('/'))
const registries = fc.oneof(
  fc
    .tuple(part, part, fc.option(fc.nat(65_535), { nil: undefined }))
    .map(([a, b, port]) => `${a}.${b}${port === undefined ? '' : `:${port}`}`),
  fc.nat(65_535).map((port) => `localhost:${port}`),
  fc
    .ipV6()
    .filter((address) => !address.includes('.'))
    .map((address) => `[${address}]`),
)
const optional = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(arbitrary, { nil: undefined })
const digests = fc.constantFrom(...digestAlgorithms).chain((algorithm) =>
  fc
    .string({
      unit: fc.constantFrom(...Array.from('0123456789abcdef')),
      minLength: Number(algorithm.slice(3)) / 4,
      maxLength: Number(algorithm.slice(3)) / 4,
    })
    .map((encoded) => parseDigest(`${algorithm}:${encoded}`)),
)

test('what is formatted reads back as the same reference, by both rules', () => {
  fc.assert(
    fc.property(
      registries,
      repositories,
      optional(fc.stringMatching(/^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,20}$/)),
      optional(digests),
      fc.constantFrom('docker' as const, 'oci' as const),
      (registry, repository, tag, parsed, rules) => {
        const reference: Reference = {
          registry,
          repository,
          ...(tag === undefined ? {} : { tag }),
          ...(parsed === undefined ? {} : { digest: parsed }),
        }
        expect(parseReference(formatReference(reference), { rules })).toEqual(reference)
      },
    ),
    { numRuns: 1000 },
  )
})

// The grammar of Docker's references, of which this is stricter in two things: ports end at 65535, addresses are addresses.
const component = '[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?'
const name = '[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*'
const grammar = new RegExp(
  String.raw`^(?:(?:${component}(?:\.${component})*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?/)?${name}(?:/${name})*(?::[\w][\w.-]{0,127})?(?:@sha256:[0-9a-f]{64})?$`,
)

test('nothing is a reference that the grammar of Docker does not let pass, and nothing throws but ParseError', () => {
  const texts = fc.oneof(
    fc.string({
      unit: fc.constantFrom(...Array.from('ab0A.:/@-_[]'), `@${digest}`, 'localhost', 'docker.io/'),
      maxLength: 12,
    }),
    fc.string({ unit: 'binary' }),
  )
  let accepted = 0
  fc.assert(
    fc.property(texts, (text) => {
      for (const rules of ['docker', 'oci'] as const) {
        const result = safeParseReference(text, { rules })
        if (!result.ok) {
          expect(result.problems.length).toBeGreaterThan(0)
          continue
        }
        accepted++
        expect(text).toMatch(grammar)
        const again = formatReference(result.value)
        expect(parseReference(again, { rules })).toEqual(result.value)
      }
    }),
    { numRuns: 6000 },
  )
  expect(accepted).toBeGreaterThan(300)
})
