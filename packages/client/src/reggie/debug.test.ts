import { createTestRegistry, startMisbehavingRegistry } from '@stowage/testkit'
import { afterEach, describe, expect, it, test, vi } from 'vitest'
import type { Fetch } from '../transport/fetch.ts'
import { NewClient, WithDebug, WithDefaultName, WithFetch, WithUsernamePassword } from './index.ts'
import { redactHeaders, redactJson, redactUrls, without } from './redact.ts'

afterEach(() => vi.restoreAllMocks())

describe('debug output', () => {
  it('has every request, token requests too, and no secret', async () => {
    const users = { dinosaur: 'rawr and roar' }
    await using server = await startMisbehavingRegistry({ auth: { scheme: 'bearer', users } })
    const lines: string[] = []
    const log = (text: string): void => void lines.push(text)
    const client = NewClient(server.url, WithUsernamePassword('dinosaur', 'rawr and roar'), WithDebug(true, log))
    await client.Do(client.NewRequest('GET', '/v2/a/tags/list'))
    // Who asks for a token by hand sees it, and nobody else does.
    const answer = await client.Do(
      client.NewRequest('GET', '/token?service=registry.test').SetBasicAuth('dinosaur', 'rawr and roar'),
    )
    const { token } = answer.json() as { token: string }
    const output = lines.join('\n')
    expect(output).toContain(`> GET ${server.url}/v2/a/tags/list`)
    expect(output).toContain(`< 401 GET ${server.url}/v2/a/tags/list`)
    expect(output).toContain(`> GET ${server.url}/token?service=registry.test&scope=repository%3Aa%3Apull`)
    expect(output).toContain('authorization: Basic [redacted]')
    expect(output).toContain('authorization: Bearer [redacted]')
    expect(output).toContain('NAME_UNKNOWN')
    expect(output).toContain('{"token":"[redacted]","expires_in":300}')
    const shown = server.requests.flatMap(({ headers }) => headers.authorization?.replace(/^\S+ /, '') ?? [])
    expect(shown.length).toBeGreaterThanOrEqual(3)
    for (const secret of [...shown, token, 'rawr']) expect(output).not.toContain(secret)
  })

  it('has no secret that a registry repeats', async () => {
    const fetch: Fetch = async (_, { headers }) => {
      const seen = headers.get('authorization')
      return {
        status: seen === null ? 401 : 403,
        headers: new Headers({
          'www-authenticate': 'Basic realm="r"',
          'set-cookie': 'id=c00kie',
          'x-echo': String(seen),
        }),
        body: new Blob([JSON.stringify({ errors: [{ code: 'DENIED', message: `not ${seen}, hunter2!` }] })]).stream(),
      }
    }
    const lines: string[] = []
    const client = NewClient(
      'http://h',
      WithFetch(fetch),
      WithUsernamePassword('me', 'hunter2'),
      WithDebug(true, (text) => lines.push(text)),
    )
    const response = await client.Do(client.NewRequest('GET', '/v2/'))
    expect(response.Errors()[0]?.message).toContain('hunter2')
    const output = lines.join('\n')
    expect(output).toContain('"message":"not Basic [redacted], [redacted]!"')
    expect(output).toContain('set-cookie: [redacted]')
    expect(output).not.toMatch(/hunter2|c00kie|bWU6/)
  })

  it('says when there was no answer', async () => {
    const lines: string[] = []
    const fetch: Fetch = async () => {
      throw new TypeError('fetch failed')
    }
    const client = NewClient(
      'http://h',
      WithFetch(fetch),
      WithDebug(true, (text) => lines.push(text)),
    )
    await client.Do(client.NewRequest('GET', '/v2/?sig=hunter2')).catch(() => {})
    expect(lines.at(-1)).toMatch(
      /^! GET http:\/\/h\/v2\/\?sig=\[redacted\] failed \(\d+ ms\): TypeError: fetch failed$/,
    )
  })

  it('shows no body that is not JSON, and none that is long', async () => {
    await using registry = await createTestRegistry()
    const lines: string[] = []
    const client = NewClient(
      registry.url,
      WithDefaultName('a'),
      WithDebug(true, (text) => lines.push(text)),
    )
    const push = async (body: string): Promise<string> => {
      const { createHash } = await import('node:crypto')
      const digest = `sha256:${createHash('sha256').update(body).digest('hex')}`
      const request = client
        .NewRequest('POST', '/v2/<name>/blobs/uploads/')
        .SetBody(body)
        .SetQueryParam('digest', digest)
      return (await client.Do(request)).GetRelativeLocation()
    }
    for (const body of ['hunter2', JSON.stringify('x'.repeat(20_000))]) {
      await client.Do(client.NewRequest('GET', await push(body)))
      expect(lines.at(-1)).toMatch(/\n<   (7|20002) bytes$/)
    }
    expect(lines.join('\n')).not.toContain('hunter2')
  })

  it('keeps control characters off the terminal', async () => {
    const fetch: Fetch = async () => ({ status: 200, headers: new Headers({ 'x-a': 'b\u009b31m' }), body: null })
    const lines: string[] = []
    const client = NewClient(
      'http://h',
      WithFetch(fetch),
      WithDebug(true, (text) => lines.push(text)),
    )
    await client.Do(client.NewRequest('GET', '/v2/'))
    expect(lines.join('\n')).toContain('x-a: b\ufffd31m')
  })

  it('goes to console.debug, and only when it is on', async () => {
    const debug = vi.spyOn(console, 'debug').mockImplementation(() => {})
    const fetch: Fetch = async () => ({ status: 200, headers: new Headers(), body: null })
    for (const options of [[], [WithDebug(false)], [WithDebug(true)]]) {
      const client = NewClient('http://h', WithFetch(fetch), ...options)
      await client.Do(client.NewRequest('GET', '/v2/'))
    }
    expect(debug).toHaveBeenCalledTimes(2)
  })
})

test.each([
  ['http://h/v2/?digest=sha256%3Aa&_state=abc&n=5', 'http://h/v2/?digest=sha256%3Aa&_state=[redacted]&n=5'],
  [
    'https://s3/x?X-Amz-Signature=a&X-Amz-Credential=b%2Fc',
    'https://s3/x?X-Amz-Signature=[redacted]&X-Amz-Credential=[redacted]',
  ],
  ['https://me:secret@h/x', 'https://[redacted]@h/x'],
  ['</v2/_catalog?last=b&n=1>; rel="next"', '</v2/_catalog?last=b&n=1>; rel="next"'],
  ['Bearer realm="https://h/t?key=a",service="s"', 'Bearer realm="https://h/t?key=[redacted]",service="s"'],
  ['no URL at all = fine', 'no URL at all = fine'],
])('%s is written as %s', (text, expected) => {
  expect(redactUrls(text)).toBe(expected)
})

test('headers whose name tells of a secret are not written', () => {
  const headers = new Headers({
    authorization: 'Basic YTpi',
    cookie: 'a=b',
    'x-registry-auth': 'abc',
    'x-amz-security-token': 'abc',
    'x-api-key': 'abc',
    'www-authenticate': 'Bearer realm="https://h/token",scope="a:b:c"',
    location: '/u?_state=abc',
    'content-type': 'a/b',
  })
  expect(redactHeaders(headers)).toEqual([
    'authorization: Basic [redacted]',
    'content-type: a/b',
    'cookie: [redacted]',
    'location: /u?_state=[redacted]',
    'www-authenticate: Bearer realm="https://h/token",scope="a:b:c"',
    'x-amz-security-token: [redacted]',
    'x-api-key: [redacted]',
    'x-registry-auth: [redacted]',
  ])
})

test('JSON is written without what its names tell to be secret', () => {
  const body = {
    access_token: 'a',
    refresh_token: 'b',
    nested: [{ Password: 'c', author: 'd', authors: ['e'] }],
    auths: { h: { auth: 'f' } },
  }
  expect(JSON.parse(redactJson(JSON.stringify(body)) ?? '')).toEqual({
    access_token: '[redacted]',
    refresh_token: '[redacted]',
    nested: [{ Password: '[redacted]', author: 'd', authors: ['e'] }],
    auths: { h: { auth: '[redacted]' } },
  })
  expect(redactJson('token=abc')).toBeUndefined()
})

test('secrets are taken out wherever they stand, the longest first', () => {
  expect(without(['abc', 'abcdef', 'x y', 'no'], 'abcdef abc x%20y no')).toBe('[redacted] [redacted] [redacted] no')
})
