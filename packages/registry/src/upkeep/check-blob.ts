import { createHash } from 'node:crypto'
import { digestAlgorithm, isDigest } from '@stowage/oci'
import type { InspectedBytes } from '../blobs/blob-store.ts'
import type { ExaminedBlobs } from '../blobs/examined-blobs.ts'
import type { Pace } from './pace.ts'
import type { CorruptContent } from './upkeep.ts'

export type BlobState =
  | { readonly state: 'right' }
  | { readonly state: 'corrupt'; readonly problem: CorruptContent['problem']; readonly message: string }
  /** Nothing is known of the bytes: the machine, not they, is at fault. */
  | { readonly state: 'unknown'; readonly error: unknown }

export interface BlobCheck {
  /** Reads the bytes and compares their digest, too. */
  readonly deep: boolean
  readonly pace: Pace
  /** Told of bytes that were read. */
  readonly onRead?: (bytes: number) => void
  readonly signal?: AbortSignal | undefined
}

/** Compares what is stored under the key with what the blob should be. Rejects only when the signal aborts. */
export const checkBlob = async (
  blobs: Pick<ExaminedBlobs, 'inspect'>,
  blob: { readonly digest: string; readonly size: number; readonly key: string },
  check: BlobCheck,
): Promise<BlobState> => {
  const { signal } = check
  for (let attempt = 1; ; attempt += 1) {
    try {
      signal?.throwIfAborted()
      return await look(blobs, blob, check)
    } catch (error) {
      signal?.throwIfAborted()
      const code = error instanceof Error && 'code' in error ? error.code : undefined
      // Gone since it was looked for.
      if (code === 'ENOENT') return missing
      if (code !== 'EIO') return { state: 'unknown', error }
      // A disk may fail once, at a bad moment; a sector that has gone bad fails again.
      if (attempt === 2) {
        return { state: 'corrupt', problem: 'unreadable', message: 'The disk fails when the bytes are read.' }
      }
    }
  }
}

const missing: BlobState = { state: 'corrupt', problem: 'missing', message: 'The bytes of the blob are not there.' }

const look = async (
  blobs: Pick<ExaminedBlobs, 'inspect'>,
  { digest, size, key }: { readonly digest: string; readonly size: number; readonly key: string },
  check: BlobCheck,
): Promise<BlobState> => {
  const stored = await blobs.inspect(key)
  if (stored === undefined) return missing
  if (stored.size !== size) return wrongSize(size, stored.size)
  if (!check.deep) return { state: 'right' }
  if (!isDigest(digest)) {
    return { state: 'corrupt', problem: 'digest', message: `${JSON.stringify(digest)} is not a digest.` }
  }
  const read = await hashOf(stored, digestAlgorithm(digest), check)
  if (read.size !== size) return wrongSize(size, read.size)
  const found = `${digestAlgorithm(digest)}:${read.hex}`
  if (found === digest) return { state: 'right' }
  return { state: 'corrupt', problem: 'digest', message: `The bytes have the digest ${found}.` }
}

const wrongSize = (wanted: number, found: number): BlobState => ({
  state: 'corrupt',
  problem: 'size',
  message: `The blob has ${wanted} bytes, and ${found} are there.`,
})

const hashOf = async (
  stored: InspectedBytes,
  algorithm: string,
  { pace, onRead, signal }: BlobCheck,
): Promise<{ size: number; hex: string }> => {
  const hash = createHash(algorithm)
  let size = 0
  for await (const piece of stored.read()) {
    hash.update(piece)
    size += piece.byteLength
    onRead?.(piece.byteLength)
    await pace(piece.byteLength, signal)
    // It cannot become right any more, and whoever makes it longer all the time must not hold us here.
    if (size > stored.size) break
  }
  return { size, hex: hash.digest('hex') }
}
