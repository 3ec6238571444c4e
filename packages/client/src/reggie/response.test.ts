import { inspect } from 'node:util'
import { describe, expect, it, test } from 'vitest'
import { bytesContent } from '../content/content.ts'
import { readAll } from '../content/verify.ts'
import type { Answer } from '../transport/answer.ts'
import { readResponse, type Response, streamResponse } from './response.ts'

const answer = (facts: { status?: number; url?: string; location?: string; body?: string }): Answer => {
  const { status = 200, url = 'http://h:5000/v2/a/blobs/uploads/', location, body = '' } = facts
  const stream = bytesContent(new TextEncoder().encode(body)).open()
  return {
    status,
    url,
    headers: new Headers(location === undefined ? {} : { location }),
    body: stream,
    empty: false,
    bytes: async (limit) => readAll(stream, limit, 'The answer of h:5000'),
    glance: async (limit) => readAll(stream, limit, 'The answer of h:5000'),
    discard: async () => {},
  }
}
const read = async (facts: Parameters<typeof answer>[0], address = 'http://h:5000'): Promise<Response> =>
  readResponse(answer(facts), address, 1000)

describe('Location', () => {
  test.each<[string, string, string, string]>([
    ['a path', '/v2/a/blobs/sha256:b/', '/v2/a/blobs/sha256:b/', 'http://h:5000/v2/a/blobs/sha256:b/'],
    ['a whole URL', 'http://h:5000/v2/x', '/v2/x', 'http://h:5000/v2/x'],
    ['another origin', 'https://cdn/x?y=1', '/x?y=1', 'https://cdn/x?y=1'],
    ['relative to the request', 'u-1?s=2', '/v2/a/blobs/uploads/u-1?s=2', 'http://h:5000/v2/a/blobs/uploads/u-1?s=2'],
    ['a query only', '?s=1', '/v2/a/blobs/uploads/?s=1', 'http://h:5000/v2/a/blobs/uploads/?s=1'],
    ['encoded', '/u/a%2Fb?s=%3D+%2F', '/u/a%2Fb?s=%3D+%2F', 'http://h:5000/u/a%2Fb?s=%3D+%2F'],
    ['with a fragment', '/u#f', '/u', 'http://h:5000/u'],
    ['not a URL', 'http://', '', ''],
    ['a script', 'javascript:alert(1)', '', ''],
  ])('that is %s', async (_, location, relative, absolute) => {
    const response = await read({ location })
    expect(response.GetRelativeLocation()).toBe(relative)
    expect(response.GetAbsoluteLocation()).toBe(absolute)
  })

  it('is resolved against where a redirect led to', async () => {
    const response = await read({ location: 'x', url: 'https://other/p/q' })
    expect(response.GetAbsoluteLocation()).toBe('https://other/p/x')
  })

  it('is empty when there is none', async () => {
    const response = await read({})
    expect([response.GetRelativeLocation(), response.GetAbsoluteLocation()]).toEqual(['', ''])
  })

  it('leaves out the path of the address, which NewRequest puts back', async () => {
    const relative = async (location: string): Promise<string> =>
      (await read({ location }, 'http://h:5000/prefix')).GetRelativeLocation()
    expect(await relative('/prefix/v2/x?y')).toBe('/v2/x?y')
    expect(await relative('/v2/x')).toBe('/v2/x')
    expect(await relative('/prefixed/x')).toBe('/prefixed/x')
  })
})

describe('a body', () => {
  it('is there in every form', async () => {
    const response = await read({ body: '{"a":"ü"}' })
    expect(response.text()).toBe('{"a":"ü"}')
    expect(response.json()).toEqual({ a: 'ü' })
    expect(response.Body()).toEqual(new TextEncoder().encode('{"a":"ü"}'))
    expect(response.bytes()).toBe(response.Body())
  })

  it('that is not JSON is an error only when it is asked for as JSON', async () => {
    const response = await read({ status: 502, body: '<html>' })
    expect(response.Errors()).toEqual([])
    expect(() => response.json()).toThrow(expect.objectContaining({ code: 'invalid-response', status: 502 }))
  })

  it('longer than the limit is an error that says what to do', async () => {
    await expect(readResponse(answer({ body: 'hello' }), 'http://h:5000', 4)).rejects.toThrow(
      expect.objectContaining({ code: 'too-large', hint: expect.stringContaining('DoStream') }),
    )
  })
})

test.each([
  [200, false, true, false],
  [299, false, true, false],
  [302, false, false, false],
  [401, true, false, true],
  [404, false, false, true],
  [500, false, false, true],
])('%d', async (status, unauthorized, success, error) => {
  const response = await read({ status, body: '{"errors":[{"code":"DENIED","message":"no","detail":{"a":1}}]}' })
  expect([response.status, response.StatusCode()]).toEqual([status, status])
  expect([response.ok, response.IsSuccess(), response.IsError()]).toEqual([success, success, error])
  expect(response.IsUnauthorized()).toBe(unauthorized)
  expect(response.Errors()).toEqual(error ? [{ code: 'DENIED', message: 'no', detail: { a: 1 } }] : [])
  expect(response.Header()).toBe(response.headers)
  expect(String(response)).toBe(`<Response [${status}]>`)
  expect(inspect(response)).toBe(`<Response [${status}]>`)
})

describe('a stream', () => {
  it('gives the body as it comes', async () => {
    await using response = streamResponse(answer({ body: 'hello', location: '/x' }), 'http://h:5000')
    expect(response.GetAbsoluteLocation()).toBe('http://h:5000/x')
    expect(new TextDecoder().decode(await readAll(response.body, 10, 'body'))).toBe('hello')
  })

  it('is read to its end when it turns out to be an error', async () => {
    await using response = streamResponse(answer({ status: 404, body: '{"errors":[{"code":"X"}]}' }), 'http://h:5000')
    expect((await response.read()).Errors()).toEqual([{ code: 'X' }])
  })

  it('is discarded with its scope', async () => {
    let discarded = 0
    {
      await using response = streamResponse({ ...answer({}), discard: async () => void discarded++ }, 'http://h:5000')
      expect(response.status).toBe(200)
    }
    expect(discarded).toBe(1)
  })
})
