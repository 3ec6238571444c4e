import { randomUUID } from 'node:crypto'
import { open, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { onFile } from '../file-errors.ts'

/** Bytes gathered before they are written. */
const gathered = 512 * 1024

/** What files are called that are not whole yet. */
export const temporaryPrefix = '.stowage-'

/**
 * Writes a file so that nobody ever sees a part of it: under another name in `directory`, which must be on the same file
 * system, and renamed once every byte is on the disk. When the iteration throws, nothing is left.
 *
 * @throws {ClientError} what the system says; what the iteration throws, as it is
 */
export const writeWhole = (
  path: string,
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  { directory, durable }: { readonly directory: string; readonly durable: boolean },
): Promise<void> =>
  onFile(path, async () => {
    const temporary = join(directory, temporaryPrefix + randomUUID())
    // Before the first byte: a stream that opens the file itself may do so after the content broke off and all was removed.
    const handle = await open(temporary, 'wx')
    try {
      // A rename may reach the disk before the bytes do, and then a power cut leaves an empty file with a good name.
      await pipeline(chunks, handle.createWriteStream({ highWaterMark: gathered, flush: durable }))
      await rename(temporary, path)
    } catch (error) {
      await handle.close().catch(() => {})
      await rm(temporary, { force: true })
      throw error
    }
  })

/** Makes durable what was created, renamed or removed in a directory. Windows cannot, and journals it. */
export const syncDirectory = async (path: string): Promise<void> => {
  if (process.platform === 'win32') return
  await onFile(path, async () => {
    await using handle = await open(path)
    await handle.sync()
  })
}
