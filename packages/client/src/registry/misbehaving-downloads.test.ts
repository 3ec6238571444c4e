import {
  cutBodyAfter,
  earlierRange,
  fail,
  flipByte,
  hangBodyAfter,
  ignoreRange,
  lengthenBody,
  overrunBody,
  redirectToTrap,
  replaceBody,
  sample as samples,
  setHeader,
  shortenBody,
  withoutLength,
} from '@stowage/testkit'
import type { Digest } from '@stowage/oci'
import { describe, expect, it } from 'vitest'
import { collect } from '../content/pages.ts'
import type { ClientError } from '../errors.ts'
import { startRig, type Rig } from '../testing/misbehaving.ts'

const bytes = new TextEncoder().encode('a small body of 41 bytes, for cutting it.')
const digest = samples.sha256(bytes)
const descriptor = { mediaType: 'a/b', digest, size: bytes.byteLength }
const image = samples.image('one')

const rigWithBlob = async (options: Parameters<typeof startRig>[0] = {}): Promise<Rig> => {
  const rig = await startRig(options)
  await samples.pushBlob(rig.server, 'test/app', bytes)
  await samples.pushImage(rig.server, 'test/app', 'v1', image)
  return rig
}
const joined = (chunks: readonly Uint8Array[]): string => Buffer.concat(chunks).toString()
const right = joined([bytes])

/** What a reader got before an error, and the error. */
const readUntilItFails = async (chunks: AsyncIterable<Uint8Array>): Promise<[string, ClientError]> => {
  const got: Uint8Array[] = []
  try {
    for await (const chunk of chunks) got.push(chunk)
  } catch (error) {
    return [joined(got), error as ClientError]
  }
  throw new Error('It did not fail.')
}

describe('a download', () => {
  it.each([false, true])('that is cut at any byte comes to the right bytes all the same (reset: %s)', async (reset) => {
    await using rig = await rigWithBlob()
    for (let at = 0; at <= bytes.byteLength; at++) {
      rig.server.on({ path: /blobs\/sha256/ }, cutBodyAfter(at, { reset }), { times: 1 })
      expect(joined(await collect(rig.repository.getBlob(descriptor)))).toBe(right)
    }
  })

  it('goes on where it was, and not before', async () => {
    await using rig = await rigWithBlob()
    rig.server.on({ path: /blobs\/sha256/ }, cutBodyAfter(5), { times: 5 })
    const retries: ClientError[] = []
    const chunks = rig.repository.getBlob(descriptor, { onRetry: (error) => retries.push(error) })
    expect(joined(await collect(chunks))).toBe(right)
    expect(rig.server.requests.map(({ headers }) => headers.range)).toEqual([
      undefined,
      ...[5, 10, 15, 20, 25].map((at) => `bytes=${at}-`),
    ])
    expect(retries.map(({ code }) => code)).toEqual(Array.from({ length: 5 }, () => 'network'))
  })

  it('that is cut at each byte, every time, comes to an end', async () => {
    await using rig = await rigWithBlob()
    rig.server.on({ path: /blobs\/sha256/ }, cutBodyAfter(1))
    expect(joined(await collect(rig.repository.getBlob(descriptor)))).toBe(right)
    expect(rig.server.requests).toHaveLength(bytes.byteLength)
  })

  it('that never gets anywhere is given up', async () => {
    await using rig = await rigWithBlob()
    rig.server.on({ path: /blobs\/sha256/ }, cutBodyAfter(0))
    const [got, error] = await readUntilItFails(rig.repository.getBlob(descriptor))
    expect([got, error.code]).toEqual(['', 'network'])
    expect(rig.server.requests).toHaveLength(3)
  })

  it('that hangs goes on after a while', async () => {
    await using rig = await rigWithBlob({ host: { timeouts: { idle: 50 } } })
    rig.server.on({ path: /blobs\/sha256/ }, hangBodyAfter(7), { times: 2 })
    expect(joined(await collect(rig.repository.getBlob(descriptor)))).toBe(right)
  })

  it('of a registry that knows no ranges begins anew, and gives nothing twice', async () => {
    await using rig = await rigWithBlob()
    rig.server.on({ path: /blobs\/sha256/ }, ignoreRange())
    for (let at = 1; at < bytes.byteLength; at += 7) {
      rig.server.on({ path: /blobs\/sha256/ }, cutBodyAfter(at), { times: 1 })
      expect(joined(await collect(rig.repository.getBlob(descriptor)))).toBe(right)
    }
    expect(joined(await collect(rig.repository.getBlobFrom(descriptor, 10)))).toBe(right.slice(10))
  })

  it('takes no other range than it asked for', async () => {
    await using rig = await rigWithBlob()
    for (const behaviour of [
      earlierRange(3),
      setHeader('content-range', undefined),
      setHeader('content-range', 'bytes 0-40/41'),
      setHeader('content-range', 'nonsense'),
    ]) {
      const rule = rig.server.on({ path: /blobs\/sha256/ }, behaviour)
      rig.server.on({ path: /blobs\/sha256/ }, cutBodyAfter(10), { times: 1 })
      const [got, error] = await readUntilItFails(rig.repository.getBlob(descriptor))
      expect(error.code).toBe('invalid-response')
      expect(right.startsWith(got)).toBe(true)
      rule.remove()
    }
  })

  it.each([
    ['another byte', flipByte(0)],
    ['another last byte', flipByte(40)],
    ['no byte', shortenBody(0)],
    ['more bytes', lengthenBody('!')],
    ['many more bytes', lengthenBody('!'.repeat(100_000))],
    ['other content', replaceBody('x'.repeat(41))],
  ])('is never given to its end with %s', async (_, behaviour) => {
    await using rig = await rigWithBlob()
    rig.server.on({ path: /blobs\/sha256/ }, behaviour)
    const [got, error] = await readUntilItFails(rig.repository.getBlob(descriptor))
    expect(got.length).toBeLessThan(right.length)
    expect(['digest-mismatch', 'network']).toContain(error.code)
  })

  it('that is short of bytes is asked for the rest, which may not be there', async () => {
    await using rig = await rigWithBlob()
    rig.server.on({ path: /blobs\/sha256/ }, shortenBody(40), { times: 1 })
    expect(joined(await collect(rig.repository.getBlob(descriptor)))).toBe(right)
    rig.server.on({ path: /blobs\/sha256/ }, fail(416), { skip: 1 })
    rig.server.on({ path: /blobs\/sha256/ }, replaceBody(right.slice(0, 40)), { times: 1 })
    const [got, error] = await readUntilItFails(rig.repository.getBlob(descriptor))
    expect(error.code).toBe('digest-mismatch')
    expect(got.length).toBeLessThan(right.length)
  })

  it('is never more than it was to be', async () => {
    await using rig = await rigWithBlob()
    // Framing keeps what is beyond the announced length from everybody.
    rig.server.on({ path: /blobs\/sha256/ }, overrunBody('!'), { times: 1 })
    expect(joined(await collect(rig.repository.getBlob(descriptor)))).toBe(right)
    rig.server.on({ path: /blobs\/sha256/ }, lengthenBody('!'))
    const [got, error] = await readUntilItFails(rig.repository.getBlobFrom(descriptor, 0))
    expect(error.code).toBe('digest-mismatch')
    expect(right.startsWith(got)).toBe(true)
  })

  it('needs no announced length', async () => {
    await using rig = await rigWithBlob()
    rig.server.on({ path: /blobs\/sha256/ }, withoutLength())
    expect(joined(await collect(rig.repository.getBlob(descriptor)))).toBe(right)
    await expect(rig.repository.describeBlob(digest)).rejects.toMatchObject({ code: 'invalid-response' })
    for (const length of ['-1', '1e3', '41, 41', '', '9'.repeat(30)]) {
      const rule = rig.server.on({ method: 'HEAD' }, setHeader('content-length', length))
      await expect(rig.repository.describeBlob(digest)).rejects.toMatchObject({ name: 'ClientError' })
      rule.remove()
    }
  })

  it('goes on from where a redirect leads, which is asked for each time', async () => {
    await using rig = await rigWithBlob({ client: { credentials: () => undefined } })
    rig.server.on({ path: /blobs\/sha256/ }, redirectToTrap())
    rig.server.on({ origin: 'trap' }, cutBodyAfter(20), { times: 1 })
    expect(joined(await collect(rig.repository.getBlob(descriptor)))).toBe(right)
    expect(rig.server.seen({ origin: 'trap' }).map(({ headers }) => headers.range)).toEqual([undefined, 'bytes=20-'])
    expect(rig.server.seen({})).toHaveLength(2)
  })

  it('gives its place back when it is left, or stopped, in the middle', async () => {
    await using rig = await rigWithBlob()
    rig.server.on({ path: /blobs\/sha256/ }, hangBodyAfter(7))
    for await (const chunk of rig.repository.getBlobFrom(descriptor, 0)) {
      expect(joined([chunk])).toBe(right.slice(0, 7))
      break
    }
    const stop = new AbortController()
    const [, error] = await readUntilItFails(
      (async function* () {
        for await (const chunk of rig.repository.getBlobFrom(descriptor, 0, { signal: stop.signal })) {
          stop.abort()
          yield chunk
        }
      })(),
    )
    expect(error.code).toBe('aborted')
    expect(await rig.repository.hasBlob(descriptor)).toBe(true)
  })

  it('costs nothing that is not read', async () => {
    await using rig = await rigWithBlob()
    const chunks = rig.repository.getBlob(descriptor)
    await chunks[Symbol.asyncIterator]().return?.()
    expect(rig.server.requests).toEqual([])
  })
})

it('a digest that no bytes have is not found, and not made up', async () => {
  await using rig = await rigWithBlob()
  const none = `sha256:${'0'.repeat(64)}` as Digest
  rig.server.on({ path: /0000/ }, replaceBody(''))
  rig.server.on({ path: /0000/ }, async (call, next) => {
    const outcome = await next(call)
    return typeof outcome === 'string' ? outcome : { ...outcome, status: 200 }
  })
  await expect(collect(rig.repository.getBlob({ mediaType: 'a/b', digest: none, size: 0 }))).rejects.toMatchObject({
    code: 'digest-mismatch',
  })
})
