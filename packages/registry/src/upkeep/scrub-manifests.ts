import { hash } from 'node:crypto'
import { type Digest, digestAlgorithm, isDigest } from '@stowage/oci'
import type { ScrubWork } from './scrub.ts'

const atOnce = 256
/** As for blobs. Milliseconds. */
const saveEvery = 10_000

/** Looks at the bytes of every manifest after `last`. False when the signal aborted; then the place is remembered. */
export const scrubManifests = async (work: ScrubWork, after: Digest | undefined): Promise<boolean> => {
  const { metadata, now, counts, signal, pace, logger } = work
  let last = after
  let savedAt = performance.now()
  try {
    for (;;) {
      const page = await metadata.upkeep.listContents({ limit: atOnce, ...(last !== undefined && { last }) })
      if (page.length === 0) return true
      for (const { digest, bytes, corrupt } of page) {
        signal?.throwIfAborted()
        counts.manifests += 1
        counts.bytes += bytes.byteLength
        if (!isDigest(digest)) {
          logger.error({ digest }, 'the bytes of a manifest are kept under something that is not a digest')
        } else if (corrupt || digestOf(bytes, digest) !== digest) {
          const found = await metadata.upkeep.quarantineManifest(digest, now())
          if (found === 'quarantined') work.corrupt({ digest, kind: 'manifest', problem: 'digest' }, {})
          if (found === 'healed') counts.healed += 1
        }
        last = digest
        await pace(bytes.byteLength, signal)
      }
      if (performance.now() - savedAt > saveEvery && last !== undefined) {
        await work.save(last)
        savedAt = performance.now()
      }
    }
  } catch (error) {
    if (signal?.aborted !== true) throw error
    if (last !== undefined) await work.save(last)
    return false
  }
}

/** By the algorithm of the digest that they should have. */
export const digestOf = (bytes: Uint8Array, wanted: Digest): string => {
  const algorithm = digestAlgorithm(wanted)
  return `${algorithm}:${hash(algorithm, bytes, 'hex')}`
}
