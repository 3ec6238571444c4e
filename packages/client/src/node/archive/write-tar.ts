import { ClientError } from '../../errors.ts'
import { pieceSize } from '../read-file.ts'
import { encodeHeader, endOfTar, paddingOf } from './tar-header.ts'

/** A file that goes into a tar. */
export interface TarPart {
  readonly name: string
  readonly size: number
  /** Its bytes; every piece may be read into this one buffer. */
  read(buffer: Uint8Array): AsyncIterable<Uint8Array>
}

/** Takes bytes, and resolves when it needs them no more. */
export type Write = (bytes: Uint8Array) => Promise<void>

/**
 * Writes a tar in the order of the parts, with the directories they are in. The same parts make the same bytes: no time, no
 * owner, no mode of this machine gets in.
 */
export const writeTar = async (parts: readonly TarPart[], write: Write): Promise<void> => {
  const buffer = Buffer.allocUnsafeSlow(pieceSize)
  const directories = new Set<string>()
  for (const { name, size, read } of parts) {
    for (let slash = name.indexOf('/'); slash !== -1; slash = name.indexOf('/', slash + 1)) {
      const directory = name.slice(0, slash + 1)
      if (directories.has(directory)) continue
      directories.add(directory)
      await write(await encodeHeader(directory, 'directory', 0))
    }
    await write(await encodeHeader(name, 'file', size))
    let written = 0
    for await (const piece of read(buffer)) {
      await write(piece)
      written += piece.byteLength
    }
    // What follows would be read as content, and content as headers.
    if (written !== size) {
      throw new ClientError('digest-mismatch', `${name} has ${written} bytes, and must have ${size}.`, {
        subject: name,
      })
    }
    const padding = paddingOf(size)
    if (padding > 0) await write(endOfTar.subarray(0, padding))
  }
  await write(endOfTar)
}

/** A part from bytes that are all here. */
export const bytesPart = (name: string, bytes: Uint8Array): TarPart => ({
  name,
  size: bytes.byteLength,
  async *read() {
    if (bytes.byteLength > 0) yield bytes
  },
})
