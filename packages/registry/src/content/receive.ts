import type { BlobUpload } from '../blobs/blob-store.ts'
import type { Digester } from './digester.ts'

/** Bytes gathered before they are written: large enough to make few system calls, small enough to hold many uploads. */
const writeSize = 512 * 1024

export interface Received {
  /** Bytes that came, whether or not all were kept. */
  readonly bytes: number
}

/**
 * Streams a request body into an upload: hashes as the bytes pass and writes one batch while the next arrives. At most two
 * batches are in memory.
 *
 * When the body breaks off, what came before is kept: a client that lost its connection resumes there. When it rejects, the
 * digester may be ahead of the stored bytes; the caller must not use it again.
 *
 * @param body Given a signal whose abort ends the wait for bytes that never come.
 * @param digester Updated with every byte; undefined when the digest will be computed from the stored bytes later.
 * @param onBytes Told about every piece that comes, before it is kept: how many bytes came so far. What it throws ends it.
 * @param owned Nobody else has the pieces of the body: their memory is given back as soon as they are stored.
 * @param limit Stop reading beyond this many bytes; `bytes` is then larger than `limit`.
 */
export const receive = async (
  body: (signal: AbortSignal) => AsyncIterable<Uint8Array>,
  upload: BlobUpload,
  options: {
    digester: Digester | undefined
    onBytes: (total: number) => void
    signal: AbortSignal
    limit: number
    owned: boolean
  },
): Promise<Received> => {
  let gathered: Uint8Array[] = []
  let gatheredSize = 0
  let total = 0
  let writing: Promise<void> = Promise.resolve()
  const flush = async (): Promise<void> => {
    await writing
    if (gatheredSize === 0) return
    const batch = gathered
    writing = options.owned ? upload.write(batch).then(() => giveBack(batch)) : upload.write(batch)
    // A write that fails while the next batch arrives is reported by the next await of `writing`.
    writing.catch(() => {})
    gathered = []
    gatheredSize = 0
  }
  let broken: unknown
  try {
    for await (const chunk of body(options.signal)) {
      if (chunk.byteLength === 0) continue
      total += chunk.byteLength
      if (total > options.limit) break
      options.onBytes(total)
      options.digester?.update(chunk)
      gathered.push(chunk)
      gatheredSize += chunk.byteLength
      if (gatheredSize >= writeSize) await flush()
    }
  } catch (error) {
    broken = error ?? new Error('The request body broke off.')
  }
  await flush()
  await writing
  if (broken !== undefined) throw broken
  return { bytes: total }
}

/**
 * To the garbage collector a piece is a small object, whatever its memory: left to it, a push of some GiB keeps tens of MiB of
 * pieces waiting and spends a fifth of its time in collections. A piece that shares its memory with something else is left.
 */
const giveBack = (pieces: readonly Uint8Array[]): void => {
  for (const { buffer, byteLength } of pieces) {
    if (byteLength === buffer.byteLength && buffer instanceof ArrayBuffer) buffer.transfer(0)
  }
}
