import { inspect } from 'node:util'
import { describe, expect, it, test } from 'vitest'
import type { Method } from '../transport/call.ts'
import { NewClient } from './client.ts'
import { WithDefaultName } from './client-options.ts'
import { prepare } from './prepare.ts'
import { WithDigest, WithName, WithReference, WithSessionID } from './request-options.ts'

const address = 'http://127.0.0.1:8000'
const client = NewClient(address, WithDefaultName('myorg/myrepo'))
const usage = (message: string): unknown =>
  expect.objectContaining({ name: 'ClientError', code: 'usage', message: expect.stringContaining(message) })

describe('a request', () => {
  it('shows its method and URL', () => {
    const request = client.NewRequest('GET', '/v2/<name>/tags/list', WithName('vsoch/django-oci'))
    expect(request.method).toBe('GET')
    expect(request.url).toBe('http://127.0.0.1:8000/v2/vsoch/django-oci/tags/list')
    expect(String(request)).toBe('[GET] http://127.0.0.1:8000/v2/vsoch/django-oci/tags/list')
  })

  it('has the default name of when it was made', () => {
    const other = NewClient(address, WithDefaultName('one'))
    const before = other.NewRequest('GET', '/v2/<name>/tags/list')
    other.SetDefaultName('two')
    expect(other.Config.DefaultName).toBe('two')
    expect(before.url).toBe(`${address}/v2/one/tags/list`)
    expect(other.NewRequest('GET', '/v2/<name>/tags/list').url).toBe(`${address}/v2/two/tags/list`)
    expect(() => other.SetDefaultName('UPPER')).toThrow(usage('Invalid repository name'))
  })

  it('fills every placeholder', () => {
    const digest = `sha512:${'0'.repeat(128)}`
    const options = [WithReference('v1'), WithDigest(digest), WithSessionID('put/1/session-x')]
    const request = client.NewRequest('PUT', '/<name>/<reference>/<digest>/<session_id>', ...options)
    expect(request.url).toBe(`${address}/myorg/myrepo/v1/${digest}/put/1/session-x`)
  })

  it('is changed by chained methods', () => {
    const request = client.NewRequest('GET', '/v2/')
    const same = request
      .SetMethod('PATCH')
      .SetUrl('/v2/<name>/x')
      .SetHeader('Content-Range', '0-1')
      .SetQueryParam('a', '1')
      .SetBody('hi')
      .SetAuthToken('abc')
    expect(same).toBe(request)
    expect(String(request)).toBe(`[PATCH] ${address}/v2/myorg/myrepo/x`)
    expect(request.headers.get('content-range')).toBe('0-1')
    expect(request.headers.get('authorization')).toBe('Bearer abc')
    expect(request.params).toEqual({ a: '1' })
    expect(request.body?.size).toBe(2)
    expect(request.SetBasicAuth('ü', 'p:w').headers.get('authorization')).toBe('Basic w7w6cDp3')
    expect(request.clearParams().params).toEqual({})
    expect(request.SetBody(undefined).body).toBeUndefined()
  })

  it('says what type JSON has, unless told', () => {
    const request = client.NewRequest('PUT', '/v2/').SetBody({ a: 1 })
    expect(request.headers.get('content-type')).toBe('application/json')
    const told = client.NewRequest('PUT', '/v2/').SetHeader('Content-Type', 'a/b').SetBody({ a: 1 })
    expect(told.headers.get('content-type')).toBe('a/b')
    expect(request.SetHeader('Content-Type', 'a/b').headers.get('content-type')).toBe('a/b')
  })

  it('does not show its headers in a log', () => {
    const request = client.NewRequest('GET', '/v2/').SetAuthToken('hunter2')
    expect(inspect(request)).toBe(`[GET] ${address}/v2/`)
    expect(inspect({ request }, { depth: 9 })).not.toContain('hunter2')
  })

  it.each(['get', 'TRACE', '', 5])('has no method %j', (method) => {
    expect(() => client.NewRequest(method as Method, '/v2/')).toThrow(usage('is not a method: use one of GET, PUT, '))
  })

  it('takes no header that HTTP does not allow, and does not show it', () => {
    const set = (): unknown => client.NewRequest('GET', '/v2/').SetHeader('X-Token', 'hunter2\r\nx: y')
    expect(set).toThrow(usage('The header "X-Token" has a name or a value'))
    expect(set).not.toThrow(/hunter2/)
  })
})

describe('query parameters', () => {
  const target = (path: string, params: Record<string, string>): string => {
    const request = client.NewRequest('PUT', path)
    for (const [name, value] of Object.entries(params)) request.SetQueryParam(name, value)
    return prepare(address, request).url.href.slice(address.length)
  }

  test.each<[string, string, Record<string, string>, string]>([
    ['are percent-encoded', '/v2/', { digest: 'sha256:a+b c&d' }, '/v2/?digest=sha256%3Aa%2Bb%20c%26d'],
    [
      'go behind those of a Location, which stay as they are',
      '/u?_state=a%3D+/~==&x',
      { digest: 'd' },
      '/u?_state=a%3D+/~==&x&digest=d',
    ],
    ['take the place of one of the same name', '/u?n=1&last=b&n=2', { n: '5' }, '/u?last=b&n=5'],
    ['take the place of one that is written otherwise', '/u?%6e=1', { n: '5' }, '/u?n=5'],
    ['follow a bare question mark', '/u?', { n: '5' }, '/u?n=5'],
    ['need not be there', '/u?a=%2F', {}, '/u?a=%2F'],
  ])('%s', (_, path, params, expected) => {
    expect(target(path, params)).toBe(expected)
  })
})

describe('before anything is sent, it is refused', () => {
  it('with a body where there can be none', () => {
    expect(() => prepare(address, client.NewRequest('GET', '/v2/').SetBody('x'))).toThrow(usage('GET has no body'))
  })

  it.each(['4', '6', '-1', '5.0', 'five'])('with a Content-Length of %s for five bytes', (length) => {
    const request = client.NewRequest('PUT', '/v2/').SetBody('hello').SetHeader('Content-Length', length)
    expect(() => prepare(address, request)).toThrow(usage(`Content-Length is ${length}, and the body has 5 bytes`))
  })

  it('with a Content-Length and no body', () => {
    const request = client.NewRequest('POST', '/v2/').SetHeader('Content-Length', '5')
    expect(() => prepare(address, request)).toThrow(usage('Content-Length is 5, and the body has 0 bytes'))
    expect(prepare(address, request.SetHeader('Content-Length', '0')).headers.has('content-length')).toBe(false)
  })

  it('with credentials in its URL', () => {
    const request = client.NewRequest('GET', 'http://me:hunter2@127.0.0.1:8000/v2/')
    expect(() => prepare(address, request)).toThrow(usage('its URL has credentials in it'))
    expect(() => prepare(address, request)).not.toThrow(/hunter2/)
  })

  it.each(['http://127.0.0.1:8001/v2/', 'https://127.0.0.1:8000/v2/', 'http://localhost:8000/v2/'])(
    'for another origin: %s',
    (url) => {
      expect(() => prepare(address, client.NewRequest('GET', url))).toThrow(
        expect.objectContaining({ code: 'refused', hint: expect.stringContaining('NewClient("') }),
      )
    },
  )
})

test('a length that was said stands for a body that does not know its own', async () => {
  const request = client.NewRequest('PUT', '/v2/').SetBody(() => new Blob(['hello']).stream())
  expect(prepare(address, request).content?.size).toBeUndefined()
  expect(prepare(address, request.SetHeader('Content-Length', '5')).content?.size).toBe(5)
})
