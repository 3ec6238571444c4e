import type { Writable } from 'node:stream'
import type { FileOperations } from './file-operations.ts'
import { ShortFileError } from './short-file-error.ts'
import { createTurns } from './turns.ts'

/** Bytes on their way to the reader while as many are read from the file. */
const pieceSize = 256 * 1024

/**
 * Reads of all ranges together, at once. Every read that has returned is a piece to be sent, and all that have returned are
 * sent in one turn of the event loop: with a thousand readers that would be a quarter of a second in which nobody else is
 * served. It also makes the readers equal: in line, each gets his next piece after everybody else has had his.
 */
const turns = createTurns(4)

/** A buffer as it came back from the first read of a range. */
export interface FirstPiece {
  readonly buffer: Uint8Array
  /** How many bytes are in it. */
  readonly count: number
}

/**
 * The first bytes of a range, before anything is said of it: a disk that does not give them can still be answered for.
 *
 * @throws ShortFileError
 */
export const readFirst = async (
  files: FileOperations,
  fd: number,
  { start, end }: { start: number; end: number },
): Promise<FirstPiece> => {
  const buffer = makeBuffer(end - start)
  const count = await turns(async () => files.read(fd, buffer, start))
  if (count === 0) throw new ShortFileError(end, start)
  return { buffer, count }
}

/**
 * Sends a range of a file through two buffers in turn: one is on its way while the other is filled. A stream would make new
 * memory for every piece, and the garbage collector would come for it late.
 *
 * A buffer is filled again only after the callback of its write has said that the system has the bytes.
 *
 * @param first What was read of it already.
 * @param reading Told of every read that begins, so that the file is not closed under it.
 */
export const sendBytes = async (
  files: FileOperations,
  fd: number,
  range: { start: number; end: number },
  first: FirstPiece,
  to: Writable,
  reading: (read: Promise<number>) => void,
): Promise<void> => {
  const { start, end } = range
  let filling = first.buffer
  let sending: Uint8Array = makeBuffer(end - start - first.count)
  let position = start
  const read = (): Promise<number> => {
    const rest = end - position
    const into = rest < filling.byteLength ? filling.subarray(0, rest) : filling
    const from = position
    const started = turns(async () => files.read(fd, into, from))
    reading(started)
    return started
  }
  let next = Promise.resolve(first.count)
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

const makeBuffer = (wanted: number): Buffer => Buffer.allocUnsafeSlow(Math.min(pieceSize, wanted))

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
