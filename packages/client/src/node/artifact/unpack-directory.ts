import { pipeline, Readable, type Transform } from 'node:stream'
import { pipeline as pipelineEnd } from 'node:stream/promises'
import { createGunzip, createZstdDecompress } from 'node:zlib'
import { createDigester, digestAlgorithm, type HashFactory, isDigest } from '@stowage/oci'
import { extract } from 'tar-stream'
import { toTheEnd } from '../../content/to-the-end.ts'
import { ClientError, isClientError } from '../../errors.ts'
import { createUnpackPlace } from './unpack-place.ts'

/** What a directory may unpack to at most: a few bytes can become very many. */
export interface UnpackLimits {
  /** Bytes of all files together. Default 16 GiB. */
  readonly bytes?: number
  /** Files, directories and links, also directories that only the names of others tell of. Default 200,000. */
  readonly entries?: number
}

/** What is known of a tar, and what it may unpack to. */
export interface UnpackOptions {
  /** What it is, for messages, and what entries begin with. */
  readonly title: string
  /** Of the tar, where the artifact says it. */
  readonly digest: string | undefined
  readonly hash: HashFactory
  readonly limits: UnpackLimits
}

const defaultBytes = 16 * 1024 ** 3
const defaultEntries = 200_000
/** Bytes of a tar for each entry besides its content: headers, long names, what fills a block up. */
const headers = 8192

/**
 * Unpacks a tar into a directory that is not there yet. Owners, times and set-id bits are left out.
 *
 * @param blob Verified bytes: plain, or compressed with gzip or zstd.
 * @throws {ClientError} `refused` for what leads out, and for devices; `too-large` beyond the limits; `invalid-content`;
 *   `digest-mismatch`
 */
export const unpackDirectory = async (
  blob: AsyncIterable<Uint8Array>,
  root: string,
  { title, digest, hash, limits }: UnpackOptions,
): Promise<void> => {
  const { bytes: mostBytes = defaultBytes, entries: mostEntries = defaultEntries } = limits
  const wanted = isDigest(digest) ? digest : undefined
  const digester = createDigester(hash, wanted === undefined ? undefined : digestAlgorithm(wanted))
  const whole = toTheEnd(blob)
  const place = createUnpackPlace(root, { title, onParent: () => countEntry() })
  const unpacker = extract()
  let entries = 0
  let content = 0
  let tar = 0

  async function* counted(): AsyncIterable<Uint8Array> {
    for await (const chunk of decompressed(whole.chunks())) {
      tar += chunk.byteLength
      if (tar > mostBytes + mostEntries * headers) throw tooLarge(title, `${mostBytes} bytes`)
      digester.update(chunk)
      yield chunk
    }
  }
  const countEntry = (): void => {
    if (++entries > mostEntries) throw tooLarge(title, `${mostEntries} entries`)
  }
  const read = async (): Promise<void> => {
    for await (const entry of unpacker) {
      content += entry.header.size ?? 0
      countEntry()
      if (content > mostBytes) throw tooLarge(title, `${mostBytes} bytes`)
      await place.put(entry.header, entry as AsyncIterable<Uint8Array>)
      entry.resume()
    }
  }
  // Whichever fails first ends the other.
  const [reading, feeding] = await Promise.allSettled([read(), pipelineEnd(counted(), unpacker)])
  const failed = reading.status === 'rejected' ? reading : feeding
  if (failed.status === 'rejected') {
    if (isClientError(failed.reason)) throw failed.reason
    // What is damaged is told as that, and not as a tar that makes no sense.
    await whole.drain()
    const because = failed.reason instanceof Error ? failed.reason.message : String(failed.reason)
    throw new ClientError('invalid-content', `${title} cannot be unpacked: ${because}.`, {
      subject: title,
      cause: failed.reason,
    })
  }
  await whole.drain()
  if (wanted !== undefined && digester.digest() !== wanted) {
    throw new ClientError('digest-mismatch', `${title} unpacks to ${digester.digest()}, and should to ${wanted}.`, {
      subject: title,
    })
  }
  await place.makeLinks()
}

/** By its first bytes: media types say what content is for, and not always how it is packed. */
async function* decompressed(chunks: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  const iterator = chunks[Symbol.asyncIterator]()
  const first = await iterator.next()
  if (first.done === true) return
  const all = async function* (): AsyncIterable<Uint8Array> {
    yield first.value
    yield* { [Symbol.asyncIterator]: () => iterator }
  }
  const through = decompressorFor(first.value)
  if (through === undefined) {
    yield* all()
    return
  }
  // What breaks the pipe is seen by whoever reads its end.
  pipeline(Readable.from(all(), { objectMode: false }), through, () => {})
  yield* through as AsyncIterable<Uint8Array>
}

const decompressorFor = (first: Uint8Array): Transform | undefined => {
  const start = Buffer.from(first.subarray(0, 4)).toString('hex')
  if (start.startsWith('1f8b')) return createGunzip()
  return start === '28b52ffd' ? createZstdDecompress() : undefined
}

const tooLarge = (title: string, limit: string): ClientError =>
  new ClientError('too-large', `${title} unpacks to more than ${limit}.`, {
    subject: title,
    hint: 'Raise the limit if you trust who pushed it.',
  })
