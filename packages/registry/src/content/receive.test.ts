import { describe, expect, it } from 'vitest'
import { memoryBlobs } from '../blobs/memory/memory-blobs.ts'
import { createDigester, digestOf } from './digester.ts'
import { receive } from './receive.ts'

describe('receive', () => {
  const piece = (byte: number): Uint8Array => new Uint8Array(new ArrayBuffer(300_000)).fill(byte)

  const take = async (pieces: readonly Uint8Array[], owned: boolean): Promise<void> => {
    await using blobs = memoryBlobs()
    const upload = await blobs.openUpload('00000000-0000-4000-8000-000000000000')
    const expected = digestOf(Buffer.concat(pieces), 'sha256')
    const digester = createDigester('sha256')
    const body = async function* (): AsyncGenerator<Uint8Array> {
      yield* pieces
    }
    const { signal } = new AbortController()
    const { bytes } = await receive(body, upload, { digester, onBytes: () => {}, signal, limit: Infinity, owned })
    expect(bytes).toBe(upload.size)
    expect(digester.digest()).toBe(expected)
    const stored: Uint8Array[] = []
    for await (const part of upload.read()) stored.push(part)
    expect(digestOf(Buffer.concat(stored), 'sha256')).toBe(expected)
  }

  it('gives the memory of pieces back once they are stored, when they are its own', async () => {
    const pieces = [1, 2, 3, 4, 5].map(piece)
    await take(pieces, true)
    expect(pieces.map(({ byteLength }) => byteLength)).toEqual([0, 0, 0, 0, 0])
  })

  it('leaves pieces that others may have', async () => {
    const pieces = [1, 2, 3].map(piece)
    await take(pieces, false)
    expect(pieces.map(({ byteLength }) => byteLength)).toEqual([300_000, 300_000, 300_000])
  })

  it('leaves memory that a piece shares with something else', async () => {
    const whole = piece(7)
    await take([whole.subarray(0, 100_000), whole.subarray(100_000)], true)
    expect(whole.byteLength).toBe(300_000)
    expect(whole.every((byte) => byte === 7)).toBe(true)
  })
})
