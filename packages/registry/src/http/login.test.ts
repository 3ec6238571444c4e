import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { connect as connectHttp2, createServer as createHttp2Server } from 'node:http2'
import { createServer as createTlsServer, request as tlsRequest } from 'node:https'
import type { AddressInfo } from 'node:net'
import { selfSigned } from '@stowage/testkit'
import { describe, expect, it, test } from 'vitest'
import type { RequestInfo } from '../access/access.ts'
import { toNodeHandler } from '../doors/node.ts'
import { createClientAddress } from '../limits/proxies.ts'
import { type Fault, RegistryError } from '../errors.ts'
import { createRate } from '../limits/rate.ts'
import { type Answer, openGuarded } from '../testing/guarded-registry.ts'

type Http2Listener = NonNullable<Parameters<typeof createHttp2Server>[0]>

const digest = `sha256:${'0'.repeat(64)}`
const upload = '/v2/private/blobs/uploads/00000000-0000-4000-8000-000000000000'
const host = { host: 'registry.test' }

const challengeOf = (scope: string, error = ''): string =>
  `Bearer realm="http://registry.test/auth/token",service="registry.test",scope="${scope}"${error === '' ? '' : `,error="${error}"`}`

describe('a request without credentials', () => {
  test.each([
    ['GET', '/v2/', 'registry:api:ping'],
    ['HEAD', '/v2', 'registry:api:ping'],
    ['GET', '/v2/_catalog', 'registry:catalog:*'],
    ['GET', '/v2/private/tags/list', 'repository:private:pull'],
    ['HEAD', '/v2/private/manifests/latest', 'repository:private:pull'],
    ['GET', `/v2/private/blobs/${digest}`, 'repository:private:pull'],
    ['GET', `/v2/a/b/c/referrers/${digest}`, 'repository:a/b/c:pull'],
    ['PUT', '/v2/private/manifests/latest', 'repository:private:pull,push'],
    ['POST', `/v2/private/blobs/uploads/?mount=${digest}&from=other`, 'repository:private:pull,push'],
    ['PATCH', upload, 'repository:private:pull,push'],
    ['DELETE', upload, 'repository:private:pull,push'],
    ['DELETE', '/v2/private/manifests/latest', 'repository:private:delete'],
    ['DELETE', `/v2/private/blobs/${digest}`, 'repository:private:delete'],
  ])('%s %s is told where to log in for %s', async (method, path, scope) => {
    await using guarded = await openGuarded()
    const answer = await guarded.send(method, path, { headers: host })
    expect([answer.status, answer.headers['www-authenticate']]).toEqual([401, challengeOf(scope)])
    // What may not be seen is not named, be it there or not.
    expect(answer.text).not.toMatch(/private|latest|sha256|other/)
    if (method !== 'HEAD') expect(JSON.parse(answer.text)).toMatchObject({ errors: [{ code: 'UNAUTHORIZED' }] })
  })

  it('is asked to log in before its path is looked at, but names no repository that cannot be one', async () => {
    await using guarded = await openGuarded()
    for (const name of ['UPPER', 'a..b', `a"b`, 'a,b', '_x']) {
      const answer = await guarded.send('GET', `/v2/${name}/tags/list`, { headers: host })
      expect([name, answer.status, answer.headers['www-authenticate']]).toEqual([name, 400, undefined])
    }
  })

  it('is served where everybody may', async () => {
    await using guarded = await openGuarded()
    expect((await guarded.send('GET', '/v2/public/tags/list')).status).toBe(404)
  })
})

describe('a request with credentials', () => {
  test.each([
    ['a token for something else', 'Bearer pull', challengeOf('repository:private:pull,push', 'insufficient_scope')],
    ['a token that is none', 'Bearer hunter2', challengeOf('repository:private:pull,push', 'invalid_token')],
    ['no token at all', 'Bearer', challengeOf('repository:private:pull,push', 'invalid_token')],
    [
      'a wrong password',
      `Basic ${Buffer.from('ann:hunter2').toString('base64')}`,
      challengeOf('repository:private:pull,push'),
    ],
    ['no base64', 'Basic !', challengeOf('repository:private:pull,push')],
  ])('that are %s is a 401 that says so', async (_, authorization, challenge) => {
    await using guarded = await openGuarded()
    const answer = await guarded.send('POST', '/v2/private/blobs/uploads/', { headers: { ...host, authorization } })
    expect([answer.status, answer.headers['www-authenticate']]).toEqual([401, challenge])
    expect(answer.text).not.toMatch(/hunter2|private/)
  })

  it('that are right but not for this is a 403 that names nothing', async () => {
    await using guarded = await openGuarded()
    const answer = await guarded.send('GET', `/v2/other/blobs/${digest}`, { headers: { authorization: 'Bearer pull' } })
    expect([answer.status, answer.headers['www-authenticate']]).toEqual([403, undefined])
    expect(answer.text).not.toMatch(/other|sha256/)
  })

  it('leaves an upload as it was when they are not enough', async () => {
    await using guarded = await openGuarded()
    const begun = await guarded.send('POST', '/v2/private/blobs/uploads/', {
      headers: { authorization: 'Bearer push' },
    })
    const location = String(begun.headers.location)
    const sent = { body: 'hello' }
    for (const method of ['PATCH', 'PUT', 'DELETE']) {
      expect((await guarded.send(method, `${location}?digest=${digest}`, sent)).status).toBe(401)
    }
    const status = await guarded.send('GET', location, { headers: { authorization: 'Bearer push' } })
    expect([status.status, status.headers.range]).toEqual([204, '0-0'])
  })
})

describe('the realm of the challenge', () => {
  const realm = ({ headers }: Answer): string | undefined =>
    /realm="([^"]*)"/.exec(String(headers['www-authenticate']))?.[1]

  it('is what the operator says', async () => {
    await using named = await openGuarded({ publicUrl: 'https://r.example/base' })
    expect(realm(await named.send('GET', '/v2/'))).toBe('https://r.example/base/auth/token')
    await using external = await openGuarded({ realm: 'https://auth.example/token' })
    expect(realm(await external.send('GET', '/v2/'))).toBe('https://auth.example/token')
  })

  it('is at the host that was called, as far as that can be one', async () => {
    await using guarded = await openGuarded()
    expect(realm(await guarded.send('GET', '/v2/'))).toBe(`http://127.0.0.1:${guarded.port}/auth/token`)
    for (const name of ['evil", scope="x', 'a b', 'user@host']) {
      const answer = await guarded.send('GET', '/v2/', { headers: { host: name } })
      expect([name, answer.headers['www-authenticate']]).toEqual([name, 'Basic realm="registry.test"'])
    }
  })

  it('is of the origin of a web request', async () => {
    await using guarded = await openGuarded()
    const { headers } = await guarded.registry.fetch(new Request('https://registry.test:8443/v2/'))
    expect(headers.get('www-authenticate')).toContain('realm="https://registry.test:8443/auth/token"')
  })

  it('is what proxies say when they are trusted, and only then', async () => {
    const forwarded = {
      'x-forwarded-for': '198.51.100.7',
      'x-forwarded-proto': 'https',
      'x-forwarded-host': 'r.example',
    }
    await using plain = await openGuarded({ clientAddress: createClientAddress({ trusted: [] }) })
    expect(realm(await plain.send('GET', '/v2/', { headers: { ...host, ...forwarded } }))).toBe(
      'http://registry.test/auth/token',
    )
    await using behind = await openGuarded({ clientAddress: createClientAddress({ trusted: ['127.0.0.1'] }) })
    expect(realm(await behind.send('GET', '/v2/', { headers: { ...host, ...forwarded } }))).toBe(
      'https://r.example/auth/token',
    )
  })
})

describe('a host’s own access control', () => {
  it('keeps the challenge that it gives', async () => {
    const challenge = 'Basic realm="mine"'
    await using guarded = await openGuarded({ access: { authorize: () => ({ allow: false, challenge }) } })
    expect((await guarded.send('GET', '/v2/')).headers['www-authenticate']).toBe(challenge)
  })

  it('can ask for the registry’s, which is Basic where the registry has no accounts', async () => {
    const access = { authorize: () => ({ allow: false, login: 'required' }) as const }
    await using guarded = await openGuarded({ access })
    expect((await guarded.send('GET', '/v2/', { headers: host })).headers['www-authenticate']).toBe(
      challengeOf('registry:api:ping'),
    )
    await using without = await openGuarded({ access, login: false })
    expect((await without.send('GET', '/v2/')).headers['www-authenticate']).toBe('Basic realm="registry"')
  })

  it('sees the address of the client', async () => {
    const seen: (string | undefined)[] = []
    const access = {
      authenticate: ({ remoteAddress }: RequestInfo) => {
        seen.push(remoteAddress)
        return { kind: 'anonymous', name: 'anonymous' } as const
      },
    }
    for (const trusted of [[], ['127.0.0.0/8']]) {
      await using guarded = await openGuarded({ access, clientAddress: createClientAddress({ trusted }) })
      await guarded.send('GET', '/v2/', { headers: { 'x-forwarded-for': '203.0.113.9, 198.51.100.7' } })
    }
    expect(seen).toEqual(['127.0.0.1', '198.51.100.7'])
  })
})

describe('too many requests', () => {
  const basic = (name: string): string => `Basic ${Buffer.from(`${name}:secret`).toString('base64')}`
  const open = async (): ReturnType<typeof openGuarded> =>
    openGuarded({
      rate: createRate({ rate: 0.1, burst: 2, now: () => 0 }),
      clientAddress: createClientAddress({ trusted: ['127.0.0.1'] }),
    })

  it('of one principal from one network are answered 429, and nobody else is held up', async () => {
    await using guarded = await open()
    const send = async (name: string, address: string): Promise<Answer> =>
      guarded.send('GET', '/v2/', { headers: { authorization: basic(name), 'x-forwarded-for': address } })
    expect((await send('ann', '192.0.2.1')).status).toBe(200)
    expect((await send('ann', '192.0.2.2')).status).toBe(200)
    const refused = await send('ann', '192.0.2.3')
    expect([refused.status, refused.headers['retry-after'], JSON.parse(refused.text)]).toMatchObject([
      429,
      '10',
      { errors: [{ code: 'TOOMANYREQUESTS' }] },
    ])
    expect((await send('ann', '198.51.100.1')).status).toBe(200)
    expect((await send('bob', '192.0.2.1')).status).toBe(200)
  })

  it('with wrong credentials, or with none, are those of nobody', async () => {
    await using guarded = await open()
    const get = async (authorization?: string): Promise<number> =>
      (await guarded.send('GET', '/v2/', { headers: authorization === undefined ? {} : { authorization } })).status
    expect([await get('Bearer hunter2'), await get(), await get('Basic !'), await get()]).toEqual([401, 401, 429, 429])
    expect(await get(basic('ann'))).toBe(200)
  })

  test.each<Fault>(['unauthorized', 'too-many-requests', 'overloaded'])(
    'whose login fails with %s are those of nobody',
    async (fault) => {
      await using guarded = await openGuarded({
        access: { authenticate: () => Promise.reject(new RegistryError(fault, 'Not now.')) },
        rate: createRate({ rate: 0.1, burst: 2, now: () => 0 }),
      })
      const texts = []
      for (let round = 0; round < 3; round++) texts.push((await guarded.send('GET', '/v2/')).text)
      expect(texts.map((text) => text.includes('too many requests'))).toEqual([false, false, true])
    },
  )

  it('for tokens are counted too, and do not reach the token service', async () => {
    await using guarded = await open()
    const statuses = []
    for (let round = 0; round < 3; round++) statuses.push((await guarded.send('GET', '/auth/token')).status)
    expect(statuses).toEqual([200, 200, 429])
    expect(guarded.asked).toHaveLength(2)
    const refused = await guarded.send('GET', '/auth/token')
    expect([refused.headers['retry-after'], JSON.parse(refused.text)]).toMatchObject([
      '10',
      { error: 'temporarily_unavailable' },
    ])
  })
})

describe('a server that speaks more than plain HTTP/1', () => {
  it('over TLS has its endpoint there', async () => {
    await using guarded = await openGuarded()
    const server = createTlsServer(selfSigned(), toNodeHandler(guarded.registry))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    const outgoing = tlsRequest({
      host: '127.0.0.1',
      port,
      path: '/v2/',
      rejectUnauthorized: false,
      agent: false,
    }).end()
    const [answer] = (await once(outgoing, 'response')) as [IncomingMessage]
    answer.resume()
    expect(answer.headers['www-authenticate']).toContain(`realm="https://127.0.0.1:${port}/auth/token"`)
    await new Promise((resolve) => server.close(resolve).closeAllConnections())
  })

  it('as HTTP/2 knows its host by `:authority`', async () => {
    await using guarded = await openGuarded()
    const server = createHttp2Server(toNodeHandler(guarded.registry) as unknown as Http2Listener)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    const session = connectHttp2(`http://127.0.0.1:${port}`)
    const [headers] = (await once(session.request({ ':path': '/v2/' }).end(), 'response')) as [Record<string, string>]
    expect(headers['www-authenticate']).toContain(`realm="http://127.0.0.1:${port}/auth/token"`)
    session.destroy()
    await new Promise((resolve) => server.close(resolve))
  })
})
