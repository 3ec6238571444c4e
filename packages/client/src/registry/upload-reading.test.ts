import { cutBodyAfter, fail, reply, setHeader } from '@stowage/testkit'
import { describe, expect, it } from 'vitest'
import { bytesContent, type Content } from '../content/content.ts'
import { ClientError } from '../errors.ts'
import { fresh, streamed } from '../testing/contract/fresh.ts'
import { blobOf, isThere, startRig } from '../testing/misbehaving.ts'
import { putSample, sampleImage } from '../testing/sample-images.ts'

const uploads = { singlePostUpTo: 0 }

describe('the content of an upload', () => {
  it('is read once, however many chunks it goes in', async () => {
    for (const behaviour of [undefined, fail(503)]) {
      await using rig = await startRig({ host: { uploads: { ...uploads, chunkSize: 70_000 } } })
      const bytes = fresh(1_000_000)
      const opened: number[] = []
      const content: Content = {
        size: bytes.byteLength,
        open: ({ offset = 0 } = {}) => {
          opened.push(offset)
          return streamed(bytes).open({ offset })
        },
      }
      if (behaviour !== undefined) rig.server.on({ method: 'PATCH' }, behaviour, { skip: 2, times: 1 })
      await rig.repository.putBlob(blobOf(bytes).descriptor, content)
      await isThere(rig, bytes)
      expect(opened).toEqual(behaviour === undefined ? [0] : [0, 140_000])
    }
  })

  it('is not sent without end to a registry that takes it byte by byte', async () => {
    await using rig = await startRig({ host: { uploads } })
    let taken = 0
    rig.server.on({ method: 'PATCH' }, async (call) => {
      for await (const _ of call.body()) continue
      return reply(202, [
        ['location', call.target],
        ['range', `0-${++taken}`],
      ])
    })
    const bytes = fresh(3000)
    await expect(rig.repository.putBlob(blobOf(bytes).descriptor, bytesContent(bytes))).rejects.toMatchObject({
      code: 'invalid-response',
    })
    expect(taken).toBeLessThanOrEqual(1001)
  })

  it('is not held in memory because the registry wants chunks of a petabyte', async () => {
    await using rig = await startRig({ client: { sendsStreams: false }, host: { uploads } })
    rig.server.on({ method: 'POST' }, setHeader('oci-chunk-min-length', '999999999999999'))
    const { open } = bytesContent(new Uint8Array(10))
    await using upload = await rig.repository.startUpload()
    await expect(upload.write({ size: undefined, open })).rejects.toMatchObject({ code: 'unsupported' })
    await upload.write({ size: 10, open })
    expect(upload.offset).toBe(10)
  })

  it('that is not found is no upload that was lost', async () => {
    await using rig = await startRig({ host: { uploads } })
    const bytes = fresh(200_000)
    const content: Content = {
      size: bytes.byteLength,
      async *open() {
        yield bytes.subarray(0, 100_000)
        throw new ClientError('not-found', 'The file is gone.')
      },
    }
    await expect(rig.repository.putBlob(blobOf(bytes).descriptor, content)).rejects.toMatchObject({
      code: 'not-found',
    })
    expect(rig.server.seen({ method: 'POST' })).toHaveLength(1)
  })
})

describe('a manifest that is cut', () => {
  it('is not asked for attempts times attempts times', async () => {
    await using rig = await startRig({ host: { retry: { attempts: 3, maxDelay: 1 } } })
    await putSample(rig.repository, sampleImage(), 'v1')
    rig.server.forget()
    let count = 0
    rig.server.on({ method: 'GET' }, async (call, next) =>
      (count++ % 3 === 2 ? cutBodyAfter(5) : fail(500))(call, next),
    )
    await expect(rig.repository.readManifest('v1')).rejects.toMatchObject({ name: 'ClientError' })
    expect(rig.server.requests).toHaveLength(3)
  })
})
