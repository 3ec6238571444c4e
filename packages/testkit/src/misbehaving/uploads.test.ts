import { describe, expect, it } from 'vitest'
import { sample } from '../samples.ts'
import { cutUploadAfter } from './cut.ts'
import { chunkMinLength, withoutChunks, withoutMount, withoutSinglePost } from './lacks.ts'
import { type MisbehavingRegistry, startMisbehavingRegistry } from './misbehaving-registry.ts'
import { rawRequest, type Witnessed } from '../testing/raw-request.ts'
import {
  statefulUploads,
  uploadLocationOnTrap,
  withoutUploadLocation,
  writeUploadLocation,
} from './upload-locations.ts'

const content = new Uint8Array(500_000).map((_, index) => index % 253)
const digest = sample.sha256(content)

const begin = async (server: MisbehavingRegistry, query = ''): Promise<Witnessed> =>
  rawRequest(`${server.url}/v2/app/blobs/uploads/${query}`, { method: 'POST' })

const locationOf = (answer: Witnessed, asked: string): string => new URL(answer.header('location')[0] ?? '', asked).href

/** As a client should: to where the last answer said. */
const finish = async (location: string, body: Uint8Array): Promise<Witnessed> => {
  const url = new URL(location)
  url.searchParams.set('digest', digest)
  return rawRequest(url.href, { method: 'PUT', body })
}

describe('an upload that is cut', () => {
  it.each([
    ['all that arrived is kept', {}, 123_456],
    ['a part of it is kept', { kept: 1000 }, 1000],
    ['none of it is kept', { kept: 0 }, 0],
  ])('%s, and it can go on there', async (_name, options, kept) => {
    await using server = await startMisbehavingRegistry()
    const location = locationOf(await begin(server), server.url)
    server.on({ method: 'PATCH' }, cutUploadAfter(123_456, options), { times: 1 })
    const cut = await rawRequest(location, { method: 'PATCH', body: content })
    expect([cut.status, cut.ended]).toEqual([undefined, 'broken'])
    const status = await rawRequest(location)
    expect(status.header('range')).toEqual([`0-${Math.max(kept - 1, 0)}`])
    const resumed = await rawRequest(location, {
      method: 'PATCH',
      body: content.subarray(kept),
      headers: { 'content-range': `${kept}-${content.byteLength - 1}` },
    })
    expect(resumed.status).toBe(202)
    expect((await finish(location, new Uint8Array())).status).toBe(201)
  })

  it('may be cut before its first byte, and at its last', async () => {
    await using server = await startMisbehavingRegistry()
    const location = locationOf(await begin(server), server.url)
    server.on({ method: 'PATCH' }, cutUploadAfter(0), { times: 1 })
    expect((await rawRequest(location, { method: 'PATCH', body: content })).ended).toBe('broken')
    expect((await rawRequest(location)).header('range')).toEqual(['0-0'])
    server.on({ method: 'PATCH' }, cutUploadAfter(content.byteLength), { times: 1 })
    expect((await rawRequest(location, { method: 'PATCH', body: content })).ended).toBe('broken')
    expect((await rawRequest(location)).header('range')).toEqual([`0-${content.byteLength - 1}`])
  })
})

describe('the Location of an upload', () => {
  it.each(['absolute', 'path', 'relative'] as const)('%s', async (form) => {
    await using server = await startMisbehavingRegistry()
    server.on({}, writeUploadLocation(form))
    const begun = await begin(server)
    const shape = { absolute: /^http:\/\/127/, path: /^\/v2\/app\/blobs\/uploads\/[^/]+$/, relative: /^[0-9a-f-]+$/ }
    expect(begun.header('location')[0]).toMatch(shape[form])
    const location = locationOf(begun, `${server.url}/v2/app/blobs/uploads/`)
    const chunk = await rawRequest(location, { method: 'PATCH', body: content })
    expect(chunk.header('location')[0]).toMatch(shape[form])
    expect((await finish(locationOf(chunk, location), new Uint8Array())).status).toBe(201)
  })

  it('on the trap, which takes the upload', async () => {
    await using server = await startMisbehavingRegistry()
    server.on({}, uploadLocationOnTrap())
    const location = locationOf(await begin(server), server.url)
    expect(location.startsWith(`${server.trap.url}/v2/app/blobs/uploads/`)).toBe(true)
    expect((await finish(location, content)).status).toBe(201)
    expect(server.seen({ origin: 'trap', method: 'PUT' })[0]?.bodyBytes).toBe(content.byteLength)
    expect((await server.send('HEAD', `/v2/app/blobs/${digest}`)).status).toBe(200)
  })

  it('missing', async () => {
    await using server = await startMisbehavingRegistry()
    server.on({}, withoutUploadLocation())
    const begun = await begin(server)
    expect([begun.status, begun.header('location')]).toEqual([202, []])
  })

  it('with a state that changes at each answer, of which the newest alone works', async () => {
    await using server = await startMisbehavingRegistry()
    server.on({}, statefulUploads())
    const first = locationOf(await begin(server), server.url)
    expect(first).toMatch(/\?_state=./)
    const chunk = await rawRequest(first, { method: 'PATCH', body: content.subarray(0, 1000) })
    const second = locationOf(chunk, first)
    expect([chunk.status, chunk.header('range')]).toEqual([202, ['0-999']])
    expect(second).not.toBe(first)
    for (const stale of [first, first.split('?')[0] ?? '']) {
      const refused = await rawRequest(stale, { method: 'PATCH', body: content.subarray(1000) })
      expect(refused.status).toBe(404)
      expect(refused.text()).toContain('BLOB_UPLOAD_INVALID')
    }
    const status = await rawRequest(second)
    expect([status.status, status.header('range')]).toEqual([204, ['0-999']])
    expect((await finish(locationOf(status, second), content.subarray(1000))).status).toBe(201)
  })

  it.each([
    ['kept', 204],
    ['lost', 404],
  ] as const)('with a state, after a cut: %s', async (afterCut, status) => {
    await using server = await startMisbehavingRegistry()
    server.on({}, statefulUploads({ afterCut }))
    server.on({ method: 'PATCH' }, cutUploadAfter(10))
    const location = locationOf(await begin(server), server.url)
    await rawRequest(location, { method: 'PATCH', body: content })
    expect((await rawRequest(location)).status).toBe(status)
  })
})

describe('registries that lack a way to push', () => {
  it('withoutSinglePost: 202, and the bytes are gone', async () => {
    await using server = await startMisbehavingRegistry()
    server.on({}, withoutSinglePost())
    const answer = await rawRequest(`${server.url}/v2/app/blobs/uploads/?digest=${digest}`, {
      method: 'POST',
      body: content,
    })
    expect(answer.status).toBe(202)
    expect((await server.send('HEAD', `/v2/app/blobs/${digest}`)).status).toBe(404)
    expect((await finish(locationOf(answer, server.url), content)).status).toBe(201)
  })

  it.each([202, 404, 405] as const)('withoutMount: %s', async (status) => {
    await using server = await startMisbehavingRegistry()
    await sample.pushBlob(server, 'from', content)
    server.on({}, withoutMount(status), { skip: 1 })
    const mount = (into: string): string => `${server.url}/v2/${into}/blobs/uploads/?mount=${digest}&from=from`
    expect((await rawRequest(mount('one'), { method: 'POST' })).status).toBe(201)
    const answer = await rawRequest(mount('two'), { method: 'POST' })
    expect([answer.status, answer.header('location').length]).toEqual([status, status === 202 ? 1 : 0])
    expect((await server.send('HEAD', `/v2/two/blobs/${digest}`)).status).toBe(404)
  })

  it('withoutChunks: no PATCH', async () => {
    await using server = await startMisbehavingRegistry()
    server.on({}, withoutChunks())
    const location = locationOf(await begin(server), server.url)
    expect((await rawRequest(location, { method: 'PATCH', body: content })).status).toBe(405)
    expect((await finish(location, content)).status).toBe(201)
  })

  it('chunkMinLength: said when an upload begins', async () => {
    await using server = await startMisbehavingRegistry()
    server.on({}, chunkMinLength(1000))
    const begun = await begin(server)
    expect(begun.header('oci-chunk-min-length')).toEqual(['1000'])
    const status = await rawRequest(locationOf(begun, server.url))
    expect([status.status, status.header('oci-chunk-min-length')]).toEqual([204, []])
  })
})
