import { describe, expect, it, test } from 'vitest'
import type { Credential } from '../credentials/credential.ts'
import { bytesContent } from '../content/content.ts'
import { ClientError } from '../errors.ts'
import type { Answer } from './answer.ts'
import { resolveHost } from './hosts.ts'
import { basic, checkRealm, fetchToken, type Send } from './tokens.ts'

const password: Credential = { kind: 'password', username: 'alice', password: 's3cret' }
const identity: Credential = { kind: 'identity-token', token: 'refresh' }
type Request = Parameters<Send>[0]

const answerOf = (status: number, body: unknown, headers: Record<string, string> = {}): Answer => {
  const bytes = new TextEncoder().encode(typeof body === 'string' ? body : JSON.stringify(body))
  return {
    status,
    headers: new Headers(headers),
    url: 'https://auth.example/token',
    body: bytesContent(bytes).open(),
    empty: false,
    bytes: async (limit) => {
      if (bytes.byteLength > limit) throw new ClientError('too-large', 'too large')
      return bytes
    },
    glance: async () => bytes,
    discard: async () => {},
  }
}

/** A token server that answers one after the other. */
const server = (...answers: readonly Answer[]): { readonly requests: Request[]; readonly send: Send } => {
  const requests: Request[] = []
  return {
    requests,
    send: async (request) => {
      const answer = answers[requests.length]
      requests.push(request)
      if (answer === undefined) throw new Error('One request too many.')
      return answer
    },
  }
}

const realm = new URL('https://auth.example/token')
const request = { realm, service: 'registry.example', scopes: ['repository:a:pull', 'repository:b:pull'] }
const asking = async (send: Send, credential?: Credential, what: Parameters<typeof fetchToken>[1] = request) =>
  fetchToken(send, what, credential, 'test/1')

describe('a realm', () => {
  const check = (endpoint: string, text: string, credential?: Credential, tokenServers: string[] = []): string => {
    try {
      return checkRealm(resolveHost('registry.example.com', { endpoint, tokenServers }), text, credential).href
    } catch (error) {
      expect(error).toBeInstanceOf(ClientError)
      expect(String(error)).not.toContain('s3cret')
      return (error as ClientError).code
    }
  }

  test.each<[string, string]>([
    ['https://registry.example.com', 'https://registry.example.com/token'],
    ['https://registry.example.com', 'https://REGISTRY.example.com:443/token?a=b'],
    ['https://registry.example.com:8443', 'https://registry.example.com:8443/token'],
    ['http://127.0.0.1:5000', 'http://127.0.0.1:5000/token'],
    ['https://registry-1.docker.io', 'https://auth.docker.io/token'],
    ['https://registry.gitlab.com', 'https://gitlab.com/jwt/auth'],
  ])('of %s may be %s', (endpoint, text) => {
    expect(check(endpoint, text, password)).toBe(new URL(text).href)
    expect(check(endpoint, text)).toBe(new URL(text).href)
  })

  test.each<[string, string, string]>([
    ['https://registry.example.com', 'https://evil.example/token', 'refused'],
    ['https://registry.example.com', 'https://auth.example.com/token', 'refused'],
    ['https://registry.example.com', 'https://example.com/token', 'refused'],
    ['https://registry.example.com', 'https://registry.example.com:8443/token', 'refused'],
    ['http://registry.example.com', 'https://registry.example.com/token', 'refused'],
    ['https://10.0.0.5:5000', 'https://10.0.0.5:6443/token', 'refused'],
    ['https://victim.azurecr.io', 'https://evil.azurecr.io/oauth2/token', 'refused'],
    ['https://me.github.io', 'https://evil.github.io/token', 'refused'],
    ['https://registry-1.docker.io', 'https://auth.docker.io:8443/token', 'refused'],
    ['https://registry-1.docker.io', 'http://auth.docker.io/token', 'refused'],
    ['http://registry-1.docker.io', 'https://auth.docker.io/token', 'refused'],
    ['https://mirror.example', 'https://auth.docker.io/token', 'refused'],
    ['https://registry.gitlab.com', 'https://auth.docker.io/token', 'refused'],
    ['https://registry.example.com', 'http://registry.example.com/token', 'refused'],
    ['https://registry.example.com', 'http://auth.example.com/token', 'refused'],
    ['https://registry.example.com', 'https://10.0.0.1/token', 'refused'],
    ['https://registry.example.com', 'https://169.254.169.254/token', 'refused'],
    ['https://registry.example.com', 'https://alice:pw@registry.example.com/token', 'refused'],
    ['http://127.0.0.1:5000', 'http://127.0.0.1:5001/token', 'refused'],
    ['http://registry.example.com', 'http://auth.example.com/token', 'refused'],
    ['https://registry.example.com', 'file:///etc/passwd', 'refused'],
    ['https://registry.example.com', 'javascript:alert(1)', 'refused'],
    ['https://registry.example.com', '', 'invalid-response'],
    ['https://registry.example.com', '/token', 'invalid-response'],
    ['https://registry.example.com', '//registry.example.com/token', 'invalid-response'],
    ['https://registry.example.com', 'not an address', 'invalid-response'],
  ])('of %s is not %s', (endpoint, text, code) => {
    expect(check(endpoint, text, password)).toBe(code)
    expect(check(endpoint, text, identity)).toBe(code)
  })

  it('may be anywhere for who has nothing to show, but for a way down and a way in', () => {
    expect(check('https://registry.example.com', 'https://evil.example/token')).toBe('https://evil.example/token')
    expect(check('http://127.0.0.1:5000', 'http://127.0.0.1:5001/token')).toBe('http://127.0.0.1:5001/token')
    expect(check('https://registry.example.com', 'http://evil.example/token')).toBe('refused')
    expect(check('https://registry.example.com', 'https://192.168.0.1/token')).toBe('refused')
  })

  it('may be where the caller says, by name and port, but not by http for a registry of https', () => {
    const listed = ['auth.other.example', '10.0.0.1:5001']
    const own = 'https://registry.example.com'
    expect(check(own, 'https://auth.other.example/t', password, listed)).toBe('https://auth.other.example/t')
    expect(check(own, 'https://10.0.0.1:5001/t', password, listed)).toBe('https://10.0.0.1:5001/t')
    expect(check(own, 'https://10.0.0.1/t', password, listed)).toBe('refused')
    expect(check(own, 'https://auth.other.example:8443/t', password, listed)).toBe('refused')
    expect(check(own, 'http://auth.other.example/t', password, listed)).toBe('refused')
    expect(check('http://10.0.0.1:5000', 'http://10.0.0.1:5001/t', password, listed)).toBe('http://10.0.0.1:5001/t')
  })

  it('is refused with a word on how to allow it', () => {
    const host = resolveHost('registry.example.com', {})
    expect(() => checkRealm(host, 'https://auth.other.example/t', password)).toThrow(
      expect.objectContaining({
        hint: 'If auth.other.example is the token server of registry.example.com, allow it: hosts["registry.example.com"].tokenServers.',
      }),
    )
  })
})

describe('a token', () => {
  it('is asked for anonymously', async () => {
    const { requests, send } = server(answerOf(200, { token: 't' }))
    expect((await asking(send)).value).toBe('t')
    expect(requests[0]?.method).toBe('GET')
    expect(requests[0]?.url).toBe(
      'https://auth.example/token?service=registry.example&scope=repository%3Aa%3Apull&scope=repository%3Ab%3Apull',
    )
    expect(requests[0]?.headers.has('authorization')).toBe(false)
    expect(requests[0]?.headers.get('user-agent')).toBe('test/1')
  })

  it('is asked for with a password, and keeps what the realm has of a query', async () => {
    const { requests, send } = server(answerOf(200, { access_token: 't' }))
    const there = { realm: new URL('https://auth.example/token?tenant=7'), service: undefined, scopes: [] }
    expect((await asking(send, password, there)).value).toBe('t')
    expect(requests[0]?.url).toBe('https://auth.example/token?tenant=7')
    expect(requests[0]?.headers.get('authorization')).toBe(`Basic ${btoa('alice:s3cret')}`)
  })

  test.each([404, 405])('is asked for by POST where GET gives %i, with a password', async (status) => {
    const { requests, send } = server(answerOf(status, ''), answerOf(200, { token: 't' }))
    expect((await asking(send, password)).value).toBe('t')
    expect(requests.map(({ method, url }) => `${method} ${url.split('?')[0]}`)).toEqual([
      'GET https://auth.example/token',
      'POST https://auth.example/token',
    ])
    expect(Object.fromEntries(new URLSearchParams(requests[1]?.form))).toEqual({
      grant_type: 'password',
      username: 'alice',
      password: 's3cret',
      client_id: 'stowage',
      service: 'registry.example',
      scope: 'repository:a:pull repository:b:pull',
    })
    expect(requests[1]?.headers.has('authorization')).toBe(false)
  })

  it('is not asked for by POST without a password', async () => {
    await expect(asking(server(answerOf(404, '')).send)).rejects.toMatchObject({ code: 'invalid-response' })
  })

  it('is asked for by POST with an identity token', async () => {
    const { requests, send } = server(answerOf(200, { access_token: 't' }))
    expect((await asking(send, identity)).value).toBe('t')
    expect(requests[0]).toMatchObject({ method: 'POST', url: 'https://auth.example/token' })
    expect(new URLSearchParams(requests[0]?.form).get('refresh_token')).toBe('refresh')
    expect(new URLSearchParams(requests[0]?.form).get('grant_type')).toBe('refresh_token')
  })

  it('follows a redirect within the origin, and takes the query along', async () => {
    const { requests, send } = server(
      answerOf(301, '', { location: '/token/' }),
      answerOf(307, '', { location: 'https://auth.example/v2/token?service=x' }),
      answerOf(200, { token: 't' }),
    )
    await asking(send, password)
    expect(requests.map(({ url }) => new URL(url).pathname)).toEqual(['/token', '/token/', '/v2/token'])
    expect(new URL(requests[1]?.url ?? '').searchParams.getAll('scope')).toHaveLength(2)
    expect(new URL(requests[2]?.url ?? '').search).toBe('?service=x')
  })

  test.each([
    ['https://evil.example/token', 'refused'],
    ['http://auth.example/token', 'refused'],
    ['https://auth.example:8443/token', 'refused'],
    ['https://u:p@auth.example/token', 'refused'],
    ['http://[::1', 'invalid-response'],
  ])('does not follow one to %s', async (location, code) => {
    for (const credential of [undefined, password, identity]) {
      const { requests, send } = server(answerOf(307, '', { location }))
      await expect(asking(send, credential)).rejects.toMatchObject({ code })
      expect(requests).toHaveLength(1)
    }
  })

  it('does not follow redirects without end', async () => {
    const again = Array.from({ length: 10 }, () => answerOf(302, '', { location: '/token' }))
    const { requests, send } = server(...again)
    await expect(asking(send)).rejects.toMatchObject({ code: 'invalid-response' })
    expect(requests).toHaveLength(4)
  })

  test.each<[number, unknown, string]>([
    [400, { error: 'invalid_grant' }, 'unauthorized'],
    [401, '', 'unauthorized'],
    [403, '', 'unauthorized'],
    [429, '', 'rate-limited'],
    [500, '', 'registry-failed'],
    [503, '', 'registry-failed'],
    [204, '', 'invalid-response'],
    [303, '', 'invalid-response'],
    [200, '', 'invalid-response'],
    [200, '<html>', 'invalid-response'],
    [200, null, 'invalid-response'],
    [200, [], 'invalid-response'],
    [200, { token: '' }, 'invalid-response'],
    [200, { token: 5 }, 'invalid-response'],
    [200, { token: 'a b' }, 'invalid-response'],
    [200, { token: 'a\r\nx-evil: 1' }, 'invalid-response'],
    [200, { token: 'ü' }, 'invalid-response'],
    [200, ' '.repeat(2_000_000), 'too-large'],
  ])('is none when the answer is %i %j', async (status, body, code) => {
    const failed = asking(server(answerOf(status, body)).send, identity)
    await expect(failed).rejects.toMatchObject({ code })
    await expect(failed).rejects.not.toThrow(/refresh/)
  })

  it('tells how long to wait for it', async () => {
    const busy = server(answerOf(429, '', { 'retry-after': '7' }))
    await expect(asking(busy.send)).rejects.toMatchObject({ status: 429, retryAfter: 7000 })
  })

  it('says whether there were credentials to be wrong', async () => {
    await expect(asking(server(answerOf(401, '')).send)).rejects.toThrow(/no token without credentials/)
    await expect(asking(server(answerOf(401, '')).send, password)).rejects.toThrow(/does not accept the credentials/)
  })

  test.each<[unknown, number]>([
    [300, 270],
    [undefined, 54],
    [0, 54],
    [-5, 54],
    ['300', 54],
    [1, 0.9],
  ])('that expires in %s is used for %d seconds', async (expires_in, seconds) => {
    const before = Date.now()
    const { expiresAt } = await asking(server(answerOf(200, { token: 't', expires_in })).send)
    expect(expiresAt).toBeGreaterThanOrEqual(before + seconds * 1000)
    expect(expiresAt).toBeLessThanOrEqual(Date.now() + seconds * 1000)
  })
})

describe('Basic', () => {
  it('is UTF-8', () => {
    expect(basic('ä', '€:"')).toBe(`Basic ${Buffer.from('ä:€:"').toString('base64')}`)
  })

  it('takes a password as long as they come', () => {
    const long = 'x'.repeat(300_000)
    expect(basic('a', long)).toBe(`Basic ${Buffer.from(`a:${long}`).toString('base64')}`)
  })

  it('has no user name with a colon, which would be another user', () => {
    expect(() => basic('a:b', 'c')).toThrow(expect.objectContaining({ code: 'usage' }))
  })
})
