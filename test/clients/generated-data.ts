/** Bytes that do not compress and are the same in every run: the key stream of AES-128 in counter mode. */
import { createCipheriv, createHash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'

const block = new Uint8Array(1 << 20)

function keyStream(seed: string) {
  const key = createHash('sha256').update(seed).digest().subarray(0, 16)
  return createCipheriv('aes-128-ctr', key, new Uint8Array(16))
}

export function generatedBytes(size: number, seed: string): Buffer {
  return keyStream(seed).update(new Uint8Array(size))
}

/** Writes `size` bytes to `path` without holding more than a mebibyte of them. */
export async function writeGeneratedFile(path: string, size: number, seed: string): Promise<void> {
  const stream = keyStream(seed)
  function* chunks() {
    for (let left = size; left > 0; left -= block.length)
      yield stream.update(block.subarray(0, Math.min(left, block.length)))
  }
  await pipeline(Readable.from(chunks()), createWriteStream(path))
}

export const sha256 = (bytes: Uint8Array | string): string =>
  `sha256:${createHash('sha256').update(bytes).digest('hex')}`
