import { type Content, contentOf } from '../image.ts'
import type { Random } from '../random.ts'

/** What one upload is and what will happen to it. */
export interface UploadPlan {
  readonly content: Content
  /** Where its chunks end, in order; the last is the size. */
  readonly ends: readonly number[]
  /** Whether the last chunk comes with the closing PUT. */
  readonly bodyInPut: boolean
  /** Whether chunks say with Content-Range where they belong. */
  readonly ranges: boolean
  /** Bytes of the pieces of Transfer-Encoding: chunked; undefined: Content-Length. */
  readonly chunkSize: number | undefined
  /** How often the client cuts each chunk. */
  readonly cuts: readonly number[]
  /** The chunk in which the server is killed. */
  readonly killIn: number | undefined
  /** Whether a chunk at a wrong offset is tried after the first cut. */
  readonly wrongOffset: boolean
}

const largestChunk = 2 * 1024 * 1024
const poolSize = 8 * 1024 * 1024

/** Makes plans out of one pool of random bytes: making bytes anew for each would take longer than sending them. */
export const createPlanner = (random: Random): ((of: Random, killed: boolean) => UploadPlan) => {
  const pool = random.bytes(poolSize)
  return (of, killed) => {
    const sizes = Array.from({ length: of.between(1, 4) }, () => chunkSizeOf(of))
    let end = 0
    const ends = sizes.map((size) => (end += size))
    const bytes = Buffer.from(pool.subarray(0, end))
    pool.copy(bytes, 0, of.between(0, poolSize - end))
    // So that no two are the same where that is possible.
    bytes.writeUIntLE(of.between(0, 255), end - 1, 1)
    const killIn = killed ? of.between(0, sizes.length - 1) : undefined
    const cut = of.between(0, sizes.length - 1)
    return {
      content: contentOf(bytes),
      ends,
      bodyInPut: of.next() < 0.5,
      ranges: of.next() < 0.5,
      chunkSize: of.next() < 0.5 ? Math.max(1024, Math.min(chunkSizeOf(of), 256 * 1024)) : undefined,
      // Each has one cut at least; one in three some more.
      cuts: sizes.map((_, index) => (index === cut && !killed ? 1 : 0) + (of.next() < 0.15 ? of.between(1, 3) : 0)),
      killIn,
      wrongOffset: of.next() < 0.5,
    }
  }
}

/** From one byte to 2 MiB, small ones as often as large ones. */
const chunkSizeOf = (random: Random): number => Math.max(1, Math.floor(2 ** (random.next() * Math.log2(largestChunk))))
