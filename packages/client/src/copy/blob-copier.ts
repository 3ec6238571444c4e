import type { Descriptor, Digest } from '@stowage/oci'
import type { Content } from '../content/content.ts'
import { createLimiter } from '../transport/limiter.ts'
import type { CopyContext } from './copy.ts'
import { onSide } from './side.ts'

const defaultConcurrency = 4

export interface BlobCopier {
  /** Resolves when the target has the blob. The same blob is copied once, however often it is asked for. */
  copy(descriptor: Descriptor): Promise<void>
}

export const createBlobCopier = ({ from, to, options, signal, found, done, progress, retry }: CopyContext): BlobCopier => {
  const { source } = from
  const { target } = to
  const limiter = createLimiter(options.concurrency ?? defaultConcurrency)
  const known = new Map<Digest, Promise<void>>()
  // Only within one registry is there anything to mount.
  const mountFrom =
    source.repository !== undefined && source.repository.registry === target.repository?.registry
      ? [source.repository.name]
      : []

  const copyOne = async (descriptor: Descriptor): Promise<void> => {
    found('blob', descriptor)
    const leave = await limiter.enter(signal)
    try {
      const onRetry = retry(descriptor)
      const content: Content = {
        size: descriptor.size,
        open: ({ offset = 0 } = {}) =>
          onSide.each('source', skip(source.getBlob(descriptor, { signal, onRetry }), offset)),
      }
      const outcome = await onSide(
        'target',
        target.putBlob(descriptor, content, {
          signal,
          onRetry,
          mountFrom,
          absent: options.absent === true && mountFrom.length === 0,
          onProgress: (sent) => progress(descriptor, sent),
        }),
      )
      done('blob', descriptor, outcome === 'uploaded' ? 'copied' : outcome)
    } finally {
      leave()
    }
  }

  return {
    copy: async (descriptor) => {
      let pending = known.get(descriptor.digest)
      if (pending === undefined) {
        pending = copyOne(descriptor)
        known.set(descriptor.digest, pending)
      }
      return pending
    },
  }
}

/**
 * From an offset on, of bytes that are read from the start all the same: only the whole can be verified, and nothing is sent on
 * that was not read under that check.
 */
async function* skip(chunks: AsyncIterable<Uint8Array>, offset: number): AsyncIterable<Uint8Array> {
  let left = offset
  for await (const chunk of chunks) {
    if (left >= chunk.byteLength) left -= chunk.byteLength
    else {
      yield left === 0 ? chunk : chunk.subarray(left)
      left = 0
    }
  }
}
