import type { Content } from '../content/content.ts'
import { readAll } from '../content/verify.ts'
import { bytesOf } from '../transport/exchange.ts'

/**
 * A content, read a piece at a time. It is opened once for all pieces that follow each other, and anew for one that does not: after
 * a piece that broke, or was not read to its end.
 */
export interface Pieces extends AsyncDisposable {
  /** Leaves the content until the next piece: whoever is open for it may hold what others wait for. */
  pause(): Promise<void>
  /** `size` bytes from `offset` on, as they come. */
  part(offset: number, size: number): Content
  /** The same in memory: fewer where the content ends, and none behind its end. */
  read(offset: number, size: number): Promise<Uint8Array>
}

const nothing = new Uint8Array()

/** Where the content is being read. */
interface Opened {
  readonly chunks: AsyncIterator<Uint8Array>
  position: number
  /** What was read beyond `position`. */
  rest: Uint8Array
  /** Whether somebody waits for the next bytes: if that is still so when the next piece is wanted, they are lost. */
  waiting: boolean
}

export const createPieces = (content: Content, signal: AbortSignal): Pieces => {
  let opened: Opened | undefined
  const close = async (): Promise<void> => {
    const left = opened
    opened = undefined
    // Content that hangs must not hold up whoever has given it up.
    if (left?.waiting === true) void left.chunks.return?.().catch(() => {})
    else await left?.chunks.return?.()
  }
  const openAt = async (offset: number): Promise<Opened> => {
    if (opened !== undefined && opened.position === offset && !opened.waiting) return opened
    await close()
    const chunks = bytesOf(content, offset, signal)[Symbol.asyncIterator]()
    opened = { chunks, position: offset, rest: nothing, waiting: false }
    return opened
  }
  async function* take(offset: number, size: number): AsyncIterable<Uint8Array> {
    const from = await openAt(offset)
    const end = offset + size
    try {
      while (from.position < end) {
        // Once another piece has begun, or all is closed, this one is nobody's any more.
        if (from !== opened) return
        if (from.rest.byteLength === 0) {
          from.waiting = true
          const next = await from.chunks.next()
          from.waiting = false
          if (next.done === true) return
          from.rest = next.value
        }
        const taken = from.rest.subarray(0, end - from.position)
        from.rest = from.rest.subarray(taken.byteLength)
        from.position += taken.byteLength
        yield taken
      }
    } catch (error) {
      // Where the content is now is not known. The next piece begins anew.
      if (from === opened) await close()
      throw error
    }
  }
  return {
    part: (offset, size) => ({
      size,
      open: (options = {}) => take(offset + (options.offset ?? 0), size - (options.offset ?? 0)),
    }),
    read: async (offset, size) => readAll(take(offset, size), size, 'A piece'),
    pause: close,
    [Symbol.asyncDispose]: close,
  }
}
