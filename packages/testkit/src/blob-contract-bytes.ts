import { createHash, randomBytes, randomUUID } from 'node:crypto'
import type { Readable } from 'node:stream'
import { type Digest, type DigestAlgorithm, parseDigest } from '@stowage/oci'
import type { BlobStore } from '@stowage/registry'

export const kibibyte = 1024
export const mebibyte = 1024 * kibibyte

export const someBytes = (size: number): Uint8Array => randomBytes(size)

export const digestOf = (bytes: Uint8Array, algorithm: DigestAlgorithm = 'sha256'): Digest =>
  parseDigest(`${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`)

/** Everything that a read gave, or its failure. */
export const collect = async (read: Uint8Array | Readable | undefined): Promise<Uint8Array | undefined> => {
  if (read === undefined || read instanceof Uint8Array) return read
  const pieces: Uint8Array[] = []
  for await (const piece of read) {
    if (!(piece instanceof Uint8Array)) throw new TypeError('A stream of a blob must give bytes.')
    pieces.push(piece)
  }
  return Buffer.concat(pieces)
}

/** Compares without printing megabytes when it fails. */
export const sameBytes = (left: Uint8Array | undefined, right: Uint8Array): boolean =>
  left !== undefined && Buffer.compare(left, right) === 0

/** Cuts bytes into pieces of these sizes, over and over. */
export const cut = (bytes: Uint8Array, sizes: readonly number[]): Uint8Array[] => {
  const pieces: Uint8Array[] = []
  for (let at = 0; at < bytes.byteLength;) {
    const size = sizes[pieces.length % sizes.length] ?? bytes.byteLength
    pieces.push(bytes.subarray(at, at + size))
    at += size
  }
  return pieces
}

/** Puts a whole blob into the store. */
export const put = async (store: BlobStore, bytes: Uint8Array, algorithm?: DigestAlgorithm): Promise<string> => {
  const upload = await store.openUpload(randomUUID())
  await upload.write([bytes])
  return upload.commit(digestOf(bytes, algorithm))
}

export const listed = async (store: BlobStore): Promise<Map<string, number>> => {
  const found = new Map<string, number>()
  for await (const { id, touchedAt } of store.listUploads()) found.set(id, touchedAt)
  return found
}
