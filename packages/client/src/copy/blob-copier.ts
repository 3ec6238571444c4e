import type { Descriptor, Digest } from '@stowage/oci'
import type { Content } from '../content/content.ts'
import { orAborted } from '../content/interrupt.ts'
import { createLimiter } from '../content/limiter.ts'
import type { CopyContext } from './context.ts'
import { createTargetKnowledge } from './knowledge.ts'
import { eachOnSide, onSide } from './side.ts'

const defaultConcurrency = 4
/** Bytes that are sent as fast as it is asked whether they are there. */
const smallBlob = 64 * 1024

export interface BlobCopier {
  /** Resolves when the target has the blob. The same blob is copied once, however often it is asked for. */
  copy(descriptor: Descriptor): Promise<void>
}

export const createBlobCopier = ({
  from,
  to,
  options,
  signal,
  found,
  done,
  progress,
  retry,
}: CopyContext): BlobCopier => {
  const { source } = from
  const { target } = to
  const limiter = createLimiter(options.concurrency ?? defaultConcurrency)
  const { blobs: known } = options.knowledge ?? createTargetKnowledge()
  const asked = new Map<Digest, Promise<void>>()
  // Only within one registry is there anything to mount.
  const mountFrom =
    source.repository !== undefined && source.repository.registry === target.repository?.registry
      ? [source.repository.name]
      : []

  const isAbsent = ({ size }: Descriptor): boolean =>
    (options.absent === true && mountFrom.length === 0) || (options.knowledge?.isNew === true && size <= smallBlob)

  const copyOne = async (descriptor: Descriptor): Promise<void> => {
    found('blob', descriptor)
    const leave = await limiter.enter(signal)
    try {
      const onRetry = retry(descriptor)
      const content: Content = {
        size: descriptor.size,
        open: ({ offset = 0 } = {}) =>
          eachOnSide('source', skip(source.getBlob(descriptor, { signal, onRetry }), offset)),
      }
      const outcome = await onSide(
        'target',
        target.putBlob(descriptor, content, {
          signal,
          onRetry,
          mountFrom,
          absent: isAbsent(descriptor),
          onProgress: (sent) => progress(descriptor, sent),
        }),
      )
      done('blob', descriptor, outcome === 'uploaded' ? 'copied' : outcome)
    } finally {
      leave()
    }
  }

  /** Once among all copies that share what they know. One that failed elsewhere may have had reasons of its own, so it is tried here. */
  const ensure = async (descriptor: Descriptor): Promise<void> => {
    const { digest } = descriptor
    for (let other = known.get(digest); other !== undefined; other = known.get(digest)) {
      const settled = other.then(
        () => true,
        () => false,
      )
      // The other copy goes on, whatever becomes of this one.
      if (!(await orAborted(settled, signal))) continue
      found('blob', descriptor)
      done('blob', descriptor, 'existing')
      return
    }
    const pending = copyOne(descriptor)
    known.set(digest, pending)
    try {
      await pending
    } catch (error) {
      known.delete(digest)
      throw error
    }
  }

  return {
    copy: async (descriptor) => {
      let pending = asked.get(descriptor.digest)
      if (pending === undefined) {
        pending = ensure(descriptor)
        asked.set(descriptor.digest, pending)
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
