import { constants } from 'node:fs'
import { type FileHandle, lstat, open } from 'node:fs/promises'
import { ClientError } from '../errors.ts'
import { fileError, isMissing } from './file-errors.ts'

/** Bytes that are read at once. */
export const pieceSize = 256 * 1024

export interface OpenFile {
  readonly handle: FileHandle
  /** Bytes, when it was opened. */
  readonly size: number
}

/**
 * Opens a file that somebody else may have made: no symbolic link, which could show any file of this machine, and nothing that
 * is no file, which could keep the reader waiting for ever.
 *
 * @param subject What it is, for messages.
 * @returns undefined when it is not there
 * @throws {ClientError} `invalid-content`, `denied`
 */
export const openPlainFile = async (path: string, subject: string): Promise<OpenFile | undefined> => {
  let handle: FileHandle | undefined
  try {
    if (!(await lstat(path)).isFile()) throw notPlain(path, subject)
    // Again at opening, for what was changed in between. Windows has neither flag.
    handle = await open(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0))
    const stats = await handle.stat()
    if (!stats.isFile()) throw notPlain(path, subject)
    return { handle, size: stats.size }
  } catch (error) {
    await handle?.close()
    if (isMissing(error)) return undefined
    throw fileError(error, path)
  }
}

/** The size of a file that `openPlainFile` would open. @returns undefined when it is not there */
export const plainFileSize = async (path: string, subject: string): Promise<number | undefined> => {
  try {
    const stats = await lstat(path)
    if (!stats.isFile()) throw notPlain(path, subject)
    return stats.size
  } catch (error) {
    if (isMissing(error)) return undefined
    throw fileError(error, path)
  }
}

const notPlain = (path: string, subject: string): ClientError =>
  new ClientError('invalid-content', `${path} is a symbolic link, or no file at all.`, {
    subject,
    hint: 'Put a copy of the file in its place.',
  })

/**
 * The bytes from `start` to `end` of an open file, which stays open.
 *
 * @param buffer Every piece is read into it, so that one is gone when the next is asked for; else each has memory of its own.
 * @throws {ClientError} `digest-mismatch` when the file ends before
 */
export async function* readPieces(
  handle: FileHandle,
  { start, end, path, buffer }: { start: number; end: number; path: string; buffer?: Uint8Array },
): AsyncGenerator<Uint8Array, void, void> {
  let position = start
  while (position < end) {
    const room = buffer ?? Buffer.allocUnsafeSlow(Math.min(pieceSize, end - position))
    let count: number
    try {
      ;({ bytesRead: count } = await handle.read(room, 0, Math.min(room.byteLength, end - position), position))
    } catch (error) {
      throw fileError(error, path)
    }
    if (count === 0) {
      throw new ClientError('digest-mismatch', `${path} ends after ${position} bytes, and must have ${end}.`, {
        subject: path,
        hint: 'It is cut short, or was changed while it was read.',
      })
    }
    position += count
    yield count === room.byteLength ? room : room.subarray(0, count)
  }
}

/**
 * All of a small file. Not of a symbolic link.
 *
 * @returns undefined when it is not there
 * @throws {ClientError} `too-large`, `invalid-content`, `denied`
 */
export const readSmallFile = async (path: string, limit: number, subject: string): Promise<Uint8Array | undefined> => {
  const file = await openPlainFile(path, subject)
  if (file === undefined) return undefined
  await using handle = file.handle
  if (file.size > limit) {
    throw new ClientError('too-large', `${path} has ${file.size} bytes: at most ${limit} are read.`, { subject })
  }
  const bytes = Buffer.alloc(file.size)
  let filled = 0
  for await (const piece of readPieces(handle, { start: 0, end: file.size, path })) {
    bytes.set(piece, filled)
    filled += piece.byteLength
  }
  return bytes
}
