import { type Digest, type DigestAlgorithm, isDigest } from './digest.ts'
import { shown } from './shown.ts'

/** A running hash. It is asked for its result once. */
export interface Hasher {
  update(bytes: Uint8Array): void
  /** The hash of all bytes so far, in lower-case hex. */
  hex(): string
}

/** Where hashes come from: `node:crypto` on Node, whatever else elsewhere. This package brings none. */
export type HashFactory = (algorithm: DigestAlgorithm) => Hasher

export interface Digester {
  readonly algorithm: DigestAlgorithm
  /** @throws {Error} after `digest()` */
  update(bytes: Uint8Array): void
  /** The digest of all bytes. May be called again, and says the same. */
  digest(): Digest
}

/** A digest of bytes that arrive in pieces. */
export const createDigester = (factory: HashFactory, algorithm: DigestAlgorithm = 'sha256'): Digester => {
  const hasher = factory(algorithm)
  let finished: Digest | undefined
  return {
    algorithm,
    update(bytes) {
      if (finished !== undefined) throw new Error('The digest is finished. Create another digester for more bytes.')
      hasher.update(bytes)
    },
    digest() {
      finished ??= toDigest(algorithm, hasher.hex())
      return finished
    },
  }
}

/** The digest of bytes that are all here. */
export const digestOf = (bytes: Uint8Array, factory: HashFactory, algorithm: DigestAlgorithm = 'sha256'): Digest => {
  const digester = createDigester(factory, algorithm)
  digester.update(bytes)
  return digester.digest()
}

const webNames = { sha256: 'SHA-256', sha384: 'SHA-384', sha512: 'SHA-512' } as const satisfies Record<
  DigestAlgorithm,
  string
>

/**
 * The digest of bytes that are all here, by the Web Crypto API: in browsers and every server runtime, without a `HashFactory`.
 *
 * @throws {Error} where the page is not a secure context, because browsers then have no Web Crypto
 */
export const webDigest = async (bytes: Uint8Array, algorithm: DigestAlgorithm = 'sha256'): Promise<Digest> => {
  const subtle: typeof globalThis.crypto.subtle | undefined = globalThis.crypto?.subtle
  if (subtle === undefined)
    throw new Error('Web Crypto is missing: serve the page by HTTPS, or use digestOf with a hash.')
  const hash = new Uint8Array(await subtle.digest(webNames[algorithm], unshared(bytes)))
  let hex = ''
  for (const byte of hash) hex += byte.toString(16).padStart(2, '0')
  return toDigest(algorithm, hex)
}

/** Web Crypto refuses shared memory, whose bytes may change under its hands. */
const unshared = (bytes: Uint8Array): Uint8Array<ArrayBuffer> =>
  bytes.buffer instanceof ArrayBuffer
    ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    : new Uint8Array(bytes)

/** A hash of the wrong kind must not become a name for content. */
const toDigest = (algorithm: DigestAlgorithm, hex: string): Digest => {
  const digest = `${algorithm}:${hex}`
  if (isDigest(digest)) return digest
  throw new TypeError(
    `The hash for ${algorithm} gave ${shown(hex)}: it must give lower-case hex of that algorithm's length.`,
  )
}
