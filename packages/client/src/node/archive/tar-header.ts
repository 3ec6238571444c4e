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

/** The bytes in front of an entry's content. Two entries of one name and size have the same. */
export const encodeHeader = async (name: string, type: 'file' | 'directory', size: number): Promise<Uint8Array> => {
  const writer = pack()
  const parts: Uint8Array[] = []
  const mode = type === 'directory' ? 0o755 : 0o644
  const entry = writer.entry({ name, type, size, mode, mtime: new Date(0), uid: 0, gid: 0 })
  entry.on('error', () => {})
  const ended = new Promise<void>((resolve) => void entry.on('open', () => resolve()))
  await ended
  for (;;) {
    const part = writer.read() as Uint8Array | null
    if (part === null) break
    parts.push(part)
  }
  writer.on('error', () => {})
  writer.destroy()
  return Buffer.concat(parts)
}
