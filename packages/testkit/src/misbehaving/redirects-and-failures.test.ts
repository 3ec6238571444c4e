import { connect } from 'node:net'
import { describe, expect, it } from 'vitest'
import { sample } from '../samples.ts'
import { challenge } from './challenge.ts'
import { fail } from './fail.ts'
import { startMisbehavingRegistry } from './misbehaving-registry.ts'
import { rawRequest, type Witnessed } from '../testing/raw-request.ts'
import { redirectEndlessly, redirectTo, redirectToItself, redirectToTrap, redirectWithUserinfo } from './redirect.ts'
import { warn } from './warn.ts'

const locationOf = (answer: Witnessed): string => answer.header('location')[0] ?? ''

describe('redirects', () => {
  it.each([301, 302, 303, 307, 308] as const)('%s to the trap, which has the same content', async (status) => {
    await using server = await startMisbehavingRegistry()
    const digest = await sample.pushBlob(server, 'app', new TextEncoder().encode('content'))
    server.on({ path: /blobs\// }, redirectToTrap(status))
    const answer = await rawRequest(`${server.url}/v2/app/blobs/${digest}?a=b`)
    expect(answer.status).toBe(status)
    expect(locationOf(answer)).toBe(`${server.trap.url}/v2/app/blobs/${digest}?a=b`)
    const followed = await rawRequest(locationOf(answer), { headers: { authorization: 'Bearer x' } })
    expect([followed.status, followed.text()]).toEqual([200, 'content'])
    expect(server.leaks).toHaveLength(1)
  })

  it('that never end: to itself, and to ever new addresses', async () => {
    await using server = await startMisbehavingRegistry()
    server.on({ path: /_catalog/ }, redirectToItself())
    expect(locationOf(await rawRequest(`${server.url}/v2/_catalog?n=1`))).toBe('/v2/_catalog?n=1')
    server.on({ path: /tags/ }, redirectEndlessly())
    let target = '/v2/app/tags/list?n=1'
    for (const hop of [1, 2, 3]) {
      target = locationOf(await rawRequest(`${server.url}${target}`))
      expect(target).toBe(`/v2/app/tags/list?n=1&hop=${hop}`)
    }
  })

  it('to what no client should follow', async () => {
    await using server = await startMisbehavingRegistry()
    server.on({}, redirectTo('file:///etc/passwd', 302), { times: 1 })
    expect(locationOf(await rawRequest(`${server.url}/v2/`))).toBe('file:///etc/passwd')
    server.on({}, redirectWithUserinfo(), { times: 1 })
    expect(locationOf(await rawRequest(`${server.url}/v2/`))).toBe(`http://mallory:guess@${server.host}/v2/`)
  })

  it('of a request with a body read it all', async () => {
    await using server = await startMisbehavingRegistry()
    server.on({ method: 'PUT' }, redirectToTrap(308))
    const body = 'x'.repeat(300_000)
    const answer = await rawRequest(`${server.url}/v2/app/manifests/v1`, { method: 'PUT', body })
    expect([answer.status, answer.ended]).toEqual([308, 'complete'])
    // The answer is there first.
    await expect.poll(() => server.requests[0]?.bodyBytes).toBe(300_000)
  })
})

describe('failures', () => {
  it('come so many times, with Retry-After in seconds, as a date, or not at all', async () => {
    await using server = await startMisbehavingRegistry()
    const date = new Date(Date.UTC(2040, 0, 2, 3, 4, 5))
    server.on({}, fail(503), { times: 1 })
    server.on({}, fail(429, { retryAfter: date }), { times: 1 })
    server.on({}, fail(429, { retryAfter: 2 }), { times: 2 })
    const answers: Witnessed[] = []
    for (let count = 0; count < 5; count++) answers.push(await rawRequest(`${server.url}/v2/`))
    expect(answers.map(({ status }) => status)).toEqual([429, 429, 200, 200, 200])
    expect(answers[0]?.header('retry-after')).toEqual(['2'])
  })

  it('have a body of the specification, and others', async () => {
    await using server = await startMisbehavingRegistry()
    const answered = async (status: number, options: Parameters<typeof fail>[1]): Promise<Witnessed> => {
      server.on({}, fail(status, options), { times: 1 })
      return rawRequest(`${server.url}/v2/`)
    }
    const oci = await answered(403, { message: 'no' })
    expect(JSON.parse(oci.text())).toEqual({ errors: [{ code: 'DENIED', message: 'no' }] })
    const html = await answered(502, { body: 'html' })
    expect([html.status, html.header('content-type')]).toEqual([502, ['text/html']])
    expect(html.text()).toContain('<h1>')
    expect((await answered(404, { body: 'text' })).text()).toBe('404 page not found\n')
    expect((await answered(500, { body: 'none' })).bytes.byteLength).toBe(0)
    const huge = await answered(500, { body: 'huge' })
    expect(huge.bytes.byteLength).toBeGreaterThan(20 * 1024 * 1024)
    expect(JSON.parse(huge.text())).toMatchObject({ errors: [{ code: 'UNKNOWN' }] })
  })

  it('may have a body without an end', async () => {
    const server = await startMisbehavingRegistry()
    server.on({}, fail(500, { body: 'endless' }))
    const much = Promise.withResolvers<void>()
    const answer = rawRequest(`${server.url}/v2/`, {
      onProgress: (bytes) => {
        if (bytes > 5_000_000) much.resolve()
      },
    })
    await much.promise
    await server[Symbol.asyncDispose]()
    expect((await answer).ended).toBe('broken')
  })

  it('may come before the body was read, which then nobody reads', async () => {
    await using server = await startMisbehavingRegistry()
    server.on({ method: 'PUT' }, fail(413, { leavesRequest: true }))
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1')
    socket.write(`PUT /v2/app/manifests/v1 HTTP/1.1\r\nHost: ${server.host}\r\nContent-Length: 1000000\r\n\r\n`)
    let text = ''
    for await (const chunk of socket) text += String(chunk)
    expect(text).toMatch(/^HTTP\/1\.1 413 /)
    expect(text).toMatch(/\r\nconnection: close\r\n/i)
    expect(server.requests[0]?.bodyBytes).toBe(0)
  })
})

it('warnings come in as many lines as there are', async () => {
  await using server = await startMisbehavingRegistry()
  server.on({}, warn('this repository is going away', 'a "quoted" word, and a \\'))
  expect((await rawRequest(`${server.url}/v2/`)).header('warning')).toEqual([
    '299 - "this repository is going away"',
    String.raw`299 - "a \"quoted\" word, and a \\"`,
  ])
})

it('a challenge without an end, in several lines, whatever is shown', async () => {
  await using server = await startMisbehavingRegistry()
  server.on({}, challenge('Basic realm="x"', `Bearer realm="${server.trap.url}/token"`))
  for (const authorization of ['', 'Bearer valid']) {
    const answer = await rawRequest(`${server.url}/v2/`, { headers: { authorization } })
    expect(answer.status).toBe(401)
    expect(answer.header('www-authenticate')).toEqual(['Basic realm="x"', `Bearer realm="${server.trap.url}/token"`])
  }
})
