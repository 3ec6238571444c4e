import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type DigestAlgorithm,
  digestAlgorithm,
  digestAlgorithms,
  digestEncoded,
  isDigest,
  isDigestAlgorithm,
  parseDigest,
  safeParseDigest,
} from './digest.ts'
import { ParseError } from './result.ts'

const lengths: Record<DigestAlgorithm, number> = { sha256: 64, sha384: 96, sha512: 128 }
const oracle = /^(?:sha256:[a-f0-9]{64}|sha384:[a-f0-9]{96}|sha512:[a-f0-9]{128})$/

const hex = (length: number): fc.Arbitrary<string> =>
  fc.string({ unit: fc.constantFrom(...Array.from('0123456789abcdef')), minLength: length, maxLength: length })

const digests = fc
  .constantFrom(...digestAlgorithms)
  .chain((algorithm) =>
    hex(lengths[algorithm]).map((encoded) => ({ algorithm, encoded, text: `${algorithm}:${encoded}` })),
  )

describe('a digest', () => {
  test('is an algorithm and lower-case hex of its length, and comes apart again', () => {
    fc.assert(
      fc.property(digests, ({ algorithm, encoded, text }) => {
        const digest = parseDigest(text)
        expect(isDigest(text)).toBe(true)
        expect(digest).toBe(text)
        expect(digestAlgorithm(digest)).toBe(algorithm)
        expect(digestEncoded(digest)).toBe(encoded)
      }),
    )
  })

  test('is what the regular expressions of the specification say, for texts near one', () => {
    const edits = fc.tuple(
      fc.nat(140),
      fc.nat(2),
      fc.constantFrom('', 'a', 'A', 'g', ':', '0', ' ', '\n', '\0', 'é', '٠'),
    )
    fc.assert(
      fc.property(digests, edits, ({ text }, [at, removed, inserted]) => {
        const edited = text.slice(0, at) + inserted + text.slice(at + removed)
        expect(isDigest(edited)).toBe(oracle.test(edited))
        expect(safeParseDigest(edited).ok).toBe(oracle.test(edited))
      }),
      { numRuns: 2000 },
    )
  })

  const a64 = 'a'.repeat(64)
  test.each([
    ['', 'must be <algorithm>:<hex>'],
    [a64, 'must be <algorithm>:<hex>'],
    [`:${a64}`, 'algorithm "" is not supported: use one of sha256, sha384, sha512'],
    [`md5:${'a'.repeat(32)}`, 'algorithm "md5" is not supported'],
    [`SHA256:${a64}`, 'algorithm "SHA256" is not supported'],
    [`sha256+b64:${a64}`, 'algorithm "sha256+b64" is not supported'],
    ['sha256:', 'sha256 needs 64 hex digits, got 0'],
    ['sha256:baddigeststring', 'sha256 needs 64 hex digits, got 15'],
    [`sha256:${a64}a`, 'sha256 needs 64 hex digits, got 65'],
    [`sha512:${a64}`, 'sha512 needs 128 hex digits, got 64'],
    [`sha256:${'A'.repeat(64)}`, 'has "A" at position 7: only 0-9 and a-f may stand there'],
    [`sha256:${'a'.repeat(63)}\n`, 'has "\\n" at position 70'],
  ])('%j is none, and the message says why', (text, message) => {
    expect(isDigest(text)).toBe(false)
    expect(() => parseDigest(text)).toThrow(ParseError)
    expect(() => parseDigest(text)).toThrow(message)
  })

  test('is never anything but a string', () => {
    for (const value of [undefined, null, 5, {}, [`sha256:${a64}`]]) expect(isDigest(value)).toBe(false)
  })

  test('knows its algorithms', () => {
    expect(digestAlgorithms.every(isDigestAlgorithm)).toBe(true)
    for (const value of ['sha1', 'SHA256', 'blake3', '', undefined, 256]) expect(isDigestAlgorithm(value)).toBe(false)
  })
})
