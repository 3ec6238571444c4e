import type { EventEmitter } from 'node:events'
import type { Server } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import type { Readable } from 'node:stream'
import { createAdaptorServer } from '@hono/node-server'
import {
  type BlobStore,
  createRegistry,
  memoryBlobs,
  type RegistryOptions,
  type RequestSummary,
  sqliteMetadata,
} from '@stowage/registry'
import { sample } from '@stowage/testkit'
import { Hono } from 'hono'
import { describe, expect, it } from 'vitest'

const mebibyte = 2 ** 20

/** A Hono application on Node that hands its requests to the registry's `fetch`, as any runtime would. */
const start = async (
  build: (app: Hono, fetch: (request: Request) => Promise<Response>) => void,
  options: Partial<RegistryOptions> = {},
) => {
  const errors: string[] = []
  const silent = (): void => {}
  const registry = await createRegistry({
    storage: ':memory:',
    logger: { debug: silent, info: silent, warn: silent, error: (_facts, message) => void errors.push(message) },
    ...options,
  })
  const app = new Hono()
  build(app, registry.fetch)
  const server = createAdaptorServer({ fetch: app.fetch, overrideGlobalObjects: false }) as Server
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    app,
    errors,
    port,
    url: `http://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: async () => {
      await new Promise((resolve) => server.close(resolve).closeAllConnections())
      await registry[Symbol.asyncDispose]()
    },
  }
}

const plain = (app: Hono, fetch: (request: Request) => Promise<Response>): void => {
  app.all('/v2/*', async (context) => fetch(context.req.raw))
}

const event = async (emitter: EventEmitter, name: string): Promise<unknown> =>
  new Promise((resolve) => emitter.once(name, resolve))

const begin = async (url: string): Promise<string> => {
  const answer = await fetch(`${url}/v2/a/blobs/uploads/`, { method: 'POST' })
  expect(answer.status).toBe(202)
  return answer.headers.get('location') ?? ''
}

describe('a registry behind Hono’s router', () => {
  it('is pushed to and pulled from without a server', async () => {
    await using host = await start(plain)
    const bytes = Buffer.alloc(3 * mebibyte, 'abc')
    const digest = sample.sha256(bytes)
    const pushed = await host.app.request(`/v2/a/blobs/uploads/?digest=${digest}`, { method: 'POST', body: bytes })
    expect([pushed.status, pushed.headers.get('location')]).toEqual([201, `/v2/a/blobs/${digest}`])
    const got = await host.app.request(`/v2/a/blobs/${digest}`)
    expect(got.headers.get('content-length')).toBe(String(bytes.byteLength))
    expect(bytes.equals(await got.bytes())).toBe(true)
    const head = await host.app.request(`/v2/a/blobs/${digest}`, { method: 'HEAD' })
    expect([head.status, head.headers.get('content-length')]).toEqual([200, String(bytes.byteLength)])
  })

  it('under a prefix has Locations that lead back to it when it knows its URL', async () => {
    const publicUrl = 'https://registry.test/registry'
    await using host = await start((app, fetch) => app.mount('/registry', fetch), { publicUrl })
    const digest = sample.sha256(Buffer.from('hello'))
    const upload = `/registry/v2/a/blobs/uploads/?digest=${digest}`
    const pushed = await fetch(`${host.url}${upload}`, { method: 'POST', body: 'hello' })
    expect([pushed.status, pushed.headers.get('location')]).toEqual([201, `${publicUrl}/v2/a/blobs/${digest}`])
    expect(await (await fetch(`${host.url}/registry/v2/a/blobs/${digest}`)).text()).toBe('hello')
  })

  it('keeps the headers that middleware adds', async () => {
    await using host = await start((app, fetch) => {
      app.use(async (context, next) => {
        await next()
        context.header('x-host', 'yes')
      })
      plain(app, fetch)
    })
    expect((await fetch(`${host.url}/v2/`)).headers.get('x-host')).toBe('yes')
    expect((await fetch(`${host.url}/v2/a/manifests/none`)).headers.get('x-host')).toBe('yes')
  })

  it.each(['text', 'json', 'arrayBuffer'] as const)('says at once that middleware read the body as %s', async (way) => {
    await using host = await start((app, fetch) => {
      app.use(async (context, next) => {
        if (context.req.method !== 'GET') await context.req[way]().catch(() => {})
        await next()
      })
      plain(app, fetch)
    })
    const answer = await fetch(`${host.url}/v2/a/blobs/uploads/?digest=sha256:${'0'.repeat(64)}`, {
      method: 'POST',
      body: '{}',
    })
    expect(answer.status).toBe(500)
    expect(await answer.json()).toMatchObject({
      errors: [{ message: expect.stringMatching(/Mount the registry before body parsers/) as unknown }],
    })
    expect(host.errors).toHaveLength(1)
    expect((await fetch(`${host.url}/v2/`)).status).toBe(200)
  })

  it('goes on where the bytes of an upload end whose client went away', async () => {
    const broken = Promise.withResolvers<RequestSummary>()
    await using host = await start(plain, {
      onResponse: (summary) => {
        if (summary.method === 'PATCH') broken.resolve(summary)
      },
    })
    const bytes = Buffer.alloc(mebibyte, 'def')
    const location = await begin(host.url)
    const socket = connect(host.port, '127.0.0.1')
    socket.write(`PATCH ${location} HTTP/1.1\r\nHost: registry.test\r\nContent-Length: ${mebibyte}\r\n\r\n`)
    socket.write(bytes.subarray(0, 300_000), () => socket.destroy())
    expect((await broken.promise).status).toBe(400)

    const status = await fetch(`${host.url}${location}`)
    const from = Number(/^0-(\d+)$/.exec(status.headers.get('range') ?? '')?.[1]) + 1
    expect(from).toBeLessThanOrEqual(300_000)
    const digest = sample.sha256(bytes)
    const closed = await fetch(`${host.url}${location}?digest=${digest}`, {
      method: 'PUT',
      headers: { 'content-range': `${from}-${mebibyte - 1}` },
      body: bytes.subarray(from),
    })
    expect(closed.status).toBe(201)
    expect(host.errors).toEqual([])
  })

  it('ends the reading of a blob whose client went away', async () => {
    const streams: Readable[] = []
    const blobs = memoryBlobs()
    const read: BlobStore['read'] = async (...range) => {
      const given = await blobs.read(...range)
      if (given !== undefined && !(given instanceof Uint8Array)) streams.push(given)
      return given
    }
    const metadata = await sqliteMetadata({ path: ':memory:' })
    await using host = await start(plain, { storage: { metadata, blobs: { ...blobs, read } } })
    const bytes = Buffer.alloc(32 * mebibyte, 'ghi')
    const digest = sample.sha256(bytes)
    await fetch(`${host.url}/v2/a/blobs/uploads/?digest=${digest}`, { method: 'POST', body: bytes })
    const socket = connect(host.port, '127.0.0.1')
    socket.write(`GET /v2/a/blobs/${digest} HTTP/1.1\r\nHost: registry.test\r\n\r\n`)
    await event(socket, 'data')
    socket.destroy()
    const [stream] = streams
    if (stream === undefined) throw new Error('The blob was not given as a stream.')
    if (!stream.closed) await event(stream, 'close')
    expect(stream.readableEnded).toBe(false)
    expect(host.errors).toEqual([])
  })

  it('answers a refusal before the body has come', async () => {
    await using host = await start(plain, { access: { authorize: () => ({ allow: false, challenge: 'Basic' }) } })
    const socket = connect(host.port, '127.0.0.1')
    const chunks: Uint8Array[] = []
    socket.on('data', (chunk: Uint8Array) => chunks.push(chunk))
    socket.on('error', () => {})
    const closed = event(socket, 'close')
    socket.write(`POST /v2/a/blobs/uploads/ HTTP/1.1\r\nHost: registry.test\r\nContent-Length: ${10 * 2 ** 30}\r\n\r\n`)
    const piece = Buffer.alloc(65_536)
    const pump = (): void => {
      while (!socket.destroyed && socket.bytesWritten < 2 ** 30) if (!socket.write(piece)) return
    }
    socket.on('drain', pump)
    pump()
    await closed
    expect(Buffer.concat(chunks).toString()).toMatch(/^HTTP\/1.1 401 .*UNAUTHORIZED/s)
    expect(socket.bytesWritten).toBeLessThan(2 ** 30)
  })
})
