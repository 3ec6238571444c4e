import { createHash, hash as hashOnce, type Hash } from 'node:crypto'
import type { Digest, DigestAlgorithm } from '@stowage/oci'

/** A running digest that can be forked: the copy goes on alone, so a failed chunk can be taken back. */
export interface Digester {
  readonly algorithm: DigestAlgorithm
  update(bytes: Uint8Array): void
  /** The digest of everything so far; the digester can go on. */
  digest(): Digest
  fork(): Digester
}

export const createDigester = (algorithm: DigestAlgorithm): Digester => wrap(algorithm, createHash(algorithm))

const wrap = (algorithm: DigestAlgorithm, state: Hash): Digester => ({
  algorithm,
  update: (bytes) => void state.update(bytes),
  digest: () => `${algorithm}:${state.copy().digest('hex')}` as Digest,
  fork: () => wrap(algorithm, state.copy()),
})

/** The digest of bytes that are all here. */
export const digestOf = (bytes: Uint8Array, algorithm: DigestAlgorithm): Digest =>
  `${algorithm}:${hashOnce(algorithm, bytes, 'hex')}` as Digest
