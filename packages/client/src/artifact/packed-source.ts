import type { Content } from '../content/content.ts'
import type { Descriptor, Digest, HashFactory } from '@stowage/oci'
import { onePage } from '../content/pages.ts'
import type { Source } from '../content/ports.ts'
import { verified } from '../content/verify.ts'
import { ClientError } from '../errors.ts'
import { interruptible } from '../content/interrupt.ts'

/** A blob that is ready to be put. */
export interface PackedBlob {
  readonly descriptor: Descriptor
  readonly content: Content
  /** What it is, for messages. */
  readonly label: string
}

/** What an artifact consists of. */
export interface PackedParts {
  readonly descriptor: Descriptor
  readonly bytes: Uint8Array
  readonly blobs: readonly PackedBlob[]
  readonly hash: HashFactory
}

const name = 'the artifact'

/**
 * An artifact that is nowhere yet, as a source: so `copy` puts it, as it does everything else. Contents are verified as they are
 * read, for a file may have changed since it was hashed.
 */
export const packedSource = ({ descriptor, bytes, blobs, hash }: PackedParts): Source => {
  const contents = new Map<Digest, PackedBlob>(blobs.map((blob) => [blob.descriptor.digest, blob]))
  const isIt = ({ digest }: Pick<Descriptor, 'digest'>): boolean => digest === descriptor.digest
  const missing = (reference: string): ClientError =>
    new ClientError('not-found', `${name} has no ${reference}.`, { subject: name })
  return {
    name,
    async resolve(reference) {
      if (reference === descriptor.digest) return descriptor
      throw missing(reference)
    },
    async getManifest({ digest }) {
      if (isIt({ digest })) return bytes
      throw missing(digest)
    },
    async *getBlob(wanted, { signal } = {}) {
      const blob = contents.get(wanted.digest)
      if (blob === undefined) throw missing(wanted.digest)
      const chunks = blob.content.open(signal === undefined ? {} : { signal })
      yield* verified(interruptible(chunks, signal), { descriptor: wanted, hash, subject: blob.label })
    },
    hasManifest: async (wanted) => isIt(wanted),
    hasBlob: async ({ digest }) => contents.has(digest),
    tags: () => onePage(async () => []),
    referrers: () => onePage(async () => []),
    [Symbol.asyncDispose]: async () => {},
  }
}
