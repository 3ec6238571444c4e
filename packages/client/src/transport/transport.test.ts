import { fail, hang, jsonReply, loseAnswer, sample as samples, startMisbehavingRegistry } from '@stowage/testkit'
import { describe, expect, it } from 'vitest'
import { createClient } from '../client.ts'
import { bytesContent } from '../content/content.ts'
import { collect } from '../content/pages.ts'
import { fresh } from '../testing/contract/fresh.ts'
import { startRig } from '../testing/misbehaving.ts'
import { sample } from '../testing/sample-images.ts'
import { resolveHost } from './hosts.ts'
import { headersOf, urlOf, withoutSecrets } from './request.ts'
import type { Call } from './call.ts'

describe('a lane', () => {
  it('gives back the places of a thousand calls, whatever becomes of them', async () => {
    await using rig = await startRig({ host: { concurrency: 2, retry: { attempts: 1 }, timeouts: { answer: 100 } } })
    const image = samples.image('one')
    await samples.pushImage(rig.server, 'test/app', 'v1', image)
    let [inside, most] = [0, 0]
    rig.server.on({}, async (call, next) => {
      most = Math.max(most, ++inside)
      const outcome = await next(call)
      inside--
      return outcome
    })
    rig.server.on({ path: /v500/ }, fail(500))
    rig.server.on({ path: /vlost/ }, loseAnswer())
    rig.server.on({ path: /vhang/ }, hang(), { times: 3 })
    const layer = { mediaType: 'a/b', digest: image.layer.digest, size: image.layer.bytes.byteLength }
    const works: ((signal: AbortSignal) => Promise<unknown>)[] = [
      async (signal) => rig.repository.resolve('v1', { signal }),
      async (signal) => rig.repository.resolve('v404', { signal }),
      async (signal) => rig.repository.resolve('v500', { signal }),
      async (signal) => rig.repository.resolve('vlost', { signal }),
      async (signal) => rig.repository.resolve('vhang', { signal }),
      async (signal) => rig.repository.readManifest('v1', { signal }),
      async (signal) => collect(rig.repository.getBlob(layer, { signal })),
      async (signal) => {
        for await (const _ of rig.repository.getBlobFrom(layer, 1, { signal })) break
      },
      async (signal) => rig.repository.deleteBlob(layer.digest, { signal }),
      async (signal) => rig.repository.putBlob(layer, bytesContent(image.layer.bytes), { signal }),
    ]
    const results = await Promise.allSettled(
      Array.from({ length: 1000 }, async (_, index) => {
        const stop = new AbortController()
        if (index % 7 === 0) setImmediate(() => stop.abort())
        return works[index % works.length]?.(stop.signal)
      }),
    )
    for (const result of results) {
      if (result.status === 'rejected') expect(result.reason).toMatchObject({ name: 'ClientError' })
    }
    expect(results.filter(({ status }) => status === 'fulfilled').length).toBeGreaterThan(300)
    // One lane for reads, one for what only looks, and one for writes.
    expect(most).toBeLessThanOrEqual(6)
  })

  it('is another one for reads than for writes: a copy within a registry does not wait for itself', async () => {
    await using rig = await startRig({ host: { uploads: { singlePostUpTo: 0 } } })
    const bytes = fresh(500_000)
    const { descriptor } = sample('a/b', bytes)
    await rig.repository.putBlob(descriptor, bytesContent(bytes))
    const other = rig.client.repository(`${rig.server.host}/test/other`)
    const content = { size: 500_000, open: () => rig.repository.getBlob(descriptor) }
    expect(await other.putBlob(descriptor, content)).toBe('uploaded')
  })
})

describe('a question whether something is there', () => {
  it('needs no place of those who read, who may ask it in the middle of that', async () => {
    await using rig = await startRig({ host: { concurrency: 2 } })
    const bytes = fresh(500_000)
    const { descriptor } = sample('a/b', bytes)
    await rig.repository.putBlob(descriptor, bytesContent(bytes))
    const reading = async (): Promise<boolean> => {
      for await (const _ of rig.repository.getBlob(descriptor)) return rig.repository.hasBlob(descriptor)
      return false
    }
    expect(await Promise.all([reading(), reading(), reading()])).toEqual([true, true, true])
  })
})

describe('a call with so many attempts', () => {
  const asking = {
    repository: undefined,
    scopes: [],
    method: 'GET',
    target: '/v2/',
    expect: [200],
    subject: 'x',
  } as const

  it.each([429, 503, 500])('is sent no more often after %i, and no more often than the host allows', async (status) => {
    for (const [attempts, times] of [
      [1, 1],
      [2, 2],
      [9, 3],
    ] as const) {
      await using rig = await startRig()
      rig.server.on({}, fail(status), { times: 10 })
      const { host } = rig.server
      await expect(rig.client.transport.call({ ...asking, registry: host, attempts })).rejects.toMatchObject({ status })
      expect(rig.server.requests).toHaveLength(times)
    }
  })

  it('does not wait for a registry that asked for quiet', async () => {
    await using server = await startMisbehavingRegistry()
    server.on({}, fail(503, { retryAfter: 90 }))
    await using client = createClient({ hosts: { [server.host]: { plainHttp: true, retry: { maxDelay: 100_000 } } } })
    const call = { ...asking, registry: server.host, attempts: 1 }
    await expect(client.transport.call(call)).rejects.toMatchObject({ status: 503 })
    const again = await client.transport.call(call).catch((error: unknown) => error)
    expect(again).toMatchObject({ code: 'rate-limited', subject: 'x' })
    expect((again as { retryAfter: number }).retryAfter).toBeGreaterThan(30_000)
    expect(server.requests).toHaveLength(1)
  })
})

describe('who only listens', () => {
  it('makes no request fail, whatever is thrown there', async () => {
    const thrown: string[] = []
    const failing = (what: string) => (): void => {
      thrown.push(what)
      throw new Error(what)
    }
    await using rig = await startRig({ client: { onWarning: failing('warning'), onTrace: failing('trace') } })
    rig.server.on({}, () => ({ ...jsonReply(200, {}), headers: [['warning', '299 - "hi"']] }))
    await rig.client.registry(rig.server.host).ping()
    expect(thrown).toEqual(['trace', 'warning'])
  })
})

describe('what a registry says of the credentials it was shown', () => {
  it.each<[string, (shown: string) => string]>([
    ['header', (shown) => shown],
    ['value', (shown) => shown.replace('Basic ', '')],
    ['password', () => 'hunter2'],
  ])('does not have their %s when it is passed on', async (_, echo) => {
    await using rig = await startRig({
      server: { auth: { scheme: 'basic', users: { me: 'hunter2' } } },
      client: { credentials: () => ({ kind: 'password', username: 'me', password: 'hunter2' }) },
    })
    rig.server.on({}, (call, next) => {
      const shown = call.headers['authorization']
      if (shown === undefined) return next(call)
      const text = `bad: ${echo(shown)}`
      return jsonReply(400, { errors: [{ code: 'BAD', message: text, detail: { text } }] })
    })
    const error: unknown = await rig.repository.resolve('v1').catch((caught: unknown) => caught)
    const read: unknown = await rig.repository.readManifest('v1').catch((caught: unknown) => caught)
    expect(read).toMatchObject({ status: 400, errors: [{ code: 'BAD', message: expect.stringMatching(/^bad: /) }] })
    const told = JSON.stringify([String(error), error, String(read), read])
    expect(told).not.toMatch(/hunter2/)
    expect(told).not.toContain(btoa('me:hunter2'))
  })
})

describe('what is asked for', () => {
  const host = resolveHost('a.example', { headers: { 'x-key': 'k', accept: 'host/type' } })
  const call = (more: Partial<Call>): Call => ({
    registry: 'a.example',
    repository: undefined,
    scopes: [],
    method: 'GET',
    target: '/v2/',
    expect: [200],
    subject: 'a test',
    ...more,
  })

  it.each([
    ['/v2/a/tags/list', undefined, 'https://a.example/v2/a/tags/list'],
    ['/v2/a/tags/list', { n: '5', last: 'a b&c' }, 'https://a.example/v2/a/tags/list?n=5&last=a+b%26c'],
    ['/v2/x?_state=a%2Bb==&y', { digest: 'sha256:00' }, 'https://a.example/v2/x?_state=a%2Bb==&y&digest=sha256%3A00'],
    ['https://a.example/v2/x?last=%C3%A4', {}, 'https://a.example/v2/x?last=%C3%A4'],
    ['https://a.example:443/v2/', {}, 'https://a.example/v2/'],
  ])('%s %j', (target, query, expected) => {
    expect(urlOf(host, { target, ...(query === undefined ? {} : { query }) })).toBe(expected)
  })

  it.each([
    ['https://b.example/v2/', 'refused'],
    ['http://a.example/v2/', 'refused'],
    ['//b.example/v2/', undefined],
    ['https://u:p@a.example/v2/', 'refused'],
    ['ftp://a.example/', 'refused'],
    ['/v2/a/blobs/../manifests/v1', 'usage'],
    ['/v2/a/./b', 'usage'],
    ['/v2/%2e%2E/b', 'usage'],
    ['/v2/a/..', 'usage'],
    ['/v2/a\\..\\b', 'usage'],
    ['/v2/..a/b..', undefined],
    ['/v2/a?x=../y', undefined],
  ])('never goes elsewhere: %s', (target, code) => {
    if (code === undefined) expect(new URL(urlOf(host, { target })).origin).toBe('https://a.example')
    else expect(() => urlOf(host, { target })).toThrow(expect.objectContaining({ code }))
  })

  it('goes below an endpoint’s path', () => {
    const below = resolveHost('a.example', { endpoint: 'https://b.example/sub' })
    expect(urlOf(below, { target: '/v2/' })).toBe('https://b.example/sub/v2/')
    expect(urlOf(below, { target: 'https://b.example/sub/v2/x?y' })).toBe('https://b.example/sub/v2/x?y')
  })

  it('has the headers of the host, of the call, and those that every request has', () => {
    const headers = headersOf(host, call({ headers: { Accept: 'own/type' } }), 'test/1')
    expect(Object.fromEntries(headers)).toEqual({
      accept: 'host/type, own/type',
      'accept-encoding': 'identity',
      'user-agent': 'test/1',
      'x-key': 'k',
    })
    const content = bytesContent(new Uint8Array(100))
    expect(headersOf(host, call({ content }), 't').get('content-length')).toBe('100')
    expect(headersOf(host, call({ content, offset: 10 }), 't').get('content-length')).toBe('90')
    expect(headersOf(host, call({ content, offset: 10, length: 5 }), 't').get('content-length')).toBe('5')
    expect(headersOf(host, call({ content: { ...content, size: undefined } }), 't').has('content-length')).toBe(false)
  })

  it('takes nothing to strangers but what is needed there', () => {
    const headers = new Headers({
      authorization: 'a',
      cookie: 'b',
      'x-key': 'c',
      range: 'bytes=1-',
      accept: 'd',
      'user-agent': 'e',
    })
    expect(Object.fromEntries(withoutSecrets(headers))).toEqual({ range: 'bytes=1-', accept: 'd', 'user-agent': 'e' })
  })

  it('with a header that is none is an error of the caller, which nobody tries again', async () => {
    await using rig = await startRig()
    const own = call({ registry: rig.server.host, headers: { 'x-secret': 'a\nb' } })
    await expect(rig.client.transport.call(own)).rejects.toMatchObject({ code: 'usage' })
    expect(rig.traces).toEqual([])
  })
})
