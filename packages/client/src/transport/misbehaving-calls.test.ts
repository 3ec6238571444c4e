import {
  cutBodyAfter,
  fail,
  hang,
  hangAfterHead,
  hangAfterRequest,
  hangBodyAfter,
  loseAnswer,
  loseRequest,
  sample as samples,
  warn,
} from '@stowage/testkit'
import { describe, expect, it } from 'vitest'
import { bytesContent } from '../content/content.ts'
import { collect } from '../content/pages.ts'
import type { ClientError } from '../errors.ts'
import { startRig } from '../testing/misbehaving.ts'
import { sample, sampleImage } from '../testing/sample-images.ts'
import type { RegistryWarning } from './warnings.ts'

const image = samples.image('one')
const { descriptor, bytes } = sample('a/b', 'some bytes')

describe('what passes', () => {
  it.each([
    ['429', fail(429)],
    ['429 with Retry-After', fail(429, { retryAfter: 0 })],
    ['429 with a date', fail(429, { retryAfter: new Date(0) })],
    ['429 with words', fail(429, { retryAfter: 'soon 5' })],
    ['503', fail(503, { body: 'html' })],
    ['500', fail(500)],
    ['502', fail(502, { body: 'none' })],
    ['504', fail(504, { body: 'text' })],
    ['408', fail(408)],
    ['a lost request', loseRequest()],
    ['a connection that was reset', loseRequest({ reset: true })],
    ['a lost answer', loseAnswer()],
  ])('is tried again: %s', async (_, behaviour) => {
    await using rig = await startRig()
    await samples.pushImage(rig.server, 'test/app', 'v1', image)
    rig.server.on({ path: /manifests/ }, behaviour, { times: 2 })
    const retries: ClientError[] = []
    const resolved = await rig.repository.resolve('v1', { onRetry: (error) => retries.push(error) })
    expect(resolved.digest).toBe(image.digest)
    expect(retries).toHaveLength(2)
    expect(rig.traces.map(({ attempt }) => attempt)).toEqual([1, 2, 3])
  })

  it.each([
    ['429', fail(429, { retryAfter: 0 }), 'rate-limited'],
    ['503', fail(503), 'registry-failed'],
    ['500', fail(500), 'registry-failed'],
    ['lost requests', loseRequest(), 'network'],
    ['lost answers', loseAnswer({ reset: true }), 'network'],
  ] as const)('is not tried for ever: a storm of %s', async (_, behaviour, code) => {
    await using rig = await startRig()
    rig.server.on({}, behaviour)
    const put = sampleImage()
    for (const call of [
      async () => rig.repository.resolve('v1'),
      async () => rig.repository.hasBlob(descriptor),
      async () => collect(rig.repository.getBlob(descriptor)),
      async () => collect(rig.repository.tags()),
      async () => collect(rig.repository.referrers(descriptor.digest)),
      async () => rig.repository.putManifest(put.descriptor, put.bytes),
      async () => rig.repository.putBlob(descriptor, bytesContent(bytes)),
      async () => rig.repository.startUpload(),
    ]) {
      rig.server.forget()
      await expect(call()).rejects.toMatchObject({ code })
      expect(rig.server.requests).toHaveLength(3)
    }
  })

  it('is no reason to do twice what may be done', async () => {
    await using rig = await startRig()
    for (const behaviour of [loseAnswer(), fail(500), fail(502)]) {
      rig.server.on({ method: 'DELETE' }, behaviour, { times: 1 })
      rig.server.forget()
      await expect(rig.repository.deleteBlob(descriptor.digest)).rejects.toMatchObject({ name: 'ClientError' })
      expect(rig.server.seen({ method: 'DELETE' })).toHaveLength(1)
    }
    // What nothing was done for is.
    rig.server.on({ method: 'DELETE' }, fail(503), { times: 2 })
    rig.server.forget()
    await expect(rig.repository.deleteBlob(descriptor.digest)).rejects.toMatchObject({ code: 'not-found' })
    expect(rig.server.seen({ method: 'DELETE' })).toHaveLength(3)
  })

  it('says how long to wait where that is longer than allowed, and does not wait', async () => {
    await using rig = await startRig()
    for (const retryAfter of [3600, '99999999999', new Date(Date.now() + 3_600_000)]) {
      const rule = rig.server.on({}, fail(429, { retryAfter }))
      rig.server.forget()
      const error = (await rig.repository.resolve('v1').catch((caught: unknown) => caught)) as ClientError
      expect(error).toMatchObject({ code: 'rate-limited', status: 429 })
      expect(error.retryAfter).toBeGreaterThan(3_590_000)
      expect(rig.server.requests).toHaveLength(1)
      rule.remove()
    }
  })

  it('keeps everybody else quiet as well, for as long as the registry asked', async () => {
    await using rig = await startRig({ host: { concurrency: 8, retry: { attempts: 3, maxDelay: 2000 } } })
    rig.server.on({}, fail(429, { retryAfter: 1 }), { times: 1 })
    const first = rig.repository.hasBlob(descriptor)
    await expect.poll(() => rig.server.requests[0]?.status).toBe(429)
    const others = Promise.all(Array.from({ length: 5 }, async () => rig.repository.hasBlob(descriptor)))
    // A timer that was set for earlier fires earlier, however slow the machine is.
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(rig.server.requests).toHaveLength(1)
    await Promise.all([first, others])
    expect(rig.server.requests).toHaveLength(7)
  })

  it('is not waited for when the caller says stop', async () => {
    await using rig = await startRig({ host: { retry: { attempts: 5, maxDelay: 600_000 } } })
    rig.server.on({}, fail(429, { retryAfter: 2 }), { times: 1 })
    const stop = new AbortController()
    const asking = rig.repository.resolve('v1', { signal: stop.signal, onRetry: () => stop.abort() })
    await expect(asking).rejects.toMatchObject({ code: 'aborted' })
    // Whoever comes next waits for the registry as well, in a lane of one place, and may stop too.
    const others = Array.from({ length: 3 }, async () => {
      const other = new AbortController()
      setImmediate(() => other.abort())
      await expect(rig.repository.resolve('v1', { signal: other.signal })).rejects.toMatchObject({ code: 'aborted' })
    })
    await Promise.all(others)
    expect(rig.server.requests).toHaveLength(1)
  })
})

describe('what hangs', () => {
  it.each([
    ['before anything', hang()],
    ['when it was done', hangAfterRequest()],
  ])('is given up: %s', async (_, behaviour) => {
    await using rig = await startRig({ host: { timeouts: { idle: 50, answer: 50 } } })
    rig.server.on({}, behaviour)
    const put = sampleImage()
    for (const call of [
      async () => rig.repository.resolve('v1'),
      async () => collect(rig.repository.getBlob(descriptor)),
      async () => rig.repository.putManifest(put.descriptor, put.bytes),
      async () => rig.repository.putBlob(descriptor, bytesContent(bytes), { absent: true }),
      async () => rig.repository.deleteBlob(descriptor.digest),
      async () => rig.client.registry(rig.server.host).ping(),
    ]) {
      await expect(call()).rejects.toMatchObject({ code: 'timeout' })
    }
  })

  it('after the head of its answer, or in the middle of it, is given up', async () => {
    await using rig = await startRig({ host: { timeouts: { idle: 50, answer: 50 } } })
    await samples.pushImage(rig.server, 'test/app', 'v1', image)
    for (const behaviour of [hangAfterHead(), hangBodyAfter(5)]) {
      const rule = rig.server.on({}, behaviour)
      for (const call of [
        async () => rig.repository.readManifest('v1'),
        async () => collect(rig.repository.tags()),
        async () => collect(rig.client.registry(rig.server.host).repositories()),
      ]) {
        await expect(call()).rejects.toMatchObject({ code: 'timeout' })
      }
      rule.remove()
    }
    rig.server.on({ path: /blobs/ }, hangAfterHead())
    await expect(
      collect(
        rig.repository.getBlob({ mediaType: 'a/b', digest: image.layer.digest, size: image.layer.bytes.byteLength }),
      ),
    ).rejects.toMatchObject({ code: 'timeout' })
    expect(rig.server.seen({ path: /blobs/ })).toHaveLength(3)
  })

  it('is not waited for when only its status matters', async () => {
    await using rig = await startRig({ host: { timeouts: { idle: 50 } } })
    rig.server.on({ path: /^\/v2\/$/ }, hangBodyAfter(1))
    await rig.client.registry(rig.server.host).ping()
    rig.server.on({ path: /manifests/ }, fail(404))
    rig.server.on({ path: /manifests/ }, hangBodyAfter(5))
    await expect(rig.repository.readManifest('v1')).rejects.toMatchObject({ code: 'not-found' })
  })
})

describe('an error', () => {
  it.each(['huge', 'endless', 'html', 'none', 'text'] as const)('may have a body that is %s', async (body) => {
    await using rig = await startRig()
    rig.server.on({}, fail(403, { body }))
    const error = (await rig.repository.readManifest('v1').catch((caught: unknown) => caught)) as ClientError
    expect(error).toMatchObject({ code: 'denied', status: 403 })
    expect(error.message.length).toBeLessThan(1000)
  })

  it('may break off', async () => {
    await using rig = await startRig()
    rig.server.on({}, fail(403))
    rig.server.on({}, cutBodyAfter(5))
    await expect(rig.repository.readManifest('v1')).rejects.toMatchObject({ code: 'denied', status: 403, errors: [] })
  })

  it.each<[number, string, string | undefined, string]>([
    [400, 'NAME_INVALID', undefined, 'rejected'],
    [401, 'UNAUTHORIZED', undefined, 'unauthorized'],
    [403, 'DENIED', undefined, 'denied'],
    [404, 'MANIFEST_UNKNOWN', 'no such thing', 'not-found'],
    [405, 'UNSUPPORTED', undefined, 'unsupported'],
    [400, 'UNSUPPORTED', undefined, 'unsupported'],
    [409, 'CONFLICT', undefined, 'rejected'],
    [413, 'SIZE_INVALID', undefined, 'too-large'],
    [418, 'TEAPOT', undefined, 'rejected'],
    [429, 'TOOMANYREQUESTS', undefined, 'rate-limited'],
    [400, 'TOOMANYREQUESTS', undefined, 'rate-limited'],
    [501, 'UNSUPPORTED', undefined, 'unsupported'],
    [503, 'UNAVAILABLE', undefined, 'registry-failed'],
    [204, 'NOTHING', undefined, 'invalid-response'],
  ])('%i %s is what it is, in the registry’s own words', async (status, code, message, expected) => {
    await using rig = await startRig()
    rig.server.on({}, fail(status, { code, ...(message === undefined ? {} : { message }) }))
    const error = (await rig.repository.readManifest('v1').catch((caught: unknown) => caught)) as ClientError
    expect(error).toMatchObject({
      name: 'ClientError',
      code: expected,
      status,
      subject: `${rig.server.host}/test/app:v1`,
    })
    if (status === 204) return
    expect(error.errors[0]?.code).toBe(code)
    expect(error.message).toContain(`${status} (${code}: ${message ?? 'told to fail'})`)
  })

  it('moves no cursor', async () => {
    await using rig = await startRig()
    rig.server.on({}, fail(403, { message: 'a\u001b[2Jb\u009b2Jc\r\nd' }))
    await expect(rig.repository.readManifest('v1')).rejects.toThrow('a [2Jb 2Jc d')
  })
})

it('tells each warning once, of each registry', async () => {
  const warnings: RegistryWarning[] = []
  await using rig = await startRig({ client: { onWarning: (warning) => warnings.push(warning) } })
  rig.server.on({}, warn('your \\ "plan" ends', 'übermorgen'))
  for (let count = 0; count < 3; count++) await rig.client.registry(rig.server.host).ping()
  expect(warnings).toEqual([
    { registry: rig.server.host, text: 'your \\ "plan" ends' },
    { registry: rig.server.host, text: 'übermorgen' },
  ])
})
