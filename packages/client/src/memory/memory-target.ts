import type { Digest, HashFactory } from '@stowage/oci'
import type { Target } from '../content/ports.ts'
import { ClientError } from '../errors.ts'
import { defaultHash } from '../hash.ts'
import { emptyIndex } from '../layout/layout-index.ts'
import { type LayoutStore } from '../layout/layout-store.ts'
import { createLayoutTarget } from '../layout/layout-target.ts'
import { createQueue } from '../layout/queue.ts'

export interface MemoryOptions {
  /** Where hashes come from; the runtime's own unless said. */
  readonly hash?: HashFactory
}

/**
 * A target in memory, gone when it is disposed of: for tests, and for content that is made here before it is pushed. Blobs and
 * manifests are verified as they are put; names and referrers are as in an image layout.
 *
 * @param name Tells it from others in messages, as in `memory:app`.
 */
export const createMemoryTarget = (name?: string, { hash = defaultHash }: MemoryOptions = {}): Target =>
  createLayoutTarget(memoryStore(name === undefined ? 'memory' : `memory:${name}`), { hash })

const memoryStore = (name: string): LayoutStore => {
  const blobs = new Map<Digest, readonly Uint8Array[]>()
  const queue = createQueue()
  let index = emptyIndex

  return {
    name,
    readIndex: async () => index,
    changeIndex: (change) =>
      queue(async () => {
        index = await change(index)
      }),
    blobSize: async (digest) => blobs.get(digest)?.reduce((size, { byteLength }) => size + byteLength, 0),
    async *readBlob(digest) {
      const pieces = blobs.get(digest)
      if (pieces === undefined) throw new ClientError('not-found', `${name} has no blob ${digest}.`, { subject: name })
      // Copies, as other places give: a reader may do with them what it likes.
      for (const piece of pieces) yield new Uint8Array(piece)
    },
    async writeBlob(digest, chunks) {
      const pieces: Uint8Array[] = []
      for await (const chunk of chunks) pieces.push(new Uint8Array(chunk))
      blobs.set(digest, pieces)
    },
    removeBlob: async (digest) => void blobs.delete(digest),
    finish: async () => {},
    [Symbol.asyncDispose]: async () => {
      blobs.clear()
      index = emptyIndex
    },
  }
}
