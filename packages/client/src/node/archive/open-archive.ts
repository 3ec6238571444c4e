import { createReadStream } from 'node:fs'
import { type FileHandle, open, stat } from 'node:fs/promises'
import { pipeline, type Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { readAll } from '../../content/verify.ts'
import { ClientError, isClientError } from '../../errors.ts'
import { isMissing, onFile } from '../file-errors.ts'
import { readPieces } from '../read-file.ts'
import { type Spool, spool } from './spool.ts'
import { readTarIndex, type TarEntry, type TarFile } from './tar-index.ts'

/** A tar that is read from any place. */
export interface Archive extends AsyncDisposable {
  /** By the names that `entryName` makes. */
  readonly entries: ReadonlyMap<string, TarEntry>
  /** The file of this name, or the one that a link of this name leads to. */
  find(name: string): TarFile | undefined
  /** @param buffer As of `readPieces`. */
  read(file: TarFile, buffer?: Uint8Array): AsyncIterable<Uint8Array>
  /** All of a small file; undefined when there is none. @throws {ClientError} `too-large` */
  readSmall(name: string, limit: number): Promise<Uint8Array | undefined>
}

export interface OpenArchiveOptions {
  readonly path: string
  /** What `-` means. */
  readonly input: Readable
  /** Whether links inside the archive are let in. */
  readonly links: boolean
  readonly signal?: AbortSignal | undefined
}

/**
 * Opens a tar, plain or compressed with gzip. `-` is the input stream.
 *
 * Nothing is unpacked. What cannot be read from any place (a stream, a compressed tar) is first put into a temporary file as
 * plain tar: a blob in the middle would otherwise cost reading everything before it, for each blob again.
 *
 * @returns undefined when there is no such file, or it is empty
 * @throws {ClientError} `invalid-content`, `denied`, `too-large`, `aborted`
 */
export const openArchive = async (options: OpenArchiveOptions): Promise<Archive | undefined> => {
  const file = await openTar(options)
  if (file === undefined) return undefined
  const { handle, size } = file
  const path = options.path === '-' ? 'the archive on standard input' : options.path
  try {
    const entries = await readTarIndex({ handle, size, path }, options)
    return createArchive(file, path, entries)
  } catch (error) {
    await file[Symbol.asyncDispose]()
    throw error
  }
}

const openTar = async (options: OpenArchiveOptions): Promise<Spool | undefined> => {
  const { path, input, signal } = options
  if (path === '-') return unzipped(await spool(input, signal), path, signal)
  const handle = await onFile(path, async () => {
    try {
      const stats = await stat(path)
      if (stats.isDirectory()) throw isDirectory(path)
      // A pipe has no places to read from.
      return stats.isFile() ? await open(path) : undefined
    } catch (error) {
      if (isMissing(error)) return null
      throw error
    }
  })
  if (handle === null) return undefined
  if (handle === undefined) return unzipped(await spool(createReadStream(path), signal), path, signal)
  const { size } = await handle.stat()
  return unzipped({ handle, size, [Symbol.asyncDispose]: () => handle.close() }, path, signal)
}

/** First bytes of files that are no tar, and what they are. */
const magics: readonly (readonly [string, string])[] = [
  ['28b52ffd', 'zstd'],
  ['fd377a585a00', 'xz'],
  ['425a68', 'bzip2'],
]

/**
 * How many times its bytes an archive may unpack to, and how much any may: it goes to the disk of temporary files, which a bomb
 * would fill.
 */
const mostRatio = 100
const alwaysAllowed = 1024 ** 3

const unzipped = async (file: Spool, path: string, signal?: AbortSignal): Promise<Spool | undefined> => {
  try {
    const start = await firstBytes(file, path)
    if (start.startsWith('1f8b')) {
      const packed = file.handle.createReadStream({ start: 0, autoClose: false, highWaterMark: 256 * 1024 })
      // What breaks the pipe is seen by whoever reads its end.
      const plain = pipeline(packed, createGunzip({ chunkSize: 256 * 1024 }), () => {})
      const most = Math.max(alwaysAllowed, file.size * mostRatio)
      const result = await spool(plain, signal, most).catch((error: unknown) => {
        throw unzipError(error, path)
      })
      await file[Symbol.asyncDispose]()
      return result
    }
    const other = magics.find(([magic]) => start.startsWith(magic))?.[1]
    if (other !== undefined) {
      throw new ClientError('unsupported', `${path} is compressed with ${other}.`, {
        subject: path,
        hint: 'Decompress it first: a plain tar is read, and one compressed with gzip.',
      })
    }
    if (file.size > 0) return file
    await file[Symbol.asyncDispose]()
    return undefined
  } catch (error) {
    await file[Symbol.asyncDispose]()
    throw error
  }
}

const firstBytes = async ({ handle, size }: { handle: FileHandle; size: number }, path: string): Promise<string> => {
  const bytes = await readAll(readPieces(handle, { start: 0, end: Math.min(size, 8), path }), 8, path)
  return Buffer.from(bytes).toString('hex')
}

const unzipError = (error: unknown, path: string): unknown => {
  if (isClientError(error, 'too-large')) {
    return new ClientError('too-large', `${path} unpacks to more than ${mostRatio} times its size.`, {
      subject: path,
      hint: 'If you trust it, decompress it first: a plain tar is read as it is.',
    })
  }
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && error.code.startsWith('Z_')
    ? new ClientError('invalid-content', `${path} cannot be decompressed: it is cut short or damaged.`, {
        subject: path,
        cause: error,
      })
    : error
}

const isDirectory = (path: string): ClientError =>
  new ClientError('invalid-content', `${path} is a directory, and an archive is a file.`, {
    subject: path,
    hint: `For an image layout in a directory write ocidir:${path}.`,
  })

/** Links that lead to links: more of them in a row are a circle. */
const maxLinks = 10

const createArchive = (file: Spool, path: string, entries: ReadonlyMap<string, TarEntry>): Archive => {
  const find: Archive['find'] = (name) => {
    let entry = entries.get(name)
    for (let links = 0; entry?.kind === 'link' && links < maxLinks; links++) entry = entries.get(entry.target)
    return entry?.kind === 'file' ? entry : undefined
  }
  const read: Archive['read'] = ({ offset, size }, buffer) =>
    readPieces(file.handle, {
      start: offset,
      end: offset + size,
      path,
      ...(buffer === undefined ? {} : { buffer }),
    })
  return {
    entries,
    find,
    read,
    async readSmall(name, limit) {
      const found = find(name)
      return found === undefined ? undefined : readAll(read(found), limit, `${name} in ${path}`)
    },
    [Symbol.asyncDispose]: () => file[Symbol.asyncDispose](),
  }
}
