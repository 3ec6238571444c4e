import { extract, type Header, pack } from 'tar-stream'

/** All headers, and the room between files, are counted in blocks of so many bytes. */
export const blockSize = 512

/** Bytes up to the next block. */
export const paddingOf = (size: number): number => (blockSize - (size % blockSize)) % blockSize

/** What is read of a header; `pax` has the extended records by name. */
export interface TarHeader {
  readonly name: string
  readonly type: Header['type'] | null
  readonly size: number
  readonly linkname: string | null
  readonly pax: Readonly<Record<string, string>> | null
}

/**
 * The header in these bytes: one block, with the blocks of long names and extended records before it, if it has some.
 *
 * Each is read for itself, so that no global record of an archive changes what comes later.
 *
 * @throws {Error} for bytes that are not exactly one header
 */
export const decodeHeader = (bytes: Uint8Array): Promise<TarHeader> =>
  new Promise((resolve, reject) => {
    const reader = extract()
    reader.on('entry', (header) => {
      const { byteOffset, ...rest } = header as Header & { byteOffset?: number }
      if (byteOffset === bytes.byteLength) resolve({ ...rest, pax: (rest.pax ?? null) as TarHeader['pax'] })
      else reject(new Error('A header has another length than it says.'))
      reader.destroy()
    })
    reader.on('error', reject)
    reader.on('close', () => reject(new Error('A header is cut short.')))
    reader.end(bytes)
  })

/** What an entry says of itself besides. Default: modes that anybody may read, the beginning of time. */
export interface EntryFacts {
  readonly mode?: number
  readonly mtime?: Date
  /** Where a symbolic link leads. */
  readonly linkname?: string
}

/** The bytes in front of an entry's content: the same for the same name and size, whenever and by whom they are written. */
export const encodeHeader = (
  name: string,
  type: 'file' | 'directory' | 'symlink',
  size: number,
  facts: EntryFacts = {},
): Promise<Uint8Array> =>
  new Promise((resolve, reject) => {
    const writer = pack()
    const parts: Uint8Array[] = []
    const content = new Uint8Array(1)
    writer.on('data', (part) => {
      if (part !== content) {
        parts.push(part as Uint8Array)
        return
      }
      // The writer hands content on as it is, so what came before was the header.
      resolve(Buffer.concat(parts))
      writer.destroy()
    })
    writer.on('end', () => resolve(Buffer.concat(parts).subarray(0, -endOfTar.byteLength)))
    writer.on('error', reject)
    const mode = type === 'directory' ? 0o755 : 0o644
    const entry = writer.entry({ mode, mtime: new Date(0), ...facts, name, type, size, uid: 0, gid: 0 })
    entry.on('error', () => {})
    if (size > 0) entry.write(content)
    else {
      entry.end(null)
      writer.finalize()
    }
  })

/** "At the end of the archive file there are two 512-byte blocks filled with binary zeros" (POSIX, ustar). */
export const endOfTar = new Uint8Array(2 * blockSize)
