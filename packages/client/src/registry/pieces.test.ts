import { createTestRegistry, cutUploadAfter, sample, startMisbehavingRegistry } from '@stowage/testkit'
import { describe, expect, it } from 'vitest'
import { createClient } from '../client.ts'
import type { Content } from '../content/content.ts'
import { createPieces } from './pieces.ts'

const never = new AbortController().signal
const mebibyte = 2 ** 20
const bytes = new Uint8Array(20 * mebibyte).map((_, index) => (index * 7) % 251)
const digest = sample.sha256(bytes)
const descriptor = { mediaType: 'application/octet-stream', digest, size: bytes.byteLength }

/** Bytes in chunks of 100,000, which say how often and from where they were opened. */
const chunked = (source: Uint8Array, size: number | undefined = source.byteLength) => {
  const opened: number[] = []
  let open = 0
  const content: Content = {
    size,
    async *open({ offset = 0 } = {}) {
      opened.push(offset)
      open++
      try {
        for (let at = offset; at < source.byteLength; at += 100_000) yield source.subarray(at, at + 100_000)
      } finally {
        open--
      }
    },
  }
  return { content, opened, stillOpen: () => open }
}

describe('pieces', () => {
  const small = bytes.subarray(0, 1_000_000)

  it('come one after the other from one opening', async () => {
    const { content, opened, stillOpen } = chunked(small)
    {
      await using pieces = createPieces(content, never)
      const got: Uint8Array[] = []
      for (const [offset, size] of [
        [0, 130_001],
        [130_001, 769_999],
        [900_000, 500_000],
        [1_000_000, 10],
      ] as const) {
        got.push(await pieces.read(offset, size))
      }
      expect(got.map(({ byteLength }) => byteLength)).toEqual([130_001, 769_999, 100_000, 0])
      expect(Buffer.concat(got).equals(small)).toBe(true)
    }
    expect(opened).toEqual([0])
    expect(stillOpen()).toBe(0)
  })

  it('begin anew where they do not follow each other', async () => {
    const { content, opened, stillOpen } = chunked(small)
    await using pieces = createPieces(content, never)
    await pieces.read(0, 300_000)
    expect(Buffer.from(await pieces.read(120_000, 50)).equals(small.subarray(120_000, 120_050))).toBe(true)
    expect(opened).toEqual([0, 120_000])
    expect(stillOpen()).toBe(1)
  })

  it('begin anew after the content has failed', async () => {
    let broken = true
    const content: Content = {
      size: 4,
      async *open({ offset = 0 } = {}) {
        yield small.subarray(offset, 2)
        if (broken) throw new Error('the disk is on fire')
        yield small.subarray(2, 4)
      },
    }
    await using pieces = createPieces(content, never)
    await expect(pieces.read(0, 4)).rejects.toMatchObject({ code: 'invalid-content' })
    broken = false
    expect(await pieces.read(0, 4)).toEqual(small.slice(0, 4))
  })

  it('tell when the content is shorter than it said', async () => {
    await using pieces = createPieces(chunked(small, 1_000_001).content, never)
    await expect(pieces.read(0, 2_000_000)).rejects.toMatchObject({ code: 'digest-mismatch' })
  })
})

describe('an upload where nothing can be streamed', () => {
  const hosts = { '*': { plainHttp: true, retry: { attempts: 3, maxDelay: 10 } } }

  it.each([
    ['known', bytes.byteLength],
    ['unknown', undefined],
  ])('sends content of %s length in pieces, and reads it once', async (_, size) => {
    await using registry = await createTestRegistry()
    await using client = createClient({ hosts, sendsStreams: false })
    const repository = client.repository(`${registry.host}/app`)
    const { content, opened, stillOpen } = chunked(bytes, size)
    const told: number[] = []
    await using upload = await repository.startUpload()
    await upload.write(content, { onProgress: (sent) => void told.push(sent / mebibyte) })
    await upload.commit(digest)
    expect([told, opened, stillOpen()]).toEqual([[8, 16, 20], [0], 0])
    expect(await repository.hasBlob(descriptor)).toBe(true)
  })

  it('goes on where a piece was cut', async () => {
    await using registry = await startMisbehavingRegistry()
    registry.on({ method: 'PATCH' }, cutUploadAfter(mebibyte), { skip: 1, times: 1 })
    await using client = createClient({ hosts, sendsStreams: false })
    const { content, opened } = chunked(bytes)
    expect(await client.repository(`${registry.host}/app`).putBlob(descriptor, content)).toBe('uploaded')
    expect(opened).toEqual([0, 9 * mebibyte])
    const ranges = registry.seen({ method: 'PATCH' }).map(({ headers }) => headers['content-range'])
    expect(ranges[2]).toBe(`${9 * mebibyte}-${17 * mebibyte - 1}`)
  })
})
