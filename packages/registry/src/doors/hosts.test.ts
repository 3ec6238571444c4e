import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import { createRegistry, type Registry, type RegistryOptions } from '@stowage/registry'
import { registryPlugin } from '@stowage/registry/fastify'
import { toNodeHandler } from '@stowage/registry/node'
import { type Answer, sample, type SendOptions } from '@stowage/testkit'
import express from 'express'
import fastify from 'fastify'
import { Hono } from 'hono'
import { describe, expect, it } from 'vitest'

interface Running extends AsyncDisposable {
  readonly url: string
}

const listen = async (server: Server): Promise<Running> => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: async () => {
      await new Promise((resolve) => server.close(resolve).closeAllConnections())
    },
  }
}

/** Programs that have a registry in them, each in the way its documentation says. */
const hosts: readonly {
  readonly name: string
  /** Under `mount`, and with something in front of it that reads every body when it is `greedy`. */
  readonly start: (registry: Registry, mount: string, greedy?: boolean) => Promise<Running>
}[] = [
  {
    name: 'Express',
    start: async (registry, mount, greedy = false) => {
      const app = express()
      if (greedy) app.use(express.json({ type: '*/*', strict: false }), express.raw({ type: '*/*' }))
      if (mount === '') app.use(toNodeHandler(registry))
      else app.use(mount, toNodeHandler(registry))
      app.use(express.json())
      app.post('/echo', (request, response) => void response.json(request.body))
      return listen(createServer(app))
    },
  },
  {
    name: 'Fastify',
    start: async (registry, mount, greedy = false) => {
      // The smallest limits there are: they are the host's and must not touch what is pushed.
      const app = fastify({ bodyLimit: 16, routerOptions: { maxParamLength: 1 } })
      if (greedy) {
        app.addHook('preParsing', async (_request, _reply, payload) => {
          payload.resume()
          await new Promise((resolve) => payload.once('end', resolve))
          return payload
        })
      }
      app.register(registryPlugin, { registry, prefix: mount })
      app.post('/echo', async (request) => request.body)
      await app.listen({ host: '127.0.0.1', port: 0 })
      const { port } = app.server.address() as AddressInfo
      return { url: `http://127.0.0.1:${port}`, [Symbol.asyncDispose]: async () => app.close() }
    },
  },
  {
    name: 'Hono, past its router',
    start: async (registry, mount, greedy = false) => {
      const app = new Hono()
      app.post('/echo', async (context) => context.json(await context.req.json()))
      const others = getRequestListener(app.fetch)
      const handler = toNodeHandler(registry)
      const serve: RequestListener = (req, res) => {
        const url = req.url ?? ''
        if (url.startsWith(`${mount}/`)) Object.assign(req, { url: url.slice(mount.length), originalUrl: url })
        handler(req, res, () => void others(req, res))
      }
      const serveLate: RequestListener = (req, res) => void req.resume().once('end', () => serve(req, res))
      return listen(createServer(greedy ? serveLate : serve))
    },
  },
]

const createQuietRegistry = async (
  options: Partial<RegistryOptions> = {},
): Promise<Registry & { errors: string[] }> => {
  const errors: string[] = []
  const silent = (): void => {}
  const registry = await createRegistry({
    storage: ':memory:',
    logger: { debug: silent, info: silent, warn: silent, error: (_facts, message) => void errors.push(message) },
    ...options,
  })
  return Object.assign(registry, { errors })
}

/** Requests to a place behind `base`, in the shape that the samples of the testkit want. */
const to = (base: string) => ({
  send: async (method: string, target: string, { headers = {}, body }: SendOptions = {}): Promise<Answer> => {
    const stream = typeof body === 'object' && Symbol.asyncIterator in body ? ReadableStream.from(body) : body
    const response = await fetch(`${base}${target}`, {
      method,
      headers,
      redirect: 'manual',
      ...(stream === undefined ? {} : { body: stream as NonNullable<RequestInit['body']>, duplex: 'half' }),
    })
    const bytes = await response.bytes()
    const text = (): string => new TextDecoder().decode(bytes)
    return {
      status: response.status,
      header: (name) => response.headers.get(name),
      bytes,
      text,
      json: () => JSON.parse(text()) as unknown,
    }
  },
})

describe.each(hosts)('a registry in $name', ({ start }) => {
  it.each([{ mount: '' }, { mount: '/registry' }])('under "$mount" has Locations that lead back to it', async (at) => {
    await using registry = await createQuietRegistry()
    await using host = await start(registry, at.mount)
    const { send } = to(host.url)
    const bytes = Buffer.alloc(3_000_000, 'abc')
    const begun = await send('POST', `${at.mount}/v2/a/b/blobs/uploads/`)
    const location = begun.header('location') ?? ''
    expect(location).toMatch(new RegExp(`^${at.mount}/v2/a/b/blobs/uploads/[0-9a-f-]{36}$`))
    async function* pieces(): AsyncGenerator<Uint8Array> {
      yield bytes.subarray(0, 1_000_000)
      yield bytes.subarray(1_000_000)
    }
    const patched = await send('PATCH', location, { body: pieces(), headers: { 'content-type': 'application/json' } })
    expect([patched.status, patched.header('location')]).toEqual([202, location])
    const digest = sample.sha256(bytes)
    const put = await send('PUT', `${location}?digest=${encodeURIComponent(digest)}`)
    expect(put.status).toBe(201)
    const got = await send('GET', put.header('location') ?? '')
    expect(bytes.equals(got.bytes)).toBe(true)

    const image = sample.image('mounted')
    await sample.pushImage(to(`${host.url}${at.mount}`), 'a/b', 'latest', image)
    const pulled = await send('GET', `${at.mount}/v2/a/b/manifests/latest`)
    expect(sample.sha256(pulled.bytes)).toBe(image.digest)
    const listed = await send('GET', `${at.mount}/v2/_catalog?n=1`)
    expect(listed.json()).toEqual({ repositories: ['a/b'] })
  })

  it('leaves the other routes to the host, with its parsers', async () => {
    await using registry = await createQuietRegistry()
    await using host = await start(registry, '')
    const { send } = to(host.url)
    const echo = await send('POST', '/echo', { body: '{"a":1}', headers: { 'content-type': 'application/json' } })
    expect(echo.json()).toEqual({ a: 1 })
    expect((await send('GET', '/v3/')).status).toBe(404)
    expect(registry.errors).toEqual([])
  })

  it.each([{ mount: '' }, { mount: '/registry' }])('under "$mount" refuses a bad target itself', async ({ mount }) => {
    await using registry = await createQuietRegistry()
    await using host = await start(registry, mount)
    for (const path of [
      '/v2/%zz/tags/list',
      '/v2/a%2fb/tags/list',
      '/v2/%ff',
      '/v2/a//b/tags/list',
      '/v2/a%/manifests/x',
    ]) {
      const answer = await to(host.url).send('GET', `${mount}${path}`)
      expect([path, answer.status]).toEqual([path, 400])
      expect(answer.json()).toMatchObject({ errors: [{ code: 'NAME_INVALID' }] })
    }
  })

  it('says at once what is wrong when something read the body before, and still serves pulls', async () => {
    await using registry = await createQuietRegistry()
    await using host = await start(registry, '', true)
    const { send } = to(host.url)
    const remedy = /Mount the registry before body parsers/
    const location = (await send('POST', '/v2/a/blobs/uploads/')).header('location') ?? ''
    const type = { 'content-type': 'application/json' }
    for (const [method, target] of [
      ['PATCH', location],
      ['PUT', `${location}?digest=sha256:${'0'.repeat(64)}`],
      ['POST', `/v2/a/blobs/uploads/?digest=sha256:${'0'.repeat(64)}`],
      ['PUT', '/v2/a/manifests/latest'],
    ] as const) {
      const failed = registry.errors.length
      const answer = await send(method, target, { body: '"the body"', headers: type })
      expect([method, target, answer.status]).toEqual([method, target, 500])
      expect(answer.json()).toMatchObject({ errors: [{ message: expect.stringMatching(remedy) as unknown }] })
      expect(registry.errors.slice(failed)).toEqual([expect.stringMatching(remedy)])
    }
    expect((await send('GET', location)).status).toBe(204)
    expect((await send('GET', '/v2/')).json()).toEqual({ success: true })
    expect((await send('GET', '/v2/a/manifests/latest')).status).toBe(404)
  })
})
