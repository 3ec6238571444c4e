import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import express from 'express'
import fastify from 'fastify'
import { describe, expect, it } from 'vitest'
import { openGuarded } from '../testing/guarded-registry.ts'
import { registryPlugin } from './fastify.ts'
import { type Mountable, toNodeHandler } from './node.ts'

interface Running extends AsyncDisposable {
  readonly url: string
}

/** Hosts whose own pages at the same place are theirs while the registry has no token endpoint. */
const hosts: readonly { name: string; start: (registry: Mountable, mount: string) => Promise<Running> }[] = [
  {
    name: 'Express',
    start: async (registry, mount) => {
      const app = express()
      // A page of another origin is told so by the host's own middleware, too.
      app.use((_request, response, next) => {
        response.vary('Origin')
        next()
      })
      if (mount === '') app.use(toNodeHandler(registry))
      else app.use(mount, toNodeHandler(registry))
      app.use((_request, response) => void response.status(418).send('the host'))
      const server = createServer(app)
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      const { port } = server.address() as AddressInfo
      return {
        url: `http://127.0.0.1:${port}`,
        [Symbol.asyncDispose]: async () => {
          await new Promise((resolve) => server.close(resolve).closeAllConnections())
        },
      }
    },
  },
  ...[false, true].map((ignoreTrailingSlash) => ({
    name: ignoreTrailingSlash ? 'Fastify that ignores trailing slashes' : 'Fastify',
    start: async (registry: Mountable, mount: string): Promise<Running> => {
      const app = fastify({ routerOptions: { ignoreTrailingSlash }, forceCloseConnections: true, bodyLimit: 16 })
      app.addHook('onRequest', async (_request, reply) => void reply.header('vary', 'Origin'))
      app.setNotFoundHandler(async (_request, reply) => reply.code(418).send('the host'))
      app.register(registryPlugin, { registry, prefix: mount })
      return {
        url: await app.listen({ host: '127.0.0.1', port: 0 }),
        [Symbol.asyncDispose]: async () => app.close(),
      }
    },
  })),
]

describe.each(hosts)('the token endpoint in $name', ({ start }) => {
  it.each(['', '/registry'])('is under "%s", where the challenge says that it is', async (mount) => {
    await using guarded = await openGuarded()
    await using host = await start(guarded.registry, mount)
    const challenge = (await fetch(`${host.url}${mount}/v2/`)).headers.get('www-authenticate')
    const realm = /realm="([^"]+)"/.exec(challenge ?? '')?.[1]
    expect(realm).toBe(`${host.url}${mount}/auth/token`)
    for (const slash of ['', '/']) {
      const answer = await fetch(`${realm}${slash}?service=registry.test`, { redirect: 'error' })
      expect([answer.status, await answer.json()]).toMatchObject([200, { token: 'pull' }])
      const body = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: 'good' })
      expect((await fetch(`${realm}${slash}`, { method: 'POST', body, redirect: 'error' })).status).toBe(200)
      expect((await fetch(`${realm}${slash}`, { method: 'HEAD' })).status).toBe(405)
    }
  })

  it('leaves everything beside it to the host, and its place too where it is not', async () => {
    for (const [options, paths] of [
      [{}, ['/auth', '/auth/token/x', '/auth/tokens']],
      [{ realm: 'https://auth.example/token' }, ['/auth/token', '/auth/token/']],
      [{ login: false as const }, ['/auth/token', '/auth/token/']],
    ] as const) {
      await using guarded = await openGuarded(options)
      await using host = await start(guarded.registry, '')
      for (const path of paths) {
        const answer = await fetch(`${host.url}${path}?a=/v2/`)
        expect([path, answer.status, await answer.text()]).toEqual([path, 418, 'the host'])
      }
    }
  })

  it('is the host’s where a registry says nothing of what it handles', async () => {
    await using guarded = await openGuarded()
    await using host = await start({ fetch: guarded.registry.fetch }, '')
    expect((await fetch(`${host.url}/auth/token`)).status).toBe(418)
    expect((await fetch(`${host.url}/v2/`)).status).toBe(401)
    expect((await fetch(`${host.url}/v2?a`)).status).toBe(401)
  })

  it('keeps the host’s `Vary` beside that of the registry', async () => {
    await using guarded = await openGuarded()
    await using host = await start(guarded.registry, '')
    const authorization = `Basic ${Buffer.from('ann:secret').toString('base64')}`
    const hello = 'sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824'
    const pushed = await fetch(`${host.url}/v2/a/blobs/uploads/?digest=${hello}`, {
      method: 'POST',
      body: 'hello',
      headers: { authorization },
    })
    expect(pushed.status).toBe(201)
    const pulled = await fetch(`${host.url}/v2/a/blobs/${hello}`, { headers: { authorization } })
    expect(pulled.headers.get('vary')).toBe('Authorization, Origin')
  })
})
