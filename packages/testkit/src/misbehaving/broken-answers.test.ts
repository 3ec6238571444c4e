import { once } from 'node:events'
import { Agent, type IncomingMessage, request as httpRequest } from 'node:http'
import { connect } from 'node:net'
import { describe, expect, it } from 'vitest'
import { sample } from '../samples.ts'
import {
  flipByte,
  lengthenBody,
  overrunBody,
  replaceBody,
  setHeader,
  shortenBody,
  withoutLength,
  wrongDigestHeader,
} from './alter.ts'
import { cutBodyAfter, loseAnswer, loseRequest } from './cut.ts'
import { hang, hangAfterHead, hangAfterRequest, hangBodyAfter } from './hang.ts'
import { type MisbehavingRegistry, startMisbehavingRegistry } from './misbehaving-registry.ts'
import { rawRequest } from '../testing/raw-request.ts'

const content = new TextEncoder().encode('0123456789')
const digest = sample.sha256(content)
const path = `/v2/app/blobs/${digest}`

const startWithBlob = async (): Promise<MisbehavingRegistry> => {
  const server = await startMisbehavingRegistry()
  await sample.pushBlob(server, 'app', content)
  return server
}

describe('altered answers', () => {
  it.each([
    ['flipByte', flipByte(4), '0123556789', '10'],
    ['shortenBody', shortenBody(3), '012', '3'],
    ['lengthenBody', lengthenBody('ab'), '0123456789ab', '12'],
    ['replaceBody', replaceBody('else'), 'else', '4'],
  ])('%s', async (_name, behaviour, body, length) => {
    await using server = await startWithBlob()
    server.on({ path: /blobs\// }, behaviour)
    const answer = await rawRequest(`${server.url}${path}`)
    expect([answer.status, answer.ended, answer.text()]).toEqual([200, 'complete', body])
    expect(answer.header('content-length')).toEqual([length])
    expect(answer.header('docker-content-digest')).toEqual([digest])
  })

  it('overrunBody sends more than Content-Length says', async () => {
    await using server = await startWithBlob()
    server.on({}, overrunBody('more'))
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1')
    socket.write(`GET ${path} HTTP/1.1\r\nHost: ${server.host}\r\nConnection: close\r\n\r\n`)
    let text = ''
    for await (const chunk of socket) text += String(chunk)
    expect(text).toMatch(/\r\ncontent-length: 10\r\n/i)
    expect(text).toMatch(/\r\n\r\n0123456789more$/)
  })

  it('withoutLength sends the body in chunks', async () => {
    await using server = await startWithBlob()
    server.on({}, withoutLength())
    const answer = await rawRequest(`${server.url}${path}`)
    expect([answer.text(), answer.ended]).toEqual(['0123456789', 'complete'])
    expect(answer.header('content-length')).toEqual([])
    expect(answer.header('transfer-encoding')).toEqual(['chunked'])
  })

  it('change headers, also of a HEAD', async () => {
    await using server = await startWithBlob()
    server.on({}, wrongDigestHeader())
    server.on({}, setHeader('content-type', 'text/html'))
    server.on({}, setHeader('etag', undefined))
    for (const method of ['GET', 'HEAD']) {
      const answer = await rawRequest(`${server.url}${path}`, { method })
      expect(answer.header('docker-content-digest')).toEqual([`sha256:${'0'.repeat(64)}`])
      expect(answer.header('content-type')).toEqual(['text/html'])
      expect(answer.header('etag')).toEqual([])
    }
  })

  it('let a test fail that has no such byte to alter', async () => {
    const server = await startWithBlob()
    server.on({ path: /blobs\// }, flipByte(10))
    await rawRequest(`${server.url}${path}`)
    await expect(server[Symbol.asyncDispose]()).rejects.toThrow('The body has 10 bytes, and the behaviour needs 11.')
  })
})

describe('cut connections', () => {
  it('cutBodyAfter: exactly so many bytes come, for every number of them', async () => {
    await using server = await startWithBlob()
    for (let bytes = 0; bytes <= content.byteLength; bytes++) {
      const rule = server.on({}, cutBodyAfter(bytes))
      const answer = await rawRequest(`${server.url}${path}`)
      expect(answer.status).toBe(200)
      expect(answer.header('content-length')).toEqual(['10'])
      expect(answer.text()).toBe('0123456789'.slice(0, bytes))
      // HTTP knows no difference between the end of the last byte and the end of the connection.
      expect(answer.ended).toBe(bytes === content.byteLength ? 'complete' : 'broken')
      rule.remove()
    }
  })

  it('cutBodyAfter: in a large body', async () => {
    await using server = await startMisbehavingRegistry()
    const large = new Uint8Array(3_000_000).fill(7)
    const largePath = `/v2/app/blobs/${await sample.pushBlob(server, 'app', large)}`
    server.on({}, cutBodyAfter(2_345_678), { times: 1 })
    const cut = await rawRequest(`${server.url}${largePath}`)
    expect([cut.bytes.byteLength, cut.ended]).toEqual([2_345_678, 'broken'])
  })

  it.each([
    ['cutBodyAfter', (reset: boolean) => cutBodyAfter(1, { reset })],
    ['loseRequest', (reset: boolean) => loseRequest({ reset })],
    ['loseAnswer', (reset: boolean) => loseAnswer({ reset })],
  ])('%s: ends the connection, or resets it', async (_name, behaviour) => {
    await using server = await startWithBlob()
    for (const reset of [false, true]) {
      const rule = server.on({}, behaviour(reset))
      expect(await endOfConnection(server)).toBe(reset ? 'ECONNRESET' : 'end')
      rule.remove()
    }
  })

  it('cutBodyAfter: in a body without a length', async () => {
    await using server = await startWithBlob()
    server.on({}, withoutLength())
    server.on({}, cutBodyAfter(5))
    const answer = await rawRequest(`${server.url}${path}`)
    expect([answer.text(), answer.ended]).toEqual(['01234', 'broken'])
  })

  it.each([false, true])('loseRequest: the registry has not heard of it (reset: %s)', async (reset) => {
    await using server = await startWithBlob()
    server.on({ method: 'DELETE' }, loseRequest({ reset }))
    const answer = await rawRequest(`${server.url}${path}`, { method: 'DELETE' })
    expect([answer.status, answer.ended]).toEqual([undefined, 'broken'])
    expect((await server.send('GET', path)).status).toBe(200)
  })

  it.each([false, true])('loseAnswer: the registry has done it (reset: %s)', async (reset) => {
    await using server = await startWithBlob()
    server.on({ method: 'DELETE' }, loseAnswer({ reset }))
    const answer = await rawRequest(`${server.url}${path}`, { method: 'DELETE' })
    expect([answer.status, answer.ended]).toEqual([undefined, 'broken'])
    expect((await server.send('GET', path)).status).toBe(404)
  })
})

describe('hanging', () => {
  it('hang: no answer, until the server ends', async () => {
    const server = await startWithBlob()
    server.on({ method: 'DELETE' }, hang())
    const hanging = rawRequest(`${server.url}${path}`, { method: 'DELETE' })
    expect(await isStillOpen(server, hanging)).toBe(true)
    expect((await server.send('GET', path)).status).toBe(200)
    await server[Symbol.asyncDispose]()
    expect(await hanging).toMatchObject({ status: undefined, ended: 'broken' })
  })

  it('hangAfterRequest: it is done, and nobody says so', async () => {
    const server = await startWithBlob()
    server.on({ method: 'DELETE' }, hangAfterRequest())
    const hanging = rawRequest(`${server.url}${path}`, { method: 'DELETE' })
    expect(await isStillOpen(server, hanging)).toBe(true)
    expect((await server.send('GET', path)).status).toBe(404)
    await server[Symbol.asyncDispose]()
    expect((await hanging).status).toBeUndefined()
  })

  it.each([
    ['hangAfterHead', hangAfterHead(), 0],
    ['hangBodyAfter', hangBodyAfter(4), 4],
  ])('%s: the answer stops', async (_name, behaviour, bytes) => {
    const server = await startWithBlob()
    server.on({ path: /blobs\// }, behaviour)
    const came = Promise.withResolvers<void>()
    const hanging = rawRequest(`${server.url}${path}`, {
      onProgress: (length) => {
        if (length === bytes) came.resolve()
      },
    })
    await came.promise
    expect(await isStillOpen(server, hanging)).toBe(true)
    await server[Symbol.asyncDispose]()
    const answer = await hanging
    expect([answer.status, answer.text(), answer.ended]).toEqual([200, '0123456789'.slice(0, bytes), 'broken'])
  })

  it('ends also connections that are kept for further requests', async () => {
    const server = await startWithBlob()
    const agent = new Agent({ keepAlive: true })
    const request = httpRequest(`${server.url}/v2/`, { agent }).end()
    const [response] = (await once(request, 'response')) as [IncomingMessage]
    response.resume()
    await once(response, 'end')
    await server[Symbol.asyncDispose]()
    await expect(fetch(server.url)).rejects.toThrow(TypeError)
    agent.destroy()
  })
})

/** After other requests have gone all the way and come back. */
const isStillOpen = async (server: MisbehavingRegistry, hanging: Promise<unknown>): Promise<boolean> => {
  for (let round = 0; round < 3; round++) await rawRequest(`${server.trap.url}/v2/`)
  return (await Promise.race([hanging, Promise.resolve('open')])) === 'open'
}

const endOfConnection = async (server: MisbehavingRegistry): Promise<unknown> => {
  const settled = Promise.withResolvers<unknown>()
  const socket = connect(Number(new URL(server.url).port), '127.0.0.1')
  socket.write(`GET ${path} HTTP/1.1\r\nHost: ${server.host}\r\n\r\n`)
  socket.on('end', () => settled.resolve('end'))
  socket.on('error', (error) => settled.resolve('code' in error ? error.code : error))
  socket.resume()
  return settled.promise
}
