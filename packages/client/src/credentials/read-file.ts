import { constants } from 'node:fs'
import { type FileHandle, open, stat } from 'node:fs/promises'
import { ClientError } from '../errors.ts'

/** Far above any honest file: Docker's with fifty entries has 10 KiB. */
const longest = 1024 * 1024

export interface FileContent {
  readonly text: string
  /** Another one when the file was written or replaced. */
  readonly version: string
}

/**
 * A small text file as it is now; `undefined` if there is none.
 *
 * @throws {ClientError} `invalid-content` when it is there and cannot be read
 */
export const readSmallFile = async (path: string): Promise<FileContent | undefined> => {
  let file: FileHandle | undefined
  try {
    // Without O_NONBLOCK the open of a pipe would wait for somebody who writes to it.
    file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
    // Asked before it is read: if it changes meanwhile, the next look sees another version.
    const stats = await file.stat({ bigint: true })
    if (!stats.isFile()) throw unreadable(path, 'is not a file')
    const bytes = Buffer.alloc(longest + 1)
    let length = 0
    for (let read = -1; read !== 0 && length < bytes.length; length += read) {
      ;({ bytesRead: read } = await file.read(bytes, length, bytes.length - length))
    }
    if (length > longest) throw unreadable(path, 'has more than 1 MiB')
    return {
      text: new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(0, length)),
      version: version(stats),
    }
  } catch (error) {
    if (error instanceof ClientError) throw error
    if (isAbsent(error)) return undefined
    // The decoder's own error has no code.
    throw unreadable(path, error instanceof TypeError ? 'is not UTF-8' : `cannot be read (${codeOf(error)})`)
  } finally {
    await file?.close()
  }
}

/** The version of a file; `undefined` if there is none, or it cannot be looked at. */
export const fileVersion = async (path: string): Promise<string | undefined> => {
  try {
    return version(await stat(path, { bigint: true }))
  } catch {
    return undefined
  }
}

/** Reads a file anew only when it has changed. A file that is wrong is read anew each time. */
export const cachedFile = <T>(path: string, parse: (text: string) => T): (() => Promise<T | undefined>) => {
  let known: { version: string; value: T } | undefined
  return async () => {
    if (known !== undefined && known.version === (await fileVersion(path))) return known.value
    const content = await readSmallFile(path)
    if (content === undefined) return undefined
    // Who asked at the same time may have been faster, and both are to have the same value.
    if (known?.version !== content.version) known = { version: content.version, value: parse(content.text) }
    return known.value
  }
}

export const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'unknown reason'

/** A part of the path that is a file, too, means that there is nothing there. */
export const isAbsent = (error: unknown): boolean => ['ENOENT', 'ENOTDIR'].includes(codeOf(error))

const version = (stats: { dev: bigint; ino: bigint; size: bigint; mtimeNs: bigint }): string =>
  [stats.dev, stats.ino, stats.size, stats.mtimeNs].join(':')

const unreadable = (path: string, problem: string): ClientError =>
  new ClientError('invalid-content', `${path} ${problem}.`, { subject: path })
