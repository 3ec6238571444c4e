import {
  brokenChallenges,
  challenge,
  type ChallengeForm,
  challengeForms,
  fail,
  hang,
  type MisbehavingRegistry,
  sample,
  startMisbehavingRegistry,
} from '@stowage/testkit'
import { afterEach, describe, expect, it, test, vi } from 'vitest'
import {
  type Client,
  type ClientOption,
  type Method,
  NewClient,
  type Response,
  WithAuthScope,
  WithDefaultName,
  WithRetryCallback,
  WithUsernamePassword,
} from './index.ts'

const users = { dinosaur: 'rawr and roar' }
const me = WithUsernamePassword('dinosaur', 'rawr and roar')
const bytes = new TextEncoder().encode('hello')
const digest = sample.sha256(bytes)
type Auth = NonNullable<NonNullable<Parameters<typeof startMisbehavingRegistry>[0]>['auth']>

const start = async (auth: Partial<Auth> = {}): Promise<MisbehavingRegistry> =>
  startMisbehavingRegistry({ auth: { scheme: 'bearer', users, ...auth } })
const connect = (server: MisbehavingRegistry, ...options: readonly ClientOption[]): Client =>
  NewClient(server.url, WithDefaultName('a/app'), ...options)
const ask = async (client: Client, method: Method = 'GET', path = '/v2/<name>/tags/list'): Promise<Response> =>
  client.Do(client.NewRequest(method, path))
const push = async (client: Client, body: unknown = bytes): Promise<Response> =>
  client.Do(
    client
      .NewRequest('POST', '/v2/<name>/blobs/uploads/')
      .SetQueryParam('digest', digest)
      .SetBody(body as Uint8Array),
  )
const codes = (server: MisbehavingRegistry): unknown[] =>
  server.requests.map(({ method, target, status }) => `${method} ${target.replace(/\?.*/, '')} ${status}`)

describe('a Bearer challenge', () => {
  afterEach(() => vi.useRealTimers())

  it('is answered once, and the token is shown from then on', async () => {
    await using server = await start()
    const client = connect(server, me)
    expect((await push(client)).status).toBe(201)
    expect((await push(client)).status).toBe(201)
    expect((await ask(client, 'GET', `/v2/<name>/blobs/${digest}`)).text()).toBe('hello')
    expect((await ask(client, 'HEAD', `/v2/<name>/blobs/${digest}`)).status).toBe(200)
    expect(codes(server)).toEqual([
      'POST /v2/a/app/blobs/uploads/ 401',
      'GET /token 200',
      'POST /v2/a/app/blobs/uploads/ 201',
      'POST /v2/a/app/blobs/uploads/ 201',
      `GET /v2/a/app/blobs/${digest} 401`,
      'GET /token 200',
      `GET /v2/a/app/blobs/${digest} 200`,
      `HEAD /v2/a/app/blobs/${digest} 200`,
    ])
    expect(server.tokens.requests.map(({ service, scopes, user }) => [service, scopes, user])).toEqual([
      ['registry.test', ['repository:a/app:pull,push'], 'dinosaur'],
      ['registry.test', ['repository:a/app:pull'], 'dinosaur'],
    ])
  })

  it('of a mount asks for both repositories', async () => {
    await using server = await start()
    const client = connect(server, me)
    await push(client)
    const mount = client.NewRequest('POST', '/v2/b/blobs/uploads/')
    const response = await client.Do(mount.SetQueryParam('mount', digest).SetQueryParam('from', 'a/app'))
    expect(response.status).toBe(201)
    expect(server.tokens.requests.at(-1)?.scopes).toEqual(['repository:b:pull,push', 'repository:a/app:pull'])
  })

  it('of another repository needs another token, and a known scope needs none', async () => {
    await using server = await start()
    const client = connect(server, me)
    await ask(client, 'GET', '/v2/a/tags/list')
    await ask(client, 'GET', '/v2/b/tags/list')
    await ask(client, 'GET', '/v2/a/manifests/x')
    // PUT needs what POST needed.
    await push(client)
    await ask(client, 'PUT', '/v2/<name>/manifests/x')
    expect(server.tokens.requests).toHaveLength(3)
  })

  it('is answered once by many requests at the same time', async () => {
    await using server = await start()
    const client = connect(server, me)
    const answers = await Promise.all(Array.from({ length: 20 }, async () => ask(client)))
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([404]))
    expect(server.tokens.requests).toHaveLength(1)
  })

  it('goes on when the request that asked for the token was told to stop', async () => {
    await using server = await start()
    const client = connect(server, me)
    const hanging = server.on({ path: /^\/token/ }, hang(), { times: 1 })
    const stop = new AbortController()
    const first = client.Do(client.NewRequest('GET', '/v2/<name>/tags/list'), { signal: stop.signal })
    await expect.poll(() => hanging.hits).toBe(1)
    const second = ask(client)
    await expect.poll(() => server.seen({ path: /tags/ })).toHaveLength(2)
    stop.abort()
    await expect(first).rejects.toThrow(expect.objectContaining({ code: 'aborted' }))
    expect((await second).status).toBe(404)
  })

  it('stops when it is told to, though another request waits for the same token', async () => {
    await using server = await start()
    const client = connect(server, me)
    const hanging = server.on({ path: /^\/token/ }, hang(), { times: 1 })
    const [one, other] = [new AbortController(), new AbortController()]
    const first = client.Do(client.NewRequest('GET', '/v2/<name>/tags/list'), { signal: one.signal })
    await expect.poll(() => hanging.hits).toBe(1)
    const second = client.Do(client.NewRequest('GET', '/v2/<name>/tags/list'), { signal: other.signal })
    await expect.poll(() => server.seen({ path: /tags/ })).toHaveLength(2)
    other.abort()
    await expect(second).rejects.toThrow(expect.objectContaining({ code: 'aborted' }))
    one.abort()
    await expect(first).rejects.toThrow(expect.objectContaining({ code: 'aborted' }))
  })

  it('gets a new token when the old one is refused, and when its time is over', async () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    await using server = await start({ lifetime: 100 })
    const client = connect(server, me)
    await ask(client)
    server.tokens.expireAll()
    expect((await ask(client)).status).toBe(404)
    expect(server.tokens.requests).toHaveLength(2)
    // A tenth of its time is left for the way.
    vi.setSystemTime(Date.now() + 91_000)
    server.forget()
    expect((await ask(client)).status).toBe(404)
    // It knew: no 401.
    expect(codes(server)).toEqual(['GET /token 200', 'GET /v2/a/app/tags/list 404'])
  })

  test.each(Object.entries(challengeForms))('in the form %s is understood', async (_, form: ChallengeForm) => {
    await using server = await start({ challenge: form })
    const client = connect(server, me)
    expect((await ask(client)).status).toBe(404)
    expect((await push(client)).status).toBe(201)
    expect((await ask(client, 'DELETE', `/v2/<name>/blobs/${digest}`)).status).toBe(202)
  })

  it('without its name, as the registry of the Python page sends it, is understood', async () => {
    const form: ChallengeForm = (facts) => challengeForms.usual(facts).map((line) => line.replace('Bearer ', ''))
    await using server = await start({ challenge: form })
    expect((await ask(connect(server, me))).status).toBe(404)
  })

  test.each(brokenChallenges)('that is broken (%s) ends, and shows nobody anything', async (line) => {
    await using server = await start()
    server.on({}, challenge(line))
    const outcome = await ask(connect(server, me)).then(
      ({ status }) => status,
      (error: { code: string }) => error.code,
    )
    expect([401, 'invalid-response', 'refused', 'network']).toContain(outcome)
    expect(server.leaks).toEqual([])
  })

  it('is answered without credentials where nobody gave any', async () => {
    await using server = await start({ may: (_user, { action }) => action === 'pull' })
    const client = connect(server)
    expect((await ask(client)).status).toBe(404)
    const refused = await push(client)
    expect([refused.IsUnauthorized(), refused.Errors()[0]?.code]).toEqual([true, 'UNAUTHORIZED'])
    expect(server.tokens.requests.map(({ user }) => user)).toEqual([undefined, undefined])
  })

  it('that wrong credentials are no answer to is the answer', async () => {
    await using server = await start()
    const response = await ask(connect(server, WithUsernamePassword('dinosaur', 'wrong')))
    expect([response.IsUnauthorized(), response.Errors()[0]?.message]).toEqual([true, 'authentication required'])
    expect(codes(server)).toEqual(['GET /v2/a/app/tags/list 401', 'GET /token 401'])
  })

  it('that never ends is answered once', async () => {
    await using server = await start()
    server.on({ path: /^\/v2/ }, challenge(`Bearer realm="${server.url}/token",service="registry.test",scope="a:b:c"`))
    expect((await ask(connect(server, me))).status).toBe(401)
    expect(server.seen({ path: /^\/v2/ })).toHaveLength(2)
  })

  it('whose token server fails is an error', async () => {
    await using server = await start()
    server.on({ path: /^\/token/ }, fail(500))
    await expect(ask(connect(server, me))).rejects.toThrow(expect.objectContaining({ code: 'registry-failed' }))
  })
})

describe('WithAuthScope', () => {
  it('takes the place of every scope, and its token goes with everything', async () => {
    await using server = await start()
    const scope = 'repository:a/app:pull,push,delete'
    const client = connect(server, me, WithAuthScope(scope))
    await push(client)
    await ask(client)
    expect((await ask(client, 'DELETE', `/v2/<name>/blobs/${digest}`)).status).toBe(202)
    expect(server.tokens.requests.map(({ scopes }) => scopes)).toEqual([[scope]])
    expect(codes(server).filter((text) => String(text).endsWith('401'))).toHaveLength(1)
  })
})

describe('a Basic challenge', () => {
  it('is answered with name and password, which go with everything from then on', async () => {
    await using server = await start({ scheme: 'basic' })
    const client = connect(server, me)
    expect((await push(client)).status).toBe(201)
    expect((await ask(client, 'GET', `/v2/<name>/blobs/${digest}`)).status).toBe(200)
    expect(codes(server)).toHaveLength(3)
  })

  it('is the answer where there are none, or wrong ones', async () => {
    await using server = await start({ scheme: 'basic' })
    expect((await ask(connect(server))).IsUnauthorized()).toBe(true)
    const client = connect(server, WithUsernamePassword('dinosaur', 'wrong'))
    expect((await ask(client)).IsUnauthorized()).toBe(true)
    expect(codes(server)).toHaveLength(3)
    // What was refused is not shown twice.
    expect((await ask(client)).IsUnauthorized()).toBe(true)
    expect(codes(server)).toHaveLength(4)
  })
})

test('a body is sent again from its beginning', async () => {
  await using server = await start()
  let opened = 0
  const body = (): ReadableStream<Uint8Array> => {
    opened += 1
    return new Blob([bytes]).stream()
  }
  expect((await push(connect(server, me), body)).status).toBe(201)
  expect(opened).toBe(2)
})

describe('the retry callback', () => {
  it('is called before the retry alone, and may change the request', async () => {
    await using server = await start()
    const client = connect(server, me)
    const calls: string[] = []
    const request = client.NewRequest(
      'POST',
      '/v2/<name>/blobs/uploads/',
      WithRetryCallback((again) => {
        calls.push(`${String(again)} after ${server.requests.length}`)
        again.SetBody('hello').SetQueryParam('digest', digest)
      }),
    )
    expect((await client.Do(request)).status).toBe(201)
    expect((await client.Do(request)).status).toBe(201)
    expect(calls).toEqual([`[POST] ${server.url}/v2/a/app/blobs/uploads/ after 2`])
  })

  it('that throws makes Do throw, and nothing is sent again', async () => {
    await using server = await start()
    const client = connect(server, me)
    const request = client.NewRequest('GET', '/v2/<name>/tags/list').SetRetryCallback(async () => {
      throw new Error('enough')
    })
    await expect(client.Do(request)).rejects.toThrow('retry callback returned error: enough')
    expect(server.seen({ path: /tags/ })).toHaveLength(1)
  })

  it('is not called where there is nothing to show', async () => {
    await using server = await start({ scheme: 'basic' })
    const client = connect(server)
    const request = client.NewRequest(
      'GET',
      '/v2/',
      WithRetryCallback(() => expect.unreachable()),
    )
    expect((await client.Do(request)).status).toBe(401)
  })
})

test('who shows something of their own gets the 401', async () => {
  await using server = await start()
  const client = connect(server, me)
  const own = client.NewRequest('GET', '/v2/<name>/tags/list').SetAuthToken('mine')
  expect((await client.Do(own)).status).toBe(401)
  expect(server.requests.map(({ headers }) => headers.authorization)).toEqual(['Bearer mine'])
  const token = server.tokens.issue([{ type: 'repository', name: 'a/app', action: 'pull' }])
  expect((await client.Do(own.SetAuthToken(token))).status).toBe(404)
})
