import { createDigester, type Digest, digestAlgorithm, type HashFactory } from '@stowage/oci'
import { toTheEnd } from '../content/to-the-end.ts'
import { type Compression, decompress } from './decompress.ts'

/** What the bytes before compression are. */
export type LayerContent =
  | { readonly kind: 'read'; readonly digests: readonly Digest[] }
  | { readonly kind: 'broken'; readonly message: string }
  /** This runtime cannot decompress it. */
  | { readonly kind: 'unread' }

/**
 * Reads a blob to its end, whatever becomes of it on the way, so that a blob that is damaged is told as that and not as one that
 * cannot be decompressed.
 *
 * @param blob Verified bytes.
 * @param like Digests whose algorithms are wanted of what is inside.
 * @throws what reading the blob throws
 */
export const readLayer = async (
  blob: AsyncIterable<Uint8Array>,
  compression: Compression,
  like: readonly Digest[],
  hash: HashFactory,
): Promise<LayerContent> => {
  const algorithms = new Set(like.map(digestAlgorithm))
  const digesters = [...algorithms].map((algorithm) => createDigester(hash, algorithm))
  const whole = toTheEnd(blob)
  const plain = decompress(compression, whole.chunks())
  if (plain === undefined) {
    await whole.drain()
    return { kind: 'unread' }
  }
  try {
    for await (const chunk of plain) for (const digester of digesters) digester.update(chunk)
  } catch (error) {
    await whole.drain()
    return { kind: 'broken', message: error instanceof Error ? error.message : String(error) }
  }
  await whole.drain()
  return { kind: 'read', digests: digesters.map((digester) => digester.digest()) }
}
