import { iterate } from '../content/content.ts'

/** How the layers of images are packed. */
export type Compression = 'none' | 'gzip' | 'zstd'

/** How a layer is compressed, by what its media type ends with; undefined for what is no layer of an image. */
export const compressionOf = (mediaType: string): Compression | undefined => {
  const [, ending] = /\.(?:tar|diff\.tar)(?:[.+](gzip|zstd))?$/.exec(mediaType) ?? []
  if (ending === 'gzip' || ending === 'zstd') return ending
  return mediaType.endsWith('.tar') ? 'none' : undefined
}

/** What this module uses of Node's streams. They are asked for at run time, as the hash is. */
interface Transform extends AsyncIterable<Uint8Array> {}
interface Zlib {
  createGunzip(): Transform
  createZstdDecompress?(): Transform
}
interface Streams {
  pipeline(from: AsyncIterable<Uint8Array>, through: Transform, done: (error?: unknown) => void): void
}

const runtime = (globalThis as { process?: { getBuiltinModule?: (name: string) => unknown } }).process
const zlib = runtime?.getBuiltinModule?.('node:zlib') as Zlib | undefined
const streams = runtime?.getBuiltinModule?.('node:stream') as Streams | undefined

/** Whether everything that a gzip may be is understood: browsers stop behind its first member, and some layers have many. */
export const knowsAllOfGzip = zlib !== undefined

/**
 * The bytes before compression; undefined where this runtime cannot: browsers know no zstd.
 */
export const decompress = (
  compression: Compression,
  chunks: AsyncIterable<Uint8Array>,
): AsyncIterable<Uint8Array> | undefined => {
  if (compression === 'none') return chunks
  if (zlib !== undefined && streams !== undefined) {
    const through = compression === 'gzip' ? zlib.createGunzip() : zlib.createZstdDecompress?.()
    if (through === undefined) return undefined
    // What breaks the pipe is seen by whoever reads its end.
    streams.pipeline(chunks, through, () => {})
    return through
  }
  if (compression !== 'gzip' || typeof DecompressionStream === 'undefined') return undefined
  return iterate(toStream(chunks).pipeThrough(new DecompressionStream('gzip')))
}

/** Safari has no `ReadableStream.from`. */
const toStream = (chunks: AsyncIterable<Uint8Array>): ReadableStream<Uint8Array> => {
  const iterator = chunks[Symbol.asyncIterator]()
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = await iterator.next()
      if (done === true) controller.close()
      else controller.enqueue(value)
    },
    async cancel() {
      await iterator.return?.()
    },
  })
}
