import { createHash, hash as hashOnce, type Hash } from 'node:crypto'
import type { Digest, DigestAlgorithm } from '@stowage/oci'

/** A running digest that can be forked: the copy goes on alone, so a failed chunk can be taken back. */
export interface Digester {
  readonly algorithm: DigestAlgorithm
  /** Bytes so far. */
  readonly size: number
  update(bytes: Uint8Array): void
  /** The digest of everything so far; the digester can go on. */
  digest(): Digest
  fork(): Digester
}

export const createDigester = (algorithm: DigestAlgorithm): Digester => wrap(algorithm, createHash(algorithm), 0)

const wrap = (algorithm: DigestAlgorithm, state: Hash, seen: number): Digester => {
  let size = seen
  return {
    algorithm,
    get size() {
      return size
    },
    update: (bytes) => {
      state.update(bytes)
      size += bytes.byteLength
    },
    digest: () => `${algorithm}:${state.copy().digest('hex')}` as Digest,
    fork: () => wrap(algorithm, state.copy(), size),
  }
}

/** The digest of bytes that are all here. */
export const digestOf = (bytes: Uint8Array, algorithm: DigestAlgorithm): Digest =>
  `${algorithm}:${hashOnce(algorithm, bytes, 'hex')}` as Digest
