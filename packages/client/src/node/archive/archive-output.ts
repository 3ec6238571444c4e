import { type FileHandle, mkdtemp, open, realpath, rename, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import type { Writable } from 'node:stream'
import { ClientError } from '../../errors.ts'
import { throwIfAborted } from '../../content/interrupt.ts'
import { isMissing, onFile } from '../file-errors.ts'
import { type BlobDirectory, createBlobDirectory } from '../layout/blob-directory.ts'
import { syncDirectory } from '../layout/write-file.ts'
import { type TarPart, type Write, writeTar } from './write-tar.ts'

/** Where an archive is gathered and written. */
export interface ArchiveOutput extends AsyncDisposable {
  /** Blobs that wait to be written; made when the first comes. */
  blobs(): Promise<BlobDirectory>
  /**
   * Writes the archive: under another name first, so that the old one is there until the new one is whole.
   *
   * @throws {ClientError} `exists` when somebody else wrote the file since it was opened
   */
  write(parts: readonly TarPart[], signal?: AbortSignal): Promise<void>
}

export interface ArchiveOutputOptions {
  /** `-` for the output stream. */
  readonly path: string
  readonly output: Writable
  /** What it is, for messages. */
  readonly subject: string
  /** Whether it is opened to be written. */
  readonly create: boolean
}

/**
 * Blobs wait in a directory beside the archive, because it has to go by a rename, and because that is where there is room. It is
 * removed when this is disposed of.
 */
export const createArchiveOutput = async (options: ArchiveOutputOptions): Promise<ArchiveOutput> => {
  const { path, output, subject, create } = options
  const isStream = path === '-'
  // What a link leads to is replaced, not the link.
  const target = isStream ? '' : await realpath(path).catch(() => path)
  let before = isStream ? undefined : await stampOf(target)
  const requireFile = (): void => {
    if (before !== 'special') return
    throw new ClientError('unsupported', `${path} is no file: no archive is put in its place.`, {
      subject,
      hint: 'Write the archive to -, which is standard output.',
    })
  }
  if (create) requireFile()
  let making: Promise<{ readonly root: string; readonly blobs: BlobDirectory }> | undefined

  const make = async (): Promise<{ readonly root: string; readonly blobs: BlobDirectory }> => {
    requireFile()
    const parent = isStream ? tmpdir() : dirname(target)
    const prefix = isStream ? 'stowage-' : `.${basename(target)}.stowage-`
    const root = await onFile(parent, async () => realpath(await mkdtemp(join(parent, prefix))))
    return { root, blobs: createBlobDirectory({ root, subject, durable: false }) }
  }

  const workspace = (): ReturnType<typeof make> => {
    if (making !== undefined) return making
    const made = make()
    making = made
    made.catch(() => {
      making = undefined
    })
    return made
  }

  const writeFile = async (parts: readonly TarPart[], signal: AbortSignal | undefined): Promise<void> => {
    const temporary = join((await workspace()).root, 'archive.tar')
    const handle = await onFile(temporary, () => open(temporary, 'w'))
    try {
      // Who could not read the old one cannot read this one.
      if (before !== undefined) await onFile(path, async () => handle.chmod((await stat(target)).mode & 0o777))
      await writeTar(parts, interruptibleWrite(writeTo(handle, path), signal))
      await onFile(path, () => handle.sync())
    } finally {
      await handle.close()
    }
    if ((await stampOf(target)) !== before) {
      throw new ClientError('exists', `${path} was changed by somebody else since it was opened.`, {
        subject,
        hint: 'Nothing was written. Try again, one after the other.',
      })
    }
    await onFile(path, () => rename(temporary, target))
    await syncDirectory(dirname(target))
    before = await stampOf(target)
  }

  return {
    blobs: async () => (await workspace()).blobs,
    write: (parts, signal) =>
      isStream ? writeTar(parts, interruptibleWrite(writeInto(output), signal)) : writeFile(parts, signal),
    async [Symbol.asyncDispose]() {
      const made = await making?.catch(() => undefined)
      if (made !== undefined) await rm(made.root, { recursive: true, force: true })
    },
  }
}

const interruptibleWrite =
  (write: Write, signal: AbortSignal | undefined): Write =>
  (bytes) => {
    throwIfAborted(signal)
    return write(bytes)
  }

/** What tells one state of a file from another; undefined when nothing is there, `special` for a device or a pipe. */
const stampOf = (path: string): Promise<string | undefined> =>
  onFile(path, async () => {
    try {
      const stats = await stat(path, { bigint: true })
      if (!stats.isFile() && !stats.isDirectory()) return 'special'
      return `${stats.ino} ${stats.size} ${stats.mtimeNs}`
    } catch (error) {
      if (isMissing(error)) return undefined
      throw error
    }
  })

const writeTo =
  (handle: FileHandle, path: string): Write =>
  (bytes) =>
    onFile(path, async () => {
      for (let at = 0; at < bytes.byteLength;) {
        at += (await handle.write(bytes, at, bytes.byteLength - at)).bytesWritten
      }
    })

/** A copy of each piece: a stream may hold on to what it was given long after it says that it took it. */
const writeInto =
  (output: Writable): Write =>
  (bytes) =>
    onFile(
      'standard output',
      () =>
        new Promise((resolve, reject) => {
          output.write(Buffer.from(bytes), (error) =>
            error === null || error === undefined ? resolve() : reject(error),
          )
        }),
    )
