import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { connect } from 'node:net'
import { createRegistry } from '@stowage/registry'
import { registryPlugin } from '@stowage/registry/fastify'
import { sample } from '@stowage/testkit'
import fastify, { type FastifyServerOptions } from 'fastify'
import { describe, expect, it } from 'vitest'

const start = async (options: FastifyServerOptions = {}) => {
  const registry = await createRegistry({ storage: ':memory:' })
  const app = fastify(options)
  return {
    app,
    registry,
    listen: async (): Promise<string> => {
      await app.listen({ host: '127.0.0.1', port: 0 })
      return `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`
    },
    [Symbol.asyncDispose]: async () => {
      app.server.closeAllConnections()
      await app.close()
      await registry[Symbol.asyncDispose]()
    },
  }
}

/** A request target as no `fetch` would send it. */
const raw = async (url: string, target: string, method = 'GET'): Promise<string> => {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  socket.end(`${method} ${target} HTTP/1.1\r\nHost: registry.test\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`)
  const chunks: Uint8Array[] = []
  socket.on('data', (chunk: Uint8Array) => chunks.push(chunk))
  await once(socket, 'close')
  return Buffer.concat(chunks).toString()
}

describe('registryPlugin', () => {
  it('runs the hooks of the host before, and keeps the headers they set', async () => {
    await using host = await start()
    const ran: string[] = []
    host.app.addHook('onRequest', async (_request, reply) => {
      ran.push('onRequest')
      reply.header('x-host', 'yes').header('vary', 'Origin')
    })
    host.app.addHook('preHandler', async () => void ran.push('preHandler'))
    const responded = new Promise<number>((resolve) => {
      host.app.addHook('onResponse', async (_request, reply) => resolve(reply.statusCode))
    })
    host.app.register(registryPlugin, { registry: host.registry })
    const answer = await fetch(`${await host.listen()}/v2/a/manifests/none`)
    expect(answer.status).toBe(404)
    expect(answer.headers.get('x-host')).toBe('yes')
    expect(answer.headers.get('vary')).toBe('Origin')
    expect(answer.headers.get('content-type')).toBe('application/json')
    expect(ran).toEqual(['onRequest', 'preHandler'])
    expect(await responded).toBe(404)
  })

  it.each(['none', 'text/plain', 'application/json'])('does nothing that the host refused (%s)', async (type) => {
    await using host = await start()
    host.app.addHook('preHandler', async (_request, reply) => reply.code(403).send({ refused: 'by the host' }))
    host.app.register(registryPlugin, { registry: host.registry })
    const url = await host.listen()
    const digest = sample.sha256(Buffer.from('hello'))
    for (const body of ['hello', '']) {
      const init = { method: 'POST', body, headers: { 'content-type': type } }
      const pushed = await fetch(`${url}/v2/a/blobs/uploads/?digest=${digest}`, init)
      expect(await pushed.json()).toEqual({ refused: 'by the host' })
    }
    const inside = await host.registry.fetch(new Request(`http://registry.test/v2/a/blobs/${digest}`))
    expect(inside.status).toBe(404)
  })

  it('shows the hooks of the host the type of a body, and the registry too', async () => {
    await using host = await start()
    const seen: unknown[] = []
    host.app.addHook('preHandler', async (request) => void seen.push(request.headers['content-type']))
    host.app.register(registryPlugin, { registry: host.registry })
    const url = await host.listen()
    const image = sample.image('type')
    for (const { digest, bytes } of [image.config, image.layer]) {
      const pushed = await fetch(`${url}/v2/a/blobs/uploads/?digest=${digest}`, {
        method: 'POST',
        body: bytes,
        headers: { 'content-type': 'none' },
      })
      expect(pushed.status).toBe(201)
    }
    const put = await fetch(`${url}/v2/a/manifests/latest`, {
      method: 'PUT',
      body: image.manifest,
      headers: { 'content-type': 'application/vnd.oci.image.index.v1+json' },
    })
    expect([put.status, await put.json()]).toMatchObject([400, { errors: [{ code: 'MANIFEST_INVALID' }] }])
    expect(seen).toEqual(['none', 'none', 'application/vnd.oci.image.index.v1+json'])
  })

  it('keeps errors of the host the host’s', async () => {
    await using host = await start()
    host.app.setErrorHandler((_error, _request, reply) => void reply.code(418).send({ from: 'the host' }))
    host.app.addHook('onRequest', async () => {
      throw new Error('A hook of the host failed.')
    })
    host.app.register(registryPlugin, { registry: host.registry })
    const answer = await fetch(`${await host.listen()}/v2/`)
    expect([answer.status, await answer.json()]).toEqual([418, { from: 'the host' }])
  })

  it('leaves the parsers and limits of every other route in force', async () => {
    await using host = await start({ bodyLimit: 16 })
    host.app.register(registryPlugin, { registry: host.registry })
    host.app.post('/json', async (request) => request.body)
    const url = await host.listen()
    const post = async (body: string, type: string) =>
      fetch(`${url}/json`, { method: 'POST', body, headers: { 'content-type': type } })
    expect(await (await post('{"a":1}', 'application/json')).json()).toEqual({ a: 1 })
    expect((await post('{"a":"too large for it"}', 'application/json')).status).toBe(413)
    expect((await post('a', 'application/octet-stream')).status).toBe(415)
  })

  it('has a place behind a prefix with parameters, however it is spelled', async () => {
    await using host = await start()
    host.app.register(
      async (scope) => scope.register(registryPlugin, { registry: host.registry, prefix: '/:tenant' }),
      {
        prefix: '/hosted',
      },
    )
    const url = await host.listen()
    for (const prefix of ['/hosted/one', '/hosted/%6fne', '/%68osted/one']) {
      const answer = await raw(url, `${prefix}/v2/a/blobs/uploads/`, 'POST')
      expect(answer).toMatch(/^HTTP\/1.1 202 /)
      expect(answer).toContain(`\r\nlocation: ${prefix}/v2/a/blobs/uploads/`)
    }
  })

  it('takes a whole URL as a target, and puts nothing of its host into a Location', async () => {
    await using host = await start()
    host.app.register(registryPlugin, { registry: host.registry, prefix: '/registry' })
    const answer = await raw(await host.listen(), 'http://evil.test/registry/v2/a/blobs/uploads/', 'POST')
    expect(answer).toMatch(/^HTTP\/1.1 202 /)
    expect(answer).toContain('\r\nlocation: /registry/v2/a/blobs/uploads/')
    expect(answer).not.toContain('evil')
  })

  it('puts back into Locations what the host’s `rewriteUrl` took away', async () => {
    await using host = await start({ rewriteUrl: (request) => (request.url ?? '').replace('/public', '') })
    host.app.register(registryPlugin, { registry: host.registry })
    const answer = await raw(await host.listen(), '/public/v2/a/blobs/uploads/', 'POST')
    expect(answer).toContain('\r\nlocation: /public/v2/a/blobs/uploads/')
  })

  it('answers HEAD and unknown methods itself', async () => {
    await using host = await start()
    host.app.register(registryPlugin, { registry: host.registry })
    const url = await host.listen()
    const image = sample.image('head')
    await fetch(`${url}/v2/a/blobs/uploads/?digest=${image.layer.digest}`, { method: 'POST', body: image.layer.bytes })
    const head = await fetch(`${url}/v2/a/blobs/${image.layer.digest}`, { method: 'HEAD' })
    expect(head.headers.get('content-length')).toBe(String(image.layer.bytes.byteLength))
    const refused = await fetch(`${url}/v2/a/tags/list`, { method: 'PUT', body: '{}' })
    expect([refused.status, refused.headers.get('allow')]).toEqual([405, 'GET, HEAD'])
  })

  it('serves requests that Fastify injects', async () => {
    await using host = await start()
    host.app.register(registryPlugin, { registry: host.registry })
    const digest = sample.sha256(Buffer.from('hello'))
    const pushed = await host.app.inject({
      method: 'POST',
      url: `/v2/a/blobs/uploads/?digest=${digest}`,
      payload: 'hello',
    })
    expect(pushed.statusCode).toBe(201)
    expect((await host.app.inject(`/v2/a/blobs/${digest}`)).body).toBe('hello')
  })
})
