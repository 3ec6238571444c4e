import { gzipSync, zstdCompressSync } from 'node:zlib'
import { afterEach, describe, expect, it, test, vi } from 'vitest'
import { readAll } from '../content/verify.ts'
import { compressionOf, decompress } from './decompress.ts'

const text = 'layer '.repeat(50_000)

async function* pieces(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += 100) yield bytes.slice(at, at + 100)
}

const read = async (chunks: AsyncIterable<Uint8Array> | undefined): Promise<string | undefined> =>
  chunks === undefined ? undefined : new TextDecoder().decode(await readAll(chunks, 1e6, 'layer'))

test.each([
  ['application/vnd.oci.image.layer.v1.tar', 'none'],
  ['application/vnd.oci.image.layer.v1.tar+gzip', 'gzip'],
  ['application/vnd.oci.image.layer.v1.tar+zstd', 'zstd'],
  ['application/vnd.docker.image.rootfs.diff.tar.gzip', 'gzip'],
  ['application/vnd.docker.image.rootfs.diff.tar', 'none'],
  ['application/vnd.oci.image.layer.v1.tar+gzip+encrypted', undefined],
  ['text/plain', undefined],
])('%s is compressed with %s', (mediaType, compression) => {
  expect(compressionOf(mediaType)).toBe(compression)
})

describe('in Node', () => {
  it('reads plain bytes, gzip of several members, and zstd', async () => {
    const two = Buffer.concat([gzipSync(text.slice(0, 99)), gzipSync(text.slice(99))])
    expect(await read(decompress('none', pieces(Buffer.from(text))))).toBe(text)
    expect(await read(decompress('gzip', pieces(two)))).toBe(text)
    expect(await read(decompress('zstd', pieces(zstdCompressSync(text))))).toBe(text)
  })

  it('throws for what is damaged, and what its source throws', async () => {
    await expect(read(decompress('gzip', pieces(gzipSync(text).subarray(0, 200))))).rejects.toThrow(/unexpected end/)
    async function* broken(): AsyncIterable<Uint8Array> {
      yield gzipSync(text).subarray(0, 200)
      throw new Error('broken')
    }
    await expect(read(decompress('gzip', broken()))).rejects.toThrow('broken')
  })
})

describe('where there is no Node', () => {
  afterEach(() => {
    vi.unstubAllGlobals()
    vi.resetModules()
  })

  it('reads gzip as browsers do, and says of zstd that it cannot', async () => {
    vi.stubGlobal('process', undefined)
    vi.resetModules()
    const fresh = await import('./decompress.ts')
    expect(await read(fresh.decompress('gzip', pieces(gzipSync(text))))).toBe(text)
    expect(fresh.decompress('zstd', pieces(zstdCompressSync(text)))).toBeUndefined()
    vi.stubGlobal('DecompressionStream', undefined)
    expect(fresh.decompress('gzip', pieces(gzipSync(text)))).toBeUndefined()
  })
})
