/**
 * Where tests without Debian's programs let a registry of ours look like docker-registry 2.8, it must do as that one does:
 * the same requests get the same answers from both.
 */
import { once } from 'node:events'
import { connect } from 'node:net'
import {
  sample,
  startMisbehavingRegistry,
  statefulUploads,
  withoutReferrersApi,
  withoutSinglePost,
  withoutTagDeletion,
} from '@stowage/testkit'
import { describe, expect, it } from 'vitest'
import { startDockerRegistry } from './docker-registry.ts'

type Peer = { readonly url: string } & AsyncDisposable

const startLookalike = async (): Promise<Peer> => {
  const server = await startMisbehavingRegistry()
  server.on({}, statefulUploads({ afterCut: 'lost' }))
  server.on({}, withoutReferrersApi('text'))
  server.on({}, withoutSinglePost())
  server.on({}, withoutTagDeletion(400, 'DIGEST_INVALID'))
  return server
}

const content = new Uint8Array(5000).map((_, index) => index % 251)
const digest = sample.sha256(content)

const send = async (url: string | URL, method = 'GET', body?: Uint8Array<ArrayBuffer>): Promise<Response> =>
  fetch(url, { method, ...(body === undefined ? {} : { body }) })

const begin = async ({ url }: Peer): Promise<URL> => {
  const answer = await send(`${url}/v2/app/blobs/uploads/`, 'POST')
  expect(answer.status).toBe(202)
  return locationOf(answer)
}

const locationOf = ({ headers, url }: Response): URL => new URL(headers.get('location') ?? '', url)

/** A PATCH whose connection breaks when a part of its body is there. */
const cutPatch = async ({ host, hostname, port, pathname, search }: URL): Promise<void> => {
  const socket = connect(Number(port), hostname)
  socket.write(`PATCH ${pathname}${search} HTTP/1.1\r\nHost: ${host}\r\nContent-Length: ${content.byteLength}\r\n\r\n`)
  socket.write(content.subarray(0, 1000))
  // Half of the connection is closed, so that the other side has seen the end when it closes its own.
  socket.end()
  socket.resume()
  await once(socket, 'close')
}

describe.each([
  ['docker-registry', startDockerRegistry],
  ['the registry that looks like it', startLookalike],
])('%s', (_name, start: () => Promise<Peer>) => {
  it('knows an upload by its newest Location alone', async () => {
    await using peer = await start()
    const first = await begin(peer)
    const chunk = await send(first, 'PATCH', content.slice(0, 1000))
    expect([chunk.status, chunk.headers.get('range')]).toEqual([202, '0-999'])
    const stale = await send(first)
    expect([stale.status, await stale.text()]).toEqual([404, expect.stringContaining('BLOB_UPLOAD_INVALID')])
    const status = await send(locationOf(chunk))
    expect([status.status, status.headers.get('range')]).toEqual([204, '0-999'])
    const last = locationOf(status)
    last.searchParams.set('digest', digest)
    expect((await send(last, 'PUT', content.slice(1000))).status).toBe(201)
  })

  it('does not find an upload again whose chunk was cut', async () => {
    await using peer = await start()
    const first = await begin(peer)
    const chunk = await send(first, 'PATCH', content.slice(0, 1000))
    await cutPatch(locationOf(chunk))
    await expect.poll(async () => (await send(locationOf(chunk))).status).toBe(404)
    expect((await send(first)).status).toBe(404)
  })

  it('takes a POST with a digest for the begin of an upload', async () => {
    await using peer = await start()
    const answer = await send(`${peer.url}/v2/app/blobs/uploads/?digest=${digest}`, 'POST', content)
    expect([answer.status, locationOf(answer).searchParams.has('_state')]).toEqual([202, true])
    expect((await send(`${peer.url}/v2/app/blobs/${digest}`, 'HEAD')).status).toBe(404)
  })

  it('has no referrers API, and deletes no tag', async () => {
    await using peer = await start()
    const referrers = await send(`${peer.url}/v2/app/referrers/${digest}`)
    expect([referrers.status, await referrers.text()]).toEqual([404, '404 page not found\n'])
    const deleted = await send(`${peer.url}/v2/app/manifests/v1`, 'DELETE')
    expect([deleted.status, await deleted.text()]).toEqual([400, expect.stringContaining('DIGEST_INVALID')])
  })
})
