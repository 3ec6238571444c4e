/** Images made on the spot. Their digests come from the Web Crypto API: the client's own hash is what is to be tested. */
import { blobContent, bytesContent, type Content, type Repository } from '@stowage/client'
import { type Descriptor, mediaTypes, webDigest } from '@stowage/oci'

export const mebibyte = 2 ** 20

export interface Part {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly descriptor: Descriptor
}

export interface Image {
  readonly manifest: Part
  readonly config: Part
  readonly layer: Part
}

/** Bytes that look like chance and are the same in every run (xorshift). */
export const randomBytes = (size: number, seed: number): Uint8Array<ArrayBuffer> => {
  const words = new Uint32Array(Math.ceil(size / 4))
  let state = seed
  for (let index = 0; index < words.length; index++) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    words[index] = state
  }
  return new Uint8Array(words.buffer, 0, size)
}

export const part = async (bytes: Uint8Array<ArrayBuffer>, mediaType = 'application/octet-stream'): Promise<Part> => ({
  bytes,
  descriptor: { mediaType, digest: await webDigest(bytes), size: bytes.byteLength },
})

export const json = async (value: object, mediaType: string): Promise<Part> =>
  part(new TextEncoder().encode(JSON.stringify(value)), mediaType)

export const makeImage = async (seed: number, size: number): Promise<Image> => {
  const layer = await part(randomBytes(size, seed), mediaTypes.ociLayer)
  const rootfs = { type: 'layers', diff_ids: [layer.descriptor.digest] }
  const config = await json({ architecture: 'arm64', os: 'linux', rootfs }, mediaTypes.ociImageConfig)
  const manifest = await json(
    {
      schemaVersion: 2,
      mediaType: mediaTypes.ociImageManifest,
      config: config.descriptor,
      layers: [layer.descriptor],
      annotations: { seed: String(seed) },
    },
    mediaTypes.ociImageManifest,
  )
  return { manifest, config, layer }
}

export const pushImage = async (
  repository: Repository,
  { manifest, config, layer }: Image,
  tag: string,
): Promise<void> => {
  await repository.putBlob(config.descriptor, bytesContent(config.bytes))
  await repository.putBlob(layer.descriptor, blobContent(new Blob([layer.bytes])))
  await repository.putManifest(manifest.descriptor, manifest.bytes, { tags: [tag] })
}

/** Bytes that come in pieces, and nobody knows how many. */
export const streamContent = (bytes: Uint8Array): Content => ({
  size: undefined,
  async *open({ offset = 0 } = {}) {
    for (let at = offset; at < bytes.byteLength; at += 100_000) yield bytes.subarray(at, at + 100_000)
  },
})

/** Throws where the bytes are not the same. */
export const sameBytes = async (chunks: AsyncIterable<Uint8Array>, expected: Uint8Array, from = 0): Promise<void> => {
  let at = from
  for await (const chunk of chunks) {
    if (chunk.some((byte, index) => byte !== expected[at + index])) throw new Error(`The bytes after ${at} are others.`)
    at += chunk.byteLength
  }
  if (at !== expected.byteLength) throw new Error(`There are ${at} bytes, and there must be ${expected.byteLength}.`)
}
