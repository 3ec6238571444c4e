import { createServer as createHttpServer, type Server } from 'node:http'
import { createServer, type Server as SecureServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { selfSigned } from '@stowage/testkit'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { createClient } from '../client.ts'
import { createNodeFetch, type TlsOptions } from './node-fetch.ts'
import { createClient as createNodeClient } from './create-client.ts'

const own = selfSigned()
const closing: (Server | SecureServer)[] = []

const listen = async (server: Server | SecureServer): Promise<string> => {
  closing.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

afterEach(async () => {
  vi.unstubAllEnvs()
  for (const server of closing.splice(0)) {
    await new Promise((resolve) => server.close(resolve).closeAllConnections())
  }
})

const ping = async (host: string, tls: Record<string, TlsOptions>, plainHttp = false): Promise<void> => {
  await using node = createNodeFetch({ tls })
  await using client = createClient({ fetch: node.fetch, hosts: { [host]: { plainHttp, retry: { attempts: 1 } } } })
  await client.registry(host).ping()
}

const codeOf = async (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => undefined,
    (error: { code?: unknown }) => error.code,
  )

describe('TLS', () => {
  it('trusts nobody that it was not told to trust, and says how to', async () => {
    const host = await listen(createServer(own, (_, response) => void response.end('{}')))
    await expect(ping(host, {})).rejects.toMatchObject({
      code: 'network',
      hint: expect.stringContaining('Give the CA'),
    })
    const other = selfSigned()
    await expect(ping(host, { [host]: { ca: other.cert } })).rejects.toMatchObject({ code: 'network' })
    await expect(ping(host, { 'another.example': { ca: own.cert } })).rejects.toMatchObject({ code: 'network' })
    await ping(host, { [host]: { ca: own.cert } })
    await ping(host, { [host]: { ca: [Buffer.from(own.cert), other.cert] } })
    await ping(host, { '*': { ca: own.cert } })
    await ping(host, { [host]: { insecure: true } })
  })

  it('shows a certificate of its own where there is one', async () => {
    const mine = selfSigned()
    const options = { ...own, ca: mine.cert, requestCert: true, rejectUnauthorized: true }
    const host = await listen(createServer(options, (_, response) => void response.end('{}')))
    await expect(ping(host, { [host]: { ca: own.cert } })).rejects.toMatchObject({ code: 'network' })
    await ping(host, { [host]: { ca: own.cert, cert: mine.cert, key: Buffer.from(mine.key) } })
  })

  it.each(['by a redirect', 'for a token'])(
    'has of what is for all others the authorities alone where a registry leads %s',
    async (why) => {
      const mine = selfSigned()
      const shown: boolean[] = []
      const wanting = { ...own, requestCert: true, rejectUnauthorized: false }
      const trap = await listen(
        createServer(wanting, (request, response) => {
          shown.push(Object.keys((request.socket as TLSSocket).getPeerCertificate()).length > 0)
          response.end('{"token":"t"}')
        }),
      )
      const leading = createServer(own, ({ headers }, response) => {
        if (why === 'by a redirect') response.writeHead(307, { location: `https://${trap}/` })
        else if (headers.authorization !== 'Bearer t') {
          response.writeHead(401, { 'www-authenticate': `Bearer realm="https://${trap}/token"` })
        }
        response.end()
      })
      const host = await listen(leading)
      const pair = { cert: mine.cert, key: mine.key }
      for (const [others, code] of [
        [{ ...pair, insecure: true }, 'network'],
        [{ ...pair, ca: own.cert }, undefined],
      ] as const) {
        expect(await codeOf(ping(host, { '*': others }))).toBe(code)
        expect(await codeOf(ping(host, { '*': others, [host]: { ca: own.cert } }))).toBe(code)
      }
      expect(shown).toEqual([false, false])
      await ping(trap, { '*': { ...pair, ca: own.cert } })
      await ping(host, { [host]: { ca: own.cert }, [trap]: { ...pair, ca: own.cert } })
      expect(shown).toEqual([false, false, true, true])
    },
  )

  it('says that a registry speaks plain HTTP', async () => {
    const host = await listen(createHttpServer((_, response) => void response.end('{}')))
    await expect(ping(host, {})).rejects.toMatchObject({ hint: expect.stringContaining('plain HTTP, say so') })
    await ping(host, {}, true)
  })
})

describe('a proxy', () => {
  it('of the environment is used, unless it is not wanted or not for this host', async () => {
    const seen: string[] = []
    const proxy = createHttpServer((request, response) => {
      seen.push(request.url ?? '')
      response.end('{}')
    })
    proxy.on('connect', (request, socket) => {
      seen.push(request.url ?? '')
      socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n')
    })
    const address = await listen(proxy)
    vi.stubEnv('http_proxy', `http://${address}`)
    vi.stubEnv('HTTP_PROXY', `http://${address}`)
    for (const [noProxy, use, through] of [
      ['', true, true],
      ['', false, false],
      ['registry.test', true, false],
    ] as const) {
      vi.stubEnv('no_proxy', noProxy)
      vi.stubEnv('NO_PROXY', noProxy)
      seen.length = 0
      await using client = createNodeClient({
        proxy: use,
        credentials: () => undefined,
        hosts: { 'registry.test': { plainHttp: true, retry: { attempts: 1 } } },
      })
      await client
        .registry('registry.test')
        .ping()
        .catch(() => {})
      expect(seen.length > 0).toBe(through)
    }
  })
})

describe('a client of Node', () => {
  it.each<[object, RegExp]>([
    [
      { hosts: { 'a.example': { tls: { cacert: 'x' } } } },
      /hosts\["a\.example"\]\.tls\.cacert is not an option; there are ca/,
    ],
    [{ hosts: { 'a.example': { tls: { cert: 'x' } } } }, /needs both cert and key/],
    [{ hosts: { 'a.example': { tls: { ca: own.cert } } }, fetch: async () => new Response() }, /fetch of your own/],
    [{ hosts: { 'a.example': { tls: { ca: own.cert }, endpoint: 'nonsense' } } }, /endpoint must be/],
    [{ hosts: { 'a.example': { tls: 5 } } }, /tls must be an object/],
    [{ hosts: { 'a.example': { tls: null } } }, /tls must be an object/],
    [{ hosts: { 'a.example': { tls: { ca: 'nonsense' } } } }, /ca is not PEM/],
    [{ hosts: { 'a.example': { tls: { ca: [own.cert, 'nonsense'] } } } }, /ca is not PEM/],
    [{ hosts: { 'a.example': { tls: { cert: own.cert, key: selfSigned().key } } } }, /the key is not that of/],
    [{ hosts: { 'a.example': { tls: { insecure: 'yes' } } } }, /insecure must be/],
    [{ hosts: { 'a.example': null } }, /must be an object/],
    [{ hosts: 5 }, /hosts must be/],
    [{ proxy: 'no' }, /proxy must be a boolean/],
    [{ prxy: true }, /prxy is not an option/],
  ])('has no such options: %#', (options, message) => {
    expect(() => createNodeClient(options as never)).toThrow(message)
    expect(() => createNodeClient(options as never)).toThrow(
      expect.objectContaining({ name: 'ClientError', code: 'usage' }),
    )
  })

  it('keeps certificates of one host for that host, by the address it is reached at', async () => {
    const host = await listen(createServer(own, (_, response) => void response.end('{}')))
    await using client = createNodeClient({
      credentials: () => undefined,
      hosts: {
        'registry.test': { endpoint: `https://${host}`, tls: { ca: own.cert } },
        [host]: { retry: { attempts: 1 } },
      },
    })
    await client.registry('registry.test').ping()
    await using other = createNodeClient({
      credentials: () => undefined,
      hosts: { [host]: { retry: { attempts: 1 } } },
    })
    await expect(other.registry(host).ping()).rejects.toMatchObject({ code: 'network' })
  })

  it('has nothing of what is for all others for a registry that is listed', async () => {
    const host = await listen(createServer(own, (_, response) => void response.end('{}')))
    const retry = { attempts: 1 }
    const all = { '*': { retry, tls: { insecure: true } } }
    await using others = createNodeClient({ credentials: () => undefined, hosts: all })
    await others.registry(host).ping()
    await using listed = createNodeClient({ credentials: () => undefined, hosts: { ...all, [host]: { retry } } })
    await expect(listed.registry(host).ping()).rejects.toMatchObject({ code: 'network' })
  })

  it('closes what it has opened', async () => {
    const server = createHttpServer((_, response) => void response.end('{}'))
    const host = await listen(server)
    const client = createNodeClient({ credentials: () => undefined, hosts: { [host]: { plainHttp: true } } })
    await client.registry(host).ping()
    await client[Symbol.asyncDispose]()
    await vi.waitFor(async () => {
      const open = await new Promise<number>((resolve) => server.getConnections((_, count) => resolve(count)))
      expect(open).toBe(0)
    })
  })
})
