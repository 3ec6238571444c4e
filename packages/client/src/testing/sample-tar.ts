/** A tar entry as somebody may have made it, with or without good intentions. */
export interface SampleEntry {
  readonly name: string
  /** One character: `0` a file, `5` a directory, `2` a symbolic link, `1` a hard link, `x` extended records. */
  readonly type?: string
  readonly content?: string | Uint8Array
  readonly linkname?: string
  /** What the header says instead of the truth. */
  readonly size?: number | string
  readonly magic?: string
  readonly isDamaged?: boolean
}

const blockSize = 512

const header = ({ name, type = '0', content = '', linkname = '', ...odd }: SampleEntry): Uint8Array => {
  const block = Buffer.alloc(blockSize)
  block.write(name, 0, 100)
  block.write('0000644\0', 100)
  block.write('0000000\0', 108)
  block.write('0000000\0', 116)
  const size = odd.size ?? Buffer.from(content).byteLength
  block.write(typeof size === 'string' ? size : `${size.toString(8).padStart(11, '0')}\0`, 124)
  block.write('00000000000\0', 136)
  block.write(type, 156)
  block.write(linkname, 157, 100)
  block.write(odd.magic ?? 'ustar\u000000', 257)
  const sum = block.reduce((total, byte, at) => total + (at >= 148 && at < 156 ? 32 : byte), 0)
  block.write(`${(odd.isDamaged === true ? sum + 1 : sum).toString(8).padStart(6, '0')}\0 `, 148)
  return block
}

const padding = (size: number): Uint8Array => new Uint8Array((blockSize - (size % blockSize)) % blockSize)

/** A tar of these entries, byte for byte as they say. */
export const sampleTar = (entries: readonly SampleEntry[], end = 2): Buffer =>
  Buffer.concat([
    ...entries.flatMap((entry) => {
      const content = Buffer.from(entry.content ?? '')
      return [header(entry), content, padding(content.byteLength)]
    }),
    new Uint8Array(end * blockSize),
  ])

/** The content of an entry of type `x`. */
export const paxRecords = (records: Readonly<Record<string, string>>): string =>
  Object.entries(records)
    .map(([key, value]) => {
      const rest = ` ${key}=${value}\n`
      let length = Buffer.byteLength(rest)
      while (`${length}`.length + Buffer.byteLength(rest) > length) length++
      return `${length}${rest}`
    })
    .join('')
