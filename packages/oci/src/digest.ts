import { failure, type Result, success, unwrap } from './result.ts'
import { shown } from './shown.ts'

/**
 * The algorithms of digests this project computes and verifies: image-spec v1.1.1 registers sha256 and sha512, and sha384
 * is what Docker's tools know besides.
 */
export type DigestAlgorithm = 'sha256' | 'sha384' | 'sha512'

export const digestAlgorithms: readonly DigestAlgorithm[] = ['sha256', 'sha384', 'sha512']

declare const digestBrand: unique symbol

/** `<algorithm>:<lower-case hex>`: the name that content has because of its bytes. */
export type Digest = string & { readonly [digestBrand]: true }

const hexLengths: Readonly<Record<DigestAlgorithm, number>> = { sha256: 64, sha384: 96, sha512: 128 }

export const isDigestAlgorithm = (value: unknown): value is DigestAlgorithm =>
  value === 'sha256' || value === 'sha384' || value === 'sha512'

/** All three algorithms have names of this length. */
const algorithmLength = 6

/** 1 for `0-9a-f`. "Note that [A-F] MUST NOT be used here." (image-spec, descriptor, registered algorithms) */
const isHex = new Uint8Array(128)
for (const character of '0123456789abcdef') isHex[character.charCodeAt(0)] = 1

/** The length of the encoded portion that the algorithm at the start of the text asks for; 0 if there is no such algorithm. */
const encodedLength = (text: string): number => {
  if (text.startsWith('sha256:')) return 64
  if (text.startsWith('sha512:')) return 128
  if (text.startsWith('sha384:')) return 96
  return 0
}

/**
 * Whether the text is a digest of a registered algorithm: lower-case hex of exactly its length.
 *
 * Every request with a digest comes through here: one pass, no allocation.
 */
export const isDigest = (text: unknown): text is Digest => {
  if (typeof text !== 'string') return false
  const length = encodedLength(text)
  if (length === 0 || text.length !== algorithmLength + 1 + length) return false
  for (let at = algorithmLength + 1; at < text.length; at++) if (isHex[text.charCodeAt(at)] !== 1) return false
  return true
}

/** @throws {ParseError} saying which part is wrong */
export const parseDigest = (text: string): Digest => unwrap('digest', safeParseDigest(text))

export const safeParseDigest = (text: string): Result<Digest> =>
  isDigest(text) ? success(text) : failure(digestProblem(text))

/** What is wrong with a text that is not a digest. */
export const digestProblem = (text: unknown): string => {
  if (typeof text !== 'string') return `must be a string, got ${shown(text)}`
  const colon = text.indexOf(':')
  if (colon === -1) return `must be <algorithm>:<hex>, as in sha256:e3b0…, got ${shown(text)}`
  const algorithm = text.slice(0, colon)
  if (!isDigestAlgorithm(algorithm)) {
    return `algorithm ${shown(algorithm)} is not supported: use one of ${digestAlgorithms.join(', ')}`
  }
  const encoded = text.length - colon - 1
  const wanted = hexLengths[algorithm]
  if (encoded !== wanted) return `${algorithm} needs ${wanted} hex digits, got ${encoded}`
  for (let at = colon + 1; at < text.length; at++) {
    if (isHex[text.charCodeAt(at)] !== 1) {
      return `has ${shown(text.charAt(at))} at position ${at}: only 0-9 and a-f may stand there`
    }
  }
  return 'is not a digest'
}

export const digestAlgorithm = (digest: Digest): DigestAlgorithm => {
  const algorithm = digest.slice(0, algorithmLength)
  if (isDigestAlgorithm(algorithm)) return algorithm
  throw new TypeError(`Not a digest: ${shown(digest)}`)
}

/** The part after the colon: lower-case hex. */
export const digestEncoded = (digest: Digest): string => digest.slice(algorithmLength + 1)
