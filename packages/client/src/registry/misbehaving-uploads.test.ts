import { cutUploadAfter, fail, hangAfterRequest, loseAnswer, loseRequest } from '@stowage/testkit'
import { describe, expect, it } from 'vitest'
import { bytesContent } from '../content/content.ts'
import type { ClientError } from '../errors.ts'
import { blobOf, isThere, startRig } from '../testing/misbehaving.ts'
import { fresh, streamed } from '../testing/contract/fresh.ts'

const uploads = { singlePostUpTo: 0 }

describe('an upload', () => {
  it('that is cut at any byte ends with the right digest, and sends nothing twice that has arrived', async () => {
    const size = 37
    for (let at = 1; at < size; at++) {
      await using rig = await startRig({ host: { uploads } })
      const bytes = fresh(size)
      rig.server.on({ method: 'PATCH' }, cutUploadAfter(at), { times: 1 })
      expect(await rig.repository.putBlob(blobOf(bytes).descriptor, bytesContent(bytes))).toBe('uploaded')
      await isThere(rig, bytes)
      // Only the one byte that arrived and looks like none is sent again.
      const ranges = rig.server.seen({ method: 'PATCH' }).map(({ headers }) => headers['content-range'])
      expect(ranges).toEqual(at === 1 ? ['0-36', '0-36', '1-36'] : ['0-36', `${at}-36`])
    }
  })

  it('that is cut again and again goes on from where it was each time', async () => {
    await using rig = await startRig({ host: { uploads } })
    const bytes = fresh(200_000)
    rig.server.on({ method: 'PATCH' }, cutUploadAfter(30_000), { times: 6 })
    const retries: ClientError[] = []
    const sent: number[] = []
    const options = {
      onRetry: (error: ClientError) => retries.push(error),
      onProgress: (now: number) => sent.push(now),
    }
    await rig.repository.putBlob(blobOf(bytes).descriptor, streamed(bytes), options)
    await isThere(rig, bytes)
    expect(retries.map(({ code }) => code)).toEqual(Array.from({ length: 6 }, () => 'network'))
    expect(sent.at(-1)).toBe(200_000)
    expect(rig.server.seen({ method: 'PATCH' }).map(({ headers }) => headers['content-range'])).toEqual(
      [0, 30_000, 60_000, 90_000, 120_000, 150_000, 180_000].map((at) => `${at}-199999`),
    )
  })

  it('of which the registry keeps less than it took goes on from what it kept', async () => {
    await using rig = await startRig({ host: { uploads } })
    const bytes = fresh(100_000)
    rig.server.on({ method: 'PATCH' }, cutUploadAfter(50_000, { kept: 20_000 }), { times: 1 })
    await rig.repository.putBlob(blobOf(bytes).descriptor, bytesContent(bytes))
    await isThere(rig, bytes)
  })

  it.each([
    ['lost requests', loseRequest()],
    ['lost answers', loseAnswer()],
    ['errors', fail(500)],
    ['refusals', fail(503)],
    ['storms', fail(429, { retryAfter: 0 })],
    ['errors before it was all read', fail(502, { leavesRequest: true })],
    ['another place than was thought', fail(416)],
  ])('is brought to its end through %s', async (_, behaviour) => {
    for (const chunkSize of [undefined, 30_000]) {
      await using rig = await startRig({
        host: { uploads: { ...uploads, ...(chunkSize === undefined ? {} : { chunkSize }) } },
      })
      const bytes = fresh(100_000)
      rig.server.on({ method: 'PATCH' }, behaviour, { times: 2 })
      rig.server.on({ method: 'GET', path: /uploads/ }, fail(500), { times: 1 })
      await rig.repository.putBlob(blobOf(bytes).descriptor, streamed(bytes))
      await isThere(rig, bytes)
    }
  })

  it.each([
    ['lost requests', loseRequest(), 'network'],
    ['errors', fail(500), 'registry-failed'],
    ['refusals', fail(503), 'registry-failed'],
    ['storms', fail(429, { retryAfter: 0 }), 'rate-limited'],
    ['another place than was thought', fail(416), 'rejected'],
    ['errors that want to be left alone for a day', fail(500, { retryAfter: 86_400 }), 'registry-failed'],
  ] as const)('is given up after some %s, and cancelled', async (_, behaviour, code) => {
    await using rig = await startRig({ host: { uploads } })
    const bytes = fresh(1000)
    rig.server.on({ method: 'PATCH' }, behaviour)
    await expect(rig.repository.putBlob(blobOf(bytes).descriptor, bytesContent(bytes))).rejects.toMatchObject({ code })
    expect(rig.server.seen({ method: 'PATCH' }).length).toBeLessThanOrEqual(4)
    expect(rig.server.seen({ method: 'DELETE', path: /uploads/ }).map(({ status }) => status)).toEqual([204])
  })

  it.each([
    ['is there', loseAnswer(), 'uploaded'],
    ['is there', hangAfterRequest(), 'uploaded'],
  ])('whose closing answer is lost is there when its blob is', async (_, behaviour, outcome) => {
    await using rig = await startRig({ host: { uploads, timeouts: { answer: 200 } } })
    const bytes = fresh(1000)
    rig.server.on({ method: 'PUT', path: /uploads/ }, behaviour, { times: 1 })
    expect(await rig.repository.putBlob(blobOf(bytes).descriptor, bytesContent(bytes))).toBe(outcome)
    await isThere(rig, bytes)
  })

  it('whose closing request is lost is closed again, and no byte of it is sent again', async () => {
    await using rig = await startRig({ host: { uploads } })
    const bytes = fresh(1000)
    const rule = rig.server.on({ method: 'PUT', path: /uploads/ }, loseRequest())
    await expect(rig.repository.putBlob(blobOf(bytes).descriptor, bytesContent(bytes))).rejects.toMatchObject({
      code: 'network',
    })
    expect(rig.server.seen({ method: 'PUT' })).toHaveLength(3)
    rule.remove()
    for (const behaviour of [loseRequest(), fail(500), fail(502)]) {
      rig.server.on({ method: 'PUT', path: /uploads/ }, behaviour, { times: 2 })
      rig.server.forget()
      const other = fresh(1000)
      await rig.repository.putBlob(blobOf(other).descriptor, bytesContent(other))
      await isThere(rig, other)
      expect(rig.server.seen({ method: 'PATCH' })).toHaveLength(1)
    }
  })
})
