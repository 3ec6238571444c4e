import type { Content } from '../content/content.ts'
import { bytesOf } from '../transport/exchange.ts'

/** A content, read a piece at a time, each of them held in memory: for where no stream can be sent. */
export interface Pieces extends AsyncDisposable {
  /**
   * The bytes from `offset` on: `size` of them, or fewer where the content ends, and none behind its end. The content is opened once
   * for all pieces that follow each other, and anew for one that does not.
   */
  read(offset: number, size: number): Promise<Uint8Array>
}

const nothing = new Uint8Array()

export const createPieces = (content: Content, signal: AbortSignal): Pieces => {
  let chunks: AsyncIterator<Uint8Array> | undefined
  let position = 0
  /** What was read beyond the last piece. */
  let rest: Uint8Array = nothing
  const close = async (): Promise<void> => {
    const left = chunks
    chunks = undefined
    rest = nothing
    await left?.return?.()
  }
  return {
    async read(offset, size) {
      if (chunks === undefined || offset !== position) {
        await close()
        chunks = bytesOf(content, offset, signal)[Symbol.asyncIterator]()
        position = offset
      }
      const piece = new Uint8Array(size)
      let filled = 0
      try {
        while (filled < size) {
          if (rest.byteLength === 0) {
            const next = await chunks.next()
            if (next.done === true) break
            rest = next.value
          }
          const taken = rest.subarray(0, size - filled)
          piece.set(taken, filled)
          filled += taken.byteLength
          rest = rest.subarray(taken.byteLength)
        }
      } catch (error) {
        // What was read of this piece is lost: the next one begins anew.
        await close()
        throw error
      }
      position += filled
      return piece.subarray(0, filled)
    },
    [Symbol.asyncDispose]: close,
  }
}
