import { lstat, readdir, readlink, realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline, Readable } from 'node:stream'
import { createGzip } from 'node:zlib'
import { createDigester, type Digest, type HashFactory } from '@stowage/oci'
import type { Content } from '../../content/content.ts'
import { ClientError } from '../../errors.ts'
import { interruptible } from '../../content/interrupt.ts'
import { spool } from '../archive/spool.ts'
import { encodeHeader, endOfTar, paddingOf } from '../archive/tar-header.ts'
import { fileContent } from '../file-content.ts'
import { onFile } from '../file-errors.ts'
import { readPieces } from '../read-file.ts'
import { leadsOut } from './link-target.ts'
import { requireSafe } from './title-path.ts'

/** How a directory is packed. */
export interface PackDirectoryOptions {
  /** What entries begin with: the title of the directory. */
  readonly prefix: string
  /** The time of every entry: times of this machine would make other bytes each time. Default: the beginning of 1970. */
  readonly modified?: Date
  readonly hash: HashFactory
  readonly signal?: AbortSignal | undefined
}

/** A directory in one file. It is in a temporary one until it is disposed of. */
export interface PackedDirectory extends AsyncDisposable {
  readonly content: Content
  /** Of the tar before it was compressed. */
  readonly digest: Digest
}

/**
 * A directory as tar and gzip. The same files give the same bytes on the same machine: in order, without owners and times, with
 * their modes. Symbolic links stay what they are, as long as they lead nowhere else.
 *
 * @throws {ClientError} `not-found`, `denied`; `invalid-content` for devices, sockets, links that lead out, and names that are
 *   refused when they are pulled
 */
export const packDirectory = async (path: string, options: PackDirectoryOptions): Promise<PackedDirectory> => {
  const { prefix, modified = new Date(0), hash, signal } = options
  const digester = createDigester(hash)
  // The directory itself may be a link: it was named.
  const root = await onFile(path, () => realpath(path))
  async function* hashed(): AsyncIterable<Uint8Array> {
    for await (const chunk of interruptible(tarOf(root, prefix, modified), signal)) {
      digester.update(chunk)
      yield chunk
    }
  }
  let failure: { readonly error: unknown } | undefined
  const packed = pipeline(Readable.from(hashed(), { objectMode: false }), createGzip({ level: 9 }), (error) => {
    if (error) failure ??= { error }
  })
  try {
    const kept = await spool(packed, signal)
    const { handle, size } = kept
    return {
      content: {
        size,
        open: ({ offset = 0, signal: own } = {}) =>
          interruptible(readPieces(handle, { start: offset, end: size, path }), own),
      },
      digest: digester.digest(),
      [Symbol.asyncDispose]: () => kept[Symbol.asyncDispose](),
    }
  } catch (error) {
    throw failure?.error ?? error
  }
}

async function* tarOf(root: string, prefix: string, mtime: Date): AsyncIterable<Uint8Array> {
  yield* entriesOf(root, prefix === '.' ? '' : prefix, 0, mtime)
  yield endOfTar
}

const permissions = 0o7777

/** @param depth How many directories are above it in the tar: so far up may a link lead. */
async function* entriesOf(path: string, name: string, depth: number, mtime: Date): AsyncIterable<Uint8Array> {
  requireSafe(path, name)
  const stats = await onFile(path, () => lstat(path))
  const mode = stats.mode & permissions
  if (stats.isDirectory()) {
    if (name !== '') yield await encodeHeader(`${name}/`, 'directory', 0, { mode, mtime })
    const names = (await onFile(path, () => readdir(path))).toSorted((one, other) => (one < other ? -1 : 1))
    for (const child of names) {
      yield* entriesOf(join(path, child), name === '' ? child : `${name}/${child}`, depth + 1, mtime)
    }
  } else if (stats.isFile()) {
    const content = await fileContent(path)
    const size = content.size ?? 0
    yield await encodeHeader(name, 'file', size, { mode, mtime })
    yield* content.open()
    const padding = paddingOf(size)
    if (padding > 0) yield endOfTar.subarray(0, padding)
  } else if (stats.isSymbolicLink()) {
    const linkname = (await onFile(path, () => readlink(path))).replaceAll('\\', '/')
    if (leadsOut(linkname, depth - 1)) {
      throw new ClientError('invalid-content', `${path} is a link that leads out of the directory, to ${linkname}.`, {
        subject: path,
        hint: 'Put a copy of what it leads to in its place.',
      })
    }
    yield await encodeHeader(name, 'symlink', 0, { mode: 0o777, mtime, linkname })
  } else {
    throw new ClientError('invalid-content', `${path} is neither a file nor a directory.`, { subject: path })
  }
}
