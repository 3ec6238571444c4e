import { describe, expect, it } from 'vitest'
import { sample } from '../samples.ts'
import { setHeader } from './alter.ts'
import { fail } from './fail.ts'
import { startMisbehavingRegistry } from './misbehaving-registry.ts'
import { rawRequest } from '../testing/raw-request.ts'
import { warn } from './warn.ts'

describe('a misbehaving registry', () => {
  it('works truly when it is told nothing', async () => {
    await using server = await startMisbehavingRegistry()
    const bytes = new Uint8Array(200_000).map((_, index) => index % 251)
    const digest = sample.sha256(bytes)
    const begun = await rawRequest(`${server.url}/v2/app/blobs/uploads/`, { method: 'POST' })
    expect(begun.status).toBe(202)
    const [location = ''] = begun.header('location')
    const chunk = await rawRequest(`${server.url}${location}`, { method: 'PATCH', body: bytes.subarray(0, 150_000) })
    expect(chunk.header('range')).toEqual(['0-149999'])
    const closing = await rawRequest(`${server.url}${location}?digest=${digest}`, {
      method: 'PUT',
      body: bytes.subarray(150_000),
      headers: { 'transfer-encoding': 'chunked' },
    })
    expect(closing.status).toBe(201)
    const blob = `/v2/app/blobs/${digest}`
    const got = await rawRequest(`${server.url}${blob}`)
    expect(got.ended).toBe('complete')
    expect(Buffer.compare(got.bytes, bytes)).toBe(0)
    const part = await rawRequest(`${server.url}${blob}`, { headers: { range: 'bytes=10-19' } })
    expect([part.status, part.header('content-range')]).toEqual([206, ['bytes 10-19/200000']])
    const head = await rawRequest(`${server.url}${blob}`, { method: 'HEAD' })
    expect([head.status, head.header('content-length'), head.ended]).toEqual([200, ['200000'], 'complete'])
    expect((await rawRequest(`${server.url}/v2/app/blobs/${sample.sha256(bytes.subarray(1))}`)).status).toBe(404)
    expect(server.requests.map(({ method }) => method)).toEqual(['POST', 'PATCH', 'PUT', 'GET', 'GET', 'HEAD', 'GET'])
  })

  it('is filled by its side, unseen', async () => {
    await using server = await startMisbehavingRegistry()
    server.on({}, fail(500))
    const image = sample.image('one')
    await sample.pushImage(server, 'app', 'v1', image)
    expect(server.requests).toEqual([])
    expect((await server.send('GET', '/v2/app/manifests/v1')).bytes).toEqual(image.manifest)
  })

  it('writes down what it sees, and on which origin', async () => {
    await using server = await startMisbehavingRegistry()
    expect(server.url).toBe(`http://${server.host}`)
    expect(server.trap.url).toBe(`http://${server.trap.host}`)
    expect(server.trap.host).not.toBe(server.host)
    const body = 'x'.repeat(100_000)
    await rawRequest(`${server.url}/v2/app/manifests/v1?a=b`, { method: 'PUT', body, headers: { 'x-test': 'yes' } })
    await rawRequest(`${server.trap.url}/v2/`)
    expect(server.requests[0]).toMatchObject({
      origin: 'registry',
      method: 'PUT',
      target: '/v2/app/manifests/v1?a=b',
      bodyBytes: 100_000,
      status: 400,
    })
    expect(server.requests[0]?.headers['x-test']).toBe('yes')
    expect(Buffer.from(server.requests[0]?.bodyStart ?? []).toString()).toBe(body.slice(0, 65_536))
    expect(server.requests[1]).toMatchObject({ origin: 'trap', target: '/v2/', status: 200 })
    expect(server.seen({ origin: 'trap' })).toHaveLength(1)
    expect(server.seen({ method: ['PUT', 'POST'], path: /manifests/ })).toHaveLength(1)
    server.forget()
    expect(server.requests).toEqual([])
  })

  it('applies a behaviour to the requests that match, as often as it was told', async () => {
    await using server = await startMisbehavingRegistry()
    const rule = server.on({ method: 'GET', path: /^\/v2\/$/g }, fail(503), { skip: 1, times: 2 })
    const status = async (method: string, path: string, url = server.url): Promise<number | undefined> =>
      (await rawRequest(`${url}${path}`, { method })).status
    expect(await status('GET', '/v2/')).toBe(200)
    expect(await status('HEAD', '/v2/')).toBe(200)
    expect(await status('GET', '/v2/', server.trap.url)).toBe(200)
    expect(await status('GET', '/v2/')).toBe(503)
    expect(await status('GET', '/v2/_catalog')).toBe(200)
    expect(await status('GET', '/v2/')).toBe(503)
    expect(await status('GET', '/v2/')).toBe(200)
    expect(rule.hits).toBe(2)
    const trapped = server.on({ origin: 'trap' }, fail(500))
    expect(await status('GET', '/v2/')).toBe(200)
    expect(await status('GET', '/v2/', server.trap.url)).toBe(500)
    trapped.remove()
    expect(await status('GET', '/v2/', server.trap.url)).toBe(200)
  })

  it('puts behaviours around one another: what was ordered last has the last word', async () => {
    await using server = await startMisbehavingRegistry()
    server.on({}, setHeader('x-order', 'first'))
    server.on({}, setHeader('x-order', 'second'))
    server.on({}, warn('and this'))
    const answer = await rawRequest(`${server.url}/v2/`)
    expect(answer.header('x-order')).toEqual(['second'])
    expect(answer.header('warning')).toEqual(['299 - "and this"'])
  })

  it('says when it ends that a behaviour of a test failed', async () => {
    const server = await startMisbehavingRegistry()
    server.on({}, () => {
      throw new Error('a mistake in a test')
    })
    expect((await rawRequest(`${server.url}/v2/`)).ended).toBe('broken')
    await expect(server[Symbol.asyncDispose]()).rejects.toThrow(/a mistake in a test/)
  })

  it('calls a request to the trap a leak when it brings credentials, wherever they are', async () => {
    await using server = await startMisbehavingRegistry({
      auth: { scheme: 'bearer', users: { alice: 's3cret/+ word' } },
    })
    const { url } = server.trap
    const token = server.tokens.issue([])
    await rawRequest(`${url}/v2/`)
    await rawRequest(`${server.url}/v2/`, { headers: { authorization: `Bearer ${token}` } })
    expect(server.leaks).toEqual([])
    await rawRequest(`${url}/v2/`, { headers: { authorization: 'anything' } })
    await rawRequest(`${url}/v2/`, { headers: { cookie: 'a=b' } })
    await rawRequest(`${url}/v2/?token=${token}`)
    await rawRequest(`${url}/v2/?password=${encodeURIComponent('s3cret/+ word')}`)
    await rawRequest(`${url}/v2/`, { headers: { 'x-own': Buffer.from('alice:s3cret/+ word').toString('base64') } })
    const form = new URLSearchParams({ username: 'alice', password: 's3cret/+ word' }).toString()
    await rawRequest(`${url}/token`, { method: 'POST', body: form })
    expect(server.leaks).toHaveLength(6)
  })
})
