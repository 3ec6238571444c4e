import type { Writable } from 'node:stream'
import type { FileOperations } from './file-operations.ts'
import { ShortFileError } from './short-file-error.ts'

/** Bytes on their way to the reader while as many are read from the file. */
const pieceSize = 256 * 1024

/**
 * Sends a range of a file through two buffers in turn: one is on its way while the other is filled. A stream would make new
 * memory for every piece, and the garbage collector would come for it late.
 *
 * A buffer is filled again only after the callback of its write has said that the system has the bytes.
 *
 * @param reading Told of every read that begins, so that the file is not closed under it.
 */
export const sendBytes = async (
  files: FileOperations,
  fd: number,
  range: { start: number; end: number },
  to: Writable,
  reading: (read: Promise<number>) => void,
): Promise<void> => {
  const { start, end } = range
  let [filling, sending] = [buffer(end - start), buffer(end - start)]
  let position = start
  const read = (): Promise<number> => {
    const rest = end - position
    const started = files.read(fd, rest < filling.byteLength ? filling.subarray(0, rest) : filling, position)
    reading(started)
    return started
  }
  let next = read()
  while (position < end) {
    const count = await next
    if (count === 0) throw new ShortFileError(end, position)
    position += count
    ;[filling, sending] = [sending, filling]
    const sent = write(to, sending.subarray(0, count))
    if (position < end) {
      next = read()
      // Awaited at the next turn; when the reader goes away first, nobody asks any more.
      next.catch(() => {})
    }
    await sent
  }
}

const buffer = (wanted: number): Buffer => Buffer.allocUnsafeSlow(Math.min(pieceSize, wanted))

const write = (to: Writable, piece: Uint8Array): Promise<void> =>
  new Promise((resolve, reject) => {
    const closed = (): void => reject(new Error('The reader went away.'))
    to.once('close', closed)
    to.write(piece, (error) => {
      to.off('close', closed)
      if (error === null || error === undefined) resolve()
      else reject(error)
    })
    if (to.destroyed) closed()
  })
