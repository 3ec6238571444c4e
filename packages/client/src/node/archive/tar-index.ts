import type { FileHandle } from 'node:fs/promises'
import { ClientError } from '../../errors.ts'
import { throwIfAborted } from '../../content/interrupt.ts'
import { fileError } from '../file-errors.ts'
import { entryName, linkTarget } from './entry-name.ts'
import { blockSize, decodeHeader, paddingOf, type TarHeader } from './tar-header.ts'

export interface TarFile {
  readonly kind: 'file'
  /** Where its bytes begin in the archive. */
  readonly offset: number
  readonly size: number
}

export type TarEntry = TarFile | { readonly kind: 'directory' } | { readonly kind: 'link'; readonly target: string }

/** A tar in an open file. */
export interface TarSource {
  readonly handle: FileHandle
  readonly size: number
  /** As a person knows it. */
  readonly path: string
}

/** Most entries of an archive: each costs memory, whatever its size. */
const maxEntries = 100_000

/** Most bytes of long names and extended records before one header. */
const maxHeaderSize = 128 * 1024

/** Bytes read at once: the headers of small files that follow each other come in one piece. */
const windowSize = 16 * 1024

/**
 * Where everything in a tar is, by the names that `entryName` makes: only headers are read, and nothing is ever unpacked.
 *
 * Refused is what two programs could read in two ways: a name that comes twice with different content, global records, sparse
 * files, bytes of a link, anything after a lone block of zeros; and what could lead out of the archive.
 *
 * @param links Whether links are let in, as long as they stay inside.
 * @throws {ClientError} `invalid-content`, `too-large`, `aborted`
 */
export const readTarIndex = async (
  source: TarSource,
  { links, signal }: { readonly links: boolean; readonly signal?: AbortSignal | undefined },
): Promise<ReadonlyMap<string, TarEntry>> => {
  const entries = new Map<string, TarEntry>()
  const read = createWindow(source)
  let position = 0
  let count = 0
  for (;;) {
    throwIfAborted(signal)
    const bytes = await headerAt(source, read, position)
    if (bytes === undefined) return entries
    count++
    if (count > maxEntries) throw tooMany(source)
    const header = await decodeHeader(bytes).catch((error: unknown) => {
      throw invalid(source, `is no tar, or is damaged at byte ${position}`, error)
    })
    position += bytes.byteLength
    const { name, entry } = toEntry(source, header, position, links)
    if (entry.kind === 'file') position += entry.size + paddingOf(entry.size)
    const before = entries.get(name)
    if (before !== undefined && !(await isSame(source, before, entry))) {
      throw invalid(source, `has "${name}" twice, with different content`)
    }
    entries.set(name, entry)
  }
}

type Read = (position: number, length: number) => Promise<Uint8Array>

/** A header with what belongs to it; undefined at the end of the archive. */
const headerAt = async (source: TarSource, read: Read, start: number): Promise<Uint8Array | undefined> => {
  let length = 0
  for (;;) {
    const position = start + length
    if (position >= source.size && length === 0) return undefined
    const block = await read(position, blockSize)
    if (isZero(block)) {
      const next = position + blockSize
      const isEnd = next >= source.size || isZero(await read(next, Math.min(blockSize, source.size - next)))
      if (isEnd && length === 0) return undefined
      throw invalid(source, `has a block of zeros at byte ${position}, where none may be`)
    }
    length += blockSize
    const more = extensionSize(source, block, position)
    if (more === undefined) return Buffer.from(await read(start, length))
    length += more + paddingOf(more)
    if (length > maxHeaderSize) throw invalid(source, `has a header of more than ${maxHeaderSize} bytes`)
  }
}

/** Bytes after a block that tell more of the header that follows; undefined when the block is that header itself. */
const extensionSize = (source: TarSource, block: Uint8Array, position: number): number | undefined => {
  const type = String.fromCharCode(block[156] ?? 0)
  if (type === 'g') throw invalid(source, 'has global records, which other programs understand otherwise')
  // Extended records, a long name, a long link: "x" of POSIX, "L" and "K" of GNU.
  if (!'xLK'.includes(type)) return undefined
  const size = /^ *([0-7]+)[ \0]*$/.exec(Buffer.from(block.subarray(124, 136)).toString('latin1'))?.[1]
  if (size === undefined) throw invalid(source, `has a header at byte ${position} with a wrong size`)
  return Number.parseInt(size, 8)
}

const toEntry = (
  source: TarSource,
  header: TarHeader,
  offset: number,
  links: boolean,
): { readonly name: string; readonly entry: TarEntry } => {
  const { type, size, linkname, pax } = header
  const name = entryName(header.name)
  const shown = JSON.stringify(header.name.slice(0, 200))
  if (name === undefined || (name === '' && type !== 'directory')) {
    throw invalid(source, `has an entry whose name leads out of it: ${shown}`)
  }
  const sizeRecord = pax?.['size']
  const isOdd = Object.keys(pax ?? {}).some((key) => key.startsWith('GNU.sparse'))
  if (isOdd || !Number.isSafeInteger(size) || (sizeRecord !== undefined && !/^\d+$/.test(sizeRecord))) {
    throw invalid(source, `has an entry that programs read in different ways: ${shown}`)
  }
  if (type === 'file') {
    if (offset + size > source.size) throw invalid(source, `is cut short: ${shown} is not whole`)
    return { name, entry: { kind: 'file', offset, size } }
  }
  if (size !== 0) throw invalid(source, `has an entry with bytes that cannot have any: ${shown}`)
  if (type === 'directory') return { name, entry: { kind: 'directory' } }
  if (links && (type === 'symlink' || type === 'link')) {
    const target = type === 'symlink' ? linkTarget(name, linkname ?? '') : entryName(linkname ?? '')
    if (target === undefined) throw invalid(source, `has a link that leads out of it: ${shown}`)
    return { name, entry: { kind: 'link', target } }
  }
  throw invalid(source, `has an entry that is neither a file nor a directory: ${shown}`)
}

const isSame = async (source: TarSource, one: TarEntry, other: TarEntry): Promise<boolean> => {
  if (one.kind === 'directory') return other.kind === 'directory'
  if (one.kind === 'link') return other.kind === 'link' && one.target === other.target
  if (other.kind !== 'file' || one.size !== other.size) return false
  const read = createWindow(source)
  const readOther = createWindow(source)
  for (let at = 0; at < one.size; at += windowSize) {
    const length = Math.min(windowSize, one.size - at)
    const [left, right] = [await read(one.offset + at, length), await readOther(other.offset + at, length)]
    if (Buffer.compare(left, right) !== 0) return false
  }
  return true
}

/** Reads pieces that mostly follow each other. A piece is good until the next is read. */
const createWindow = (source: TarSource): Read => {
  let window = Buffer.alloc(windowSize)
  let start = 0
  let end = 0
  return async (position, length) => {
    if (position + length > source.size) throw invalid(source, 'is cut short')
    if (position < start || position + length > end) {
      if (length > window.byteLength) window = Buffer.alloc(length)
      start = position
      end = position
      while (end < position + length) {
        const count = await readAt(source, window.subarray(end - start), end)
        if (count === 0) throw invalid(source, 'is cut short')
        end += count
      }
    }
    return window.subarray(position - start, position - start + length)
  }
}

const readAt = async ({ handle, path }: TarSource, into: Uint8Array, position: number): Promise<number> => {
  try {
    return (await handle.read(into, 0, into.byteLength, position)).bytesRead
  } catch (error) {
    throw fileError(error, path)
  }
}

const isZero = (block: Uint8Array): boolean => block.every((byte) => byte === 0)

const invalid = ({ path }: TarSource, problem: string, cause?: unknown): ClientError =>
  new ClientError('invalid-content', `${path} ${problem}.`, { subject: path, cause })

const tooMany = ({ path }: TarSource): ClientError =>
  new ClientError('too-large', `${path} has more than ${maxEntries} entries.`, { subject: path })
