import type { Content } from '../../content/content.ts'

/** Bytes that are like no others, so that every test has its own. */
export const fresh = (size: number): Uint8Array => {
  const bytes = new Uint8Array(size)
  for (let at = 0; at < size; at += 65_536) crypto.getRandomValues(bytes.subarray(at, at + 65_536))
  return bytes
}

/** Bytes that come piece by piece. */
export const streamed = (bytes: Uint8Array): Content => ({
  size: bytes.byteLength,
  async *open({ offset = 0 } = {}) {
    for (let at = offset; at < bytes.byteLength; at += 10_000) yield bytes.subarray(at, at + 10_000)
  },
})
