import { describe, expect, it } from 'vitest'
import { sample } from '../samples.ts'
import { formatScopes, parseScopes, requiredAccess } from './access.ts'
import type { AuthOptions } from './auth-options.ts'
import { type ChallengeForm, challengeForms } from './challenge-forms.ts'
import { type MisbehavingRegistry, startMisbehavingRegistry } from './misbehaving-registry.ts'
import { rawRequest, type Witnessed } from '../testing/raw-request.ts'

const users = { alice: 'secret' }
const basic = (name: string, password: string): { authorization: string } => ({
  authorization: `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`,
})

const start = async (auth: Partial<AuthOptions> = {}): Promise<MisbehavingRegistry> =>
  startMisbehavingRegistry({ auth: { scheme: 'bearer', users, ...auth } })

interface TokenAnswer {
  readonly token?: string
  readonly access_token?: string
  readonly expires_in?: number
  readonly refresh_token?: string
}
const tokenIn = (answer: Witnessed): TokenAnswer => JSON.parse(answer.text()) as TokenAnswer

const ask = async (
  server: MisbehavingRegistry,
  scope: string,
  headers = basic('alice', 'secret'),
): Promise<Witnessed> =>
  rawRequest(`${server.url}/token?service=registry.test&scope=${encodeURIComponent(scope)}`, { headers })

const post = async (server: MisbehavingRegistry, form: Record<string, string>): Promise<Witnessed> =>
  rawRequest(`${server.url}/token`, {
    method: 'POST',
    body: new URLSearchParams(form).toString(),
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  })

const bearer = (token = ''): { authorization: string } => ({ authorization: `Bearer ${token}` })

describe('what a request needs', () => {
  it.each([
    ['GET', '/v2/', ''],
    ['GET', '/v2/_catalog?n=1', 'registry:catalog:*'],
    ['HEAD', '/v2/a/b/manifests/v1', 'repository:a/b:pull'],
    ['GET', '/v2/a/b/blobs/uploads/1234', 'repository:a/b:pull'],
    ['POST', '/v2/a/blobs/uploads/', 'repository:a:pull,push'],
    ['PATCH', '/v2/a/blobs/uploads/1234?_state=x', 'repository:a:pull,push'],
    ['POST', '/v2/a/blobs/uploads/?mount=sha256:1&from=b/c', 'repository:a:pull,push repository:b/c:pull'],
    ['DELETE', '/v2/blobs/uploads/manifests/v1', 'repository:blobs/uploads:delete'],
    ['GET', '/v2/a/tags/list', 'repository:a:pull'],
    ['GET', '/v2/a/referrers/sha256:1', 'repository:a:pull'],
  ])('%s %s', (method, target, scope) => {
    expect(formatScopes(requiredAccess(method, target))).toBe(scope)
  })

  it('is read from scopes', () => {
    expect(parseScopes('repository:host:5000/a:pull,push nonsense registry:catalog:*')).toEqual([
      { type: 'repository', name: 'host:5000/a', action: 'pull' },
      { type: 'repository', name: 'host:5000/a', action: 'push' },
      { type: 'registry', name: 'catalog', action: '*' },
    ])
  })
})

describe('a registry that wants tokens', () => {
  it('refuses without one, and says where to get it', async () => {
    await using server = await start()
    const ping = await rawRequest(`${server.url}/v2/`)
    expect([ping.status, ping.header('www-authenticate')]).toEqual([
      401,
      [`Bearer realm="${server.url}/token",service="registry.test"`],
    ])
    expect(ping.text()).toContain('UNAUTHORIZED')
    const pull = await rawRequest(`${server.url}/v2/app/manifests/v1`)
    expect(pull.header('www-authenticate')).toEqual([
      `Bearer realm="${server.url}/token",service="registry.test",scope="repository:app:pull"`,
    ])
  })

  it('lets in with a token of sufficient scope, until it expires', async () => {
    await using server = await start()
    const image = sample.image('one')
    await sample.pushImage(server, 'app', 'v1', image)
    const path = `${server.url}/v2/app/manifests/v1`
    const answered = tokenIn(await ask(server, 'repository:app:pull'))
    expect(answered.expires_in).toBe(300)
    const headers = bearer(answered.token)
    expect((await rawRequest(path, { headers })).status).toBe(200)
    expect((await rawRequest(`${server.url}/v2/`, { headers })).status).toBe(200)
    const push = await rawRequest(path, { method: 'PUT', body: '{}', headers })
    expect([push.status, push.header('www-authenticate')[0]]).toEqual([
      401,
      expect.stringContaining('scope="repository:app:pull,push",error="insufficient_scope"'),
    ])
    server.tokens.expireAll()
    const expired = await rawRequest(path, { headers })
    expect([expired.status, expired.header('www-authenticate')[0]]).toEqual([
      401,
      expect.stringContaining('error="invalid_token"'),
    ])
    expect((await rawRequest(path, { headers: basic('alice', 'secret') })).status).toBe(401)
  })

  it('gives tokens that are expired at once, where the lifetime is none', async () => {
    await using server = await start({ lifetime: 0 })
    const { token, expires_in } = tokenIn(await ask(server, ''))
    expect(expires_in).toBe(0)
    expect((await rawRequest(`${server.url}/v2/`, { headers: bearer(token) })).status).toBe(401)
  })

  it('gives a token for less than was asked to who may not do more', async () => {
    await using server = await start({ may: (user, { action }) => action === 'pull' || user === 'alice' })
    await sample.pushImage(server, 'app', 'v1', sample.image('one'))
    const anonymous = await rawRequest(`${server.url}/token?scope=repository:app:pull,push&scope=repository:b:delete`)
    const headers = bearer(tokenIn(anonymous).token)
    expect((await rawRequest(`${server.url}/v2/app/manifests/v1`, { headers })).status).toBe(200)
    const push = { method: 'POST', headers }
    expect((await rawRequest(`${server.url}/v2/app/blobs/uploads/`, push)).status).toBe(401)
    expect(server.tokens.requests[0]).toMatchObject({
      method: 'GET',
      user: undefined,
      scopes: ['repository:app:pull,push', 'repository:b:delete'],
      granted: true,
    })
  })

  it('refuses wrong passwords at its token endpoint', async () => {
    await using server = await start()
    const answer = await ask(server, 'repository:app:pull', basic('alice', 'guess'))
    expect(answer.status).toBe(401)
    expect(server.tokens.requests).toMatchObject([{ user: undefined, granted: false }])
  })

  it('knows OAuth2: password, refresh token, and what is wrong', async () => {
    await using server = await start({ tokenField: 'access_token' })
    const client = { client_id: 'test', service: 'registry.test', scope: 'repository:app:pull repository:b:push' }
    const login = { grant_type: 'password', username: 'alice', password: 'secret', access_type: 'offline' }
    const first = tokenIn(await post(server, { ...client, ...login }))
    expect(first.token).toBeUndefined()
    expect((await rawRequest(`${server.url}/v2/`, { headers: bearer(first.access_token) })).status).toBe(200)
    const renew = { ...client, grant_type: 'refresh_token', refresh_token: first.refresh_token ?? '' }
    const second = tokenIn(await post(server, renew))
    expect((await rawRequest(`${server.url}/v2/`, { headers: bearer(second.access_token) })).status).toBe(200)
    expect(server.tokens.requests.at(-1)).toEqual({
      method: 'POST',
      user: 'alice',
      service: 'registry.test',
      scopes: ['repository:app:pull', 'repository:b:push'],
      grantType: 'refresh_token',
      clientId: 'test',
      granted: true,
    })
    const byHand = server.tokens.issueRefreshToken('alice')
    expect((await post(server, { ...renew, refresh_token: byHand })).status).toBe(200)
    const { client_id: _, ...nameless } = renew
    const wrong: Record<string, string>[] = [
      { ...client, ...login, password: 'guess' },
      { ...renew, refresh_token: 'guess' },
      { ...renew, grant_type: 'other' },
      nameless,
    ]
    for (const form of wrong) {
      const refused = await post(server, form)
      expect([refused.status, Object.keys(JSON.parse(refused.text()) as object)[0]]).toEqual([400, 'error'])
    }
  })

  it('does without OAuth2, without expires_in, and with both names of the token, where it is told so', async () => {
    await using server = await start({ oauth2: false, withoutExpiresIn: true, tokenField: 'both' })
    expect((await post(server, {})).status).toBe(405)
    const answer = tokenIn(await ask(server, 'repository:app:pull'))
    expect(answer.token).toBe(answer.access_token)
    expect(Object.keys(answer)).toEqual(['token', 'access_token'])
  })

  it('asks nobody at the trap, which has a token endpoint too', async () => {
    await using server = await start({ realm: 'trap' })
    const refused = await rawRequest(`${server.url}/v2/`)
    expect(refused.header('www-authenticate')[0]).toContain(`realm="${server.trap.url}/token"`)
    expect((await rawRequest(`${server.trap.url}/v2/_catalog`)).status).toBe(200)
    const given = tokenIn(await rawRequest(`${server.trap.url}/token`, { headers: basic('alice', 'secret') }))
    expect((await rawRequest(`${server.url}/v2/`, { headers: bearer(given.token) })).status).toBe(200)
    expect(server.leaks).toHaveLength(1)
  })

  it('sends for tokens wherever it is told to', async () => {
    await using server = await start({ realm: { address: 'file:///etc/passwd' }, service: 'a "b"' })
    expect((await rawRequest(`${server.url}/v2/`)).header('www-authenticate')).toEqual([
      String.raw`Bearer realm="file:///etc/passwd",service="a \"b\""`,
    ])
  })
})

describe('a registry that wants a name and a password', () => {
  it('wants them with each request', async () => {
    await using server = await start({ scheme: 'basic' })
    const refused = await rawRequest(`${server.url}/v2/`)
    expect([refused.status, refused.header('www-authenticate')]).toEqual([401, ['Basic realm="registry"']])
    expect((await rawRequest(`${server.url}/v2/`, { headers: basic('alice', 'guess') })).status).toBe(401)
    expect((await rawRequest(`${server.url}/v2/`, { headers: basic('toString', '') })).status).toBe(401)
    expect((await rawRequest(`${server.url}/v2/`, { headers: basic('alice', 'secret') })).status).toBe(200)
  })
})

describe('the forms of a challenge', () => {
  const lines = async (form: ChallengeForm): Promise<readonly string[]> => {
    await using server = await start({ challenge: form, realm: { address: 'http://a.test/token' }, service: 's' })
    return (await rawRequest(`${server.url}/v2/x/tags/list`)).header('www-authenticate')
  }
  const usual = 'Bearer realm="http://a.test/token",service="s",scope="repository:x:pull"'

  it.each([
    ['usual', [usual]],
    ['unquoted', ['Bearer realm=http://a.test/token,service=s,scope=repository:x:pull']],
    ['upperCase', ['BEARER REALM="http://a.test/token",SERVICE="s",SCOPE="repository:x:pull"']],
    ['lowerCase', ['bearer realm="http://a.test/token",service="s",scope="repository:x:pull"']],
    ['spaced', ['Bearer   realm = "http://a.test/token" ,\tservice = "s" ,\tscope = "repository:x:pull"']],
    ['emptyElements', ['Bearer realm="http://a.test/token", , ,service="s", , ,scope="repository:x:pull"']],
    [
      'reordered',
      [String.raw`Bearer x-more="a, realm=\"no\"",scope="repository:x:pull",service="s",realm="http://a.test/token"`],
    ],
    ['escaped', [String.raw`Bearer realm="\h\ttp://a.test/token",service="s",scope="repository:x:pull"`]],
    ['withoutScope', ['Bearer realm="http://a.test/token",service="s"']],
    ['basicFirstInOneLine', [`Basic realm="registry", ${usual}`]],
    ['bearerFirstInOneLine', [`${usual}, Basic realm="registry"`]],
    ['basicFirstInTwoLines', ['Basic realm="registry"', usual]],
    ['bearerFirstInTwoLines', [usual, 'Basic realm="registry"']],
    [
      'amongOthers',
      [String.raw`Negotiate, NTLM TlRMTVNTUAAB==, Digest realm="a \"b\", Bearer c", nonce="d=,", ${usual}, Custom x=1`],
    ],
  ] as const)('%s', async (name, expected) => {
    expect(await lines(challengeForms[name])).toEqual(expected)
  })
})
