import { type FileHandle, mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { addAbortSignal, type Readable } from 'node:stream'
import { throwIfAborted } from '../../content/interrupt.ts'
import { ClientError } from '../../errors.ts'
import { onFile } from '../file-errors.ts'

/** Bytes of a stream in a file that has no name any more, or loses it when it is disposed of. */
export interface Spool extends AsyncDisposable {
  readonly handle: FileHandle
  readonly size: number
}

/**
 * Puts a stream into a temporary file (in `TMPDIR`), so that it can be read from any place. Where the system lets a file be
 * used that has no name, nothing is left of it however this process ends.
 *
 * @param most Bytes that it may have.
 * @throws {ClientError} `too-large`, `file` when the disk is full, `aborted`; what the stream ends with
 */
export const spool = async (stream: Readable, signal?: AbortSignal, most = Infinity): Promise<Spool> => {
  throwIfAborted(signal)
  const directory = await onFile(tmpdir(), () => mkdtemp(join(tmpdir(), 'stowage-')))
  const remove = (): Promise<void> => rm(directory, { recursive: true, force: true })
  const path = join(directory, 'spool')
  let handle: FileHandle | undefined
  try {
    handle = await open(path, 'wx+', 0o600)
    // Windows keeps a file that is in use.
    if (process.platform !== 'win32') await remove()
    if (signal !== undefined) addAbortSignal(signal, stream)
    await handle.writeFile(atMost(stream, most))
    const { size } = await handle.stat()
    const opened = handle
    return {
      handle,
      size,
      [Symbol.asyncDispose]: async () => {
        await opened.close()
        await remove()
      },
    }
  } catch (error) {
    await handle?.close()
    await remove()
    throwIfAborted(signal)
    throw await onFile(path, () => Promise.reject(error)).catch((translated: unknown) => translated)
  }
}

async function* atMost(chunks: AsyncIterable<Uint8Array>, most: number): AsyncIterable<Uint8Array> {
  let size = 0
  for await (const chunk of chunks) {
    size += chunk.byteLength
    if (size > most) throw new ClientError('too-large', `The stream has more than ${most} bytes.`)
    yield chunk
  }
}
