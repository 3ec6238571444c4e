import { type FileHandle, open, stat } from 'node:fs/promises'
import type { Content } from '../content/content.ts'
import { ClientError } from '../errors.ts'
import { interruptible } from '../content/interrupt.ts'
import { fileError, onFile } from './file-errors.ts'
import { readPieces } from './read-file.ts'

/**
 * A file as content, opened anew each time it is read. Its size is that of now: reading a file that was changed since, or that
 * changes while it is read, ends in an error that names it.
 *
 * @throws {ClientError} `not-found`, `denied`, `invalid-content` for what is no file; while it is read also `digest-mismatch`
 *   for one that changed
 */
export const fileContent = async (path: string): Promise<Content> => {
  const before = await onFile(path, async () => {
    const stats = await stat(path, { bigint: true })
    if (stats.isFile()) return stats
    throw new ClientError('invalid-content', `${path} is no file.`, { subject: path })
  })
  const size = Number(before.size)

  const requireSame = async (handle: FileHandle): Promise<void> => {
    const now = await handle.stat({ bigint: true })
    if (now.size === before.size && now.mtimeNs === before.mtimeNs && now.ino === before.ino) return
    throw new ClientError('digest-mismatch', `${path} was changed while it was used.`, {
      subject: path,
      hint: 'Try again when nothing writes to it.',
    })
  }

  async function* read(offset: number): AsyncIterable<Uint8Array> {
    let handle: FileHandle
    try {
      handle = await open(path)
    } catch (error) {
      throw fileError(error, path)
    }
    try {
      await requireSame(handle)
      yield* readPieces(handle, { start: offset, end: size, path })
      await requireSame(handle)
    } finally {
      await handle.close()
    }
  }

  return { size, open: ({ offset = 0, signal } = {}) => interruptible(read(offset), signal) }
}
