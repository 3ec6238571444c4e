import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { bytesContent, type Content } from '../content/content.ts'
import { createNodeFetch, type NodeFetch } from '../node/node-fetch.ts'
import type { Answer } from './answer.ts'
import { exchange, type ExchangeRequest } from './exchange.ts'
import { globalFetch } from './fetch.ts'

const chunk = new Uint8Array(32 * 1024).fill(7)

/** Content of so many chunks, which knows whether it was closed. */
const watched = (chunks: number, between: (sent: number) => unknown = () => {}): Content & { opened: number } => {
  const content = {
    size: chunks * chunk.byteLength,
    opened: 0,
    async *open(): AsyncIterable<Uint8Array> {
      content.opened++
      try {
        for (let sent = 0; sent < chunks; sent++) {
          await between(sent)
          yield chunk
        }
      } finally {
        content.opened--
      }
    },
  }
  return content
}

const echoAtTheEnd = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
  const chunks: Uint8Array[] = []
  for await (const part of request as AsyncIterable<Uint8Array>) chunks.push(part)
  response.end(Buffer.concat(chunks))
}

const never = new AbortController().signal
const hanging = async (): Promise<void> => new Promise(() => {})

describe.each(['the fetch of Node', 'the fetch of every runtime'])('%s', (name) => {
  let server: Server
  let url: string
  let handle: (request: IncomingMessage, response: ServerResponse) => unknown
  let node: NodeFetch
  const sockets = new Set<Socket>()

  beforeEach(async () => {
    sockets.clear()
    server = createServer((request, response) => void handle(request, response))
    server.on('connection', (socket) => {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => sockets.delete(socket))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
    node = createNodeFetch({ proxy: false })
  })

  afterEach(async () => {
    await node[Symbol.asyncDispose]()
    await new Promise((resolve) => server.close(resolve).closeAllConnections())
  })

  const ask = async (more: Partial<ExchangeRequest> = {}): Promise<Answer> => {
    const { content } = more
    const length = content?.size === undefined ? {} : { 'content-length': String(content.size) }
    const settings = { fetch: name === 'the fetch of Node' ? node.fetch : globalFetch, sendsStreams: true }
    return exchange(settings, {
      method: content === undefined ? 'GET' : 'PUT',
      url,
      headers: new Headers(length),
      signal: never,
      idleTimeout: 5000,
      answerTimeout: 5000,
      ...more,
    })
  }

  const closed = async (content: { opened: number }): Promise<void> =>
    vi.waitFor(() => expect(content.opened).toBe(0), { timeout: 5000 })

  it('waits no longer for the whole of what is small than for an answer, however it drips', async () => {
    handle = (_, response) => {
      const drip = setInterval(() => response.write(' '), 20)
      response.on('close', () => clearInterval(drip))
    }
    const answer = await ask({ answerTimeout: 200 })
    await expect(answer.bytes(1e6, 'it')).rejects.toMatchObject({
      code: 'timeout',
      message: expect.stringContaining('not over in 200 ms'),
    })
  })

  it('says what is too large', async () => {
    handle = (_, response) => void response.end('too many')
    const answer = await ask()
    await expect(answer.bytes(3, 'the list')).rejects.toThrow('the list has more than 3 bytes')
  })

  it('brings a body there and back, and tells of progress', async () => {
    handle = (request, response) => request.pipe(response)
    const sent: number[] = []
    const content = watched(10)
    const answer = await ask({ content, onProgress: (count) => sent.push(count) })
    expect((await answer.bytes(1e6)).byteLength).toBe(content.size)
    expect(sent).toEqual(Array.from({ length: 10 }, (_, index) => (index + 1) * chunk.byteLength))
    await closed(content)
  })

  it('sends a part of the content', async () => {
    handle = (request, response) => request.pipe(response)
    const bytes = Uint8Array.from({ length: 200_000 }, (_, index) => index % 251)
    for (const [offset, length] of [
      [10, 100_000],
      [150_000, 50_000],
      [0, 1],
      [199_999, 1],
    ] as const) {
      const headers = new Headers({ 'content-length': String(length) })
      const answer = await ask({ content: bytesContent(bytes), offset, length, headers })
      expect(Buffer.compare(await answer.bytes(1e6), bytes.subarray(offset, offset + length))).toBe(0)
    }
  })

  it('says that nobody listens, and how to go on', async () => {
    const content = watched(10)
    await new Promise((resolve) => server.close(resolve))
    await expect(ask({ content })).rejects.toMatchObject({
      code: 'network',
      hint: expect.stringContaining('Nothing listens'),
    })
    await closed(content)
  })

  it('ends the content when the connection is cut', async () => {
    handle = (request) => {
      request.once('data', () => request.socket.resetAndDestroy())
    }
    const content = watched(1000, () => new Promise((resolve) => setTimeout(resolve, 1)))
    await expect(ask({ content })).rejects.toMatchObject({ code: 'network' })
    await closed(content)
  })

  it('takes an answer that comes before all was sent, and sends no more when that is over', async () => {
    handle = (_request, response) => {
      response.writeHead(413, { 'content-type': 'text/plain' }).end('too much')
    }
    const content = watched(1_000_000, () => new Promise((resolve) => setTimeout(resolve, 1)))
    const answer = await ask({ content })
    expect(answer.status).toBe(413)
    expect(Buffer.from(await answer.glance(100)).toString()).toBe('too much')
    await closed(content)
  })

  it('stops at once with the signal, also when the content hangs', async () => {
    handle = () => {}
    for (const between of [hanging, async (sent: number) => (sent === 3 ? hanging() : undefined)]) {
      const stop = new AbortController()
      const content = watched(10, between)
      const asking = ask({ content, signal: stop.signal })
      await vi.waitFor(() => expect(content.opened).toBe(1))
      stop.abort(new Error('enough'))
      await expect(asking).rejects.toMatchObject({ code: 'aborted' })
    }
    await expect(ask({ signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'aborted' })
  })

  it('gives up a registry that takes no more, and ends the content', async () => {
    handle = () => {}
    const content = watched(100_000)
    await expect(ask({ content, idleTimeout: 100 })).rejects.toMatchObject({ code: 'timeout' })
    await closed(content)
  })

  it('gives up a registry that does not answer', async () => {
    handle = (request) => request.resume()
    await expect(ask({ answerTimeout: 50 })).rejects.toMatchObject({ code: 'timeout' })
    await expect(ask({ content: watched(5), answerTimeout: 50 })).rejects.toMatchObject({ code: 'timeout' })
    await expect(ask({ content: bytesContent(chunk), answerTimeout: 50 })).rejects.toMatchObject({ code: 'timeout' })
    // The other one opens connections in advance, and keeps them for some seconds.
    if (name === 'the fetch of Node') await vi.waitFor(() => expect(sockets.size).toBe(0))
  })

  it('gives a source that takes its time the time it takes', async () => {
    handle = echoAtTheEnd
    const slow = watched(3, (sent) => new Promise((resolve) => setTimeout(resolve, sent === 1 ? 300 : 0)))
    const answer = await ask({ content: slow, idleTimeout: 100, answerTimeout: 5000 })
    expect((await answer.bytes(1e6)).byteLength).toBe(slow.size)
  })

  it('gives up an answer that stops in the middle, and closes its connection', async () => {
    handle = (_request, response) => void response.write('begun')
    const answer = await ask({ idleTimeout: 50 })
    await expect(answer.bytes(1e6)).rejects.toMatchObject({ code: 'timeout' })
    await vi.waitFor(() => expect(sockets.size).toBe(0))
  })

  it('does not hurry who reads', async () => {
    handle = (_request, response) => {
      response.write('one')
      setTimeout(() => response.end('two'), 10)
    }
    const answer = await ask({ idleTimeout: 200 })
    const read: string[] = []
    for await (const part of answer.body) {
      read.push(Buffer.from(part).toString())
      await new Promise((resolve) => setTimeout(resolve, 300))
    }
    expect(read.join('')).toBe('onetwo')
  })

  it('says that an answer broke off', async () => {
    handle = (_request, response) => {
      response.writeHead(200, { 'content-length': '100' })
      response.write('begun')
      setImmediate(() => response.destroy())
    }
    await expect((await ask()).bytes(1e6)).rejects.toMatchObject({ code: 'network' })
  })

  it('closes the connection of an answer that is left', async () => {
    handle = (_request, response) => {
      const more = (): void => void response.write(chunk, () => setImmediate(more))
      more()
    }
    for (const leave of [
      async (answer: Answer) => answer.discard(),
      async (answer: Answer) => expect((await answer.glance(10)).byteLength).toBe(10),
      async (answer: Answer) => expect(answer.bytes(1000)).rejects.toMatchObject({ code: 'too-large' }),
      async (answer: Answer) => {
        for await (const _ of answer.body) break
      },
    ]) {
      await leave(await ask())
      await vi.waitFor(() => expect(sockets.size).toBe(0), { timeout: 5000 })
    }
  })

  it('uses the connection of a short answer again', async () => {
    handle = (_request, response) => response.end('short')
    const ports = new Set<number | undefined>()
    server.on('request', ({ socket }: IncomingMessage) => ports.add(socket.remotePort))
    for (let count = 0; count < 5; count++) await (await ask()).discard()
    // The last one may not be free yet when the next request is made.
    expect(ports.size).toBeLessThanOrEqual(2)
  })

  it('waits for no one with what nobody depends on', async () => {
    handle = (_request, response) => void response.write('begun')
    const answer = await ask({ idleTimeout: 100 })
    expect(Buffer.from(await answer.glance(1000)).toString()).toBe('begun')
    await vi.waitFor(() => expect(sockets.size).toBe(0))
  })

  describe('content that is not what it says', () => {
    const of = (size: number | undefined, open: Content['open']): Content => ({ size, open })
    const chunks = (count: number): Content['open'] =>
      async function* () {
        for (let index = 0; index < count; index++) yield chunk
      }

    beforeEach(() => {
      handle = (request, response) => {
        request.resume()
        request.on('end', () => response.end())
      }
    })

    it.each([1, 5])('is shorter or longer: an error that says so (%i chunks)', async (count) => {
      const size = count * chunk.byteLength
      await expect(ask({ content: of(size + 1, chunks(count)) })).rejects.toMatchObject({ code: 'digest-mismatch' })
      await expect(ask({ content: of(size - 1, chunks(count)) })).rejects.toMatchObject({ code: 'digest-mismatch' })
      await expect(ask({ content: of(size, chunks(count + 1)) })).rejects.toMatchObject({ code: 'digest-mismatch' })
      expect((await ask({ content: of(size, chunks(count)) })).status).toBe(200)
      expect((await ask({ content: of(undefined, chunks(count)) })).status).toBe(200)
    })

    it('breaks off: an error that is not the network’s', async () => {
      for (const size of [10, 10 * chunk.byteLength, undefined]) {
        const broken = of(size, async function* () {
          yield chunk.subarray(0, 5)
          throw new Error('the disk is gone')
        })
        const asking = ask({ content: broken })
        await expect(asking).rejects.toMatchObject({ code: 'invalid-content' })
        await expect(asking).rejects.toThrow(/the disk is gone/)
      }
    })
  })
})
