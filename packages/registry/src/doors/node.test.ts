import { type EventEmitter, once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import type { Readable } from 'node:stream'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import {
  type BlobStore,
  createRegistry,
  memoryBlobs,
  type RegistryOptions,
  type RequestSummary,
  sqliteMetadata,
} from '@stowage/registry'
import { createTestRegistry, sample } from '@stowage/testkit'
import { describe, expect, it } from 'vitest'
import { toNodeHandler } from './node.ts'

const mebibyte = 2 ** 20
const gibibyte = 2 ** 30

/** What clients do to connections, seen from the client's end of the wire. */
const open = async (host: string): Promise<{ socket: Socket; received: () => string }> => {
  const { hostname, port } = new URL(`http://${host}`)
  // It stays open for writing when the server has said all it will say.
  const socket = connect({ port: Number(port), host: hostname, allowHalfOpen: true })
  const chunks: Uint8Array[] = []
  socket.on('data', (chunk: Uint8Array) => chunks.push(chunk))
  // A connection that breaks is what these tests are about; what came over it before is what counts.
  socket.on('error', () => {})
  await event(socket, 'connect')
  return { socket, received: () => Buffer.concat(chunks).toString('latin1') }
}

const head = (method: string, target: string, headers: Readonly<Record<string, string | number>>): string =>
  `${method} ${target} HTTP/1.1\r\nHost: registry.test\r\n${Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('')}\r\n`

/** Resolves at the event, whatever else happens: `once` of Node would reject when the connection breaks. */
const event = async (emitter: EventEmitter, name: string): Promise<unknown> =>
  new Promise((resolve) => emitter.once(name, resolve))

/** Resolves when the connection has brought the text, and rejects when it ends before. */
const until = async ({ socket, received }: Awaited<ReturnType<typeof open>>, text: string): Promise<void> => {
  while (!received().includes(text)) {
    if (socket.destroyed) throw new Error(`The connection ended after ${JSON.stringify(received())}`)
    await Promise.race([event(socket, 'data'), event(socket, 'close')])
  }
}

/** Resolves with the summary of the next request of this method that is answered, or whose client is gone. */
const watch = () => {
  const waiting = new Map<string, (summary: RequestSummary) => void>()
  return {
    onResponse: (summary: RequestSummary) => waiting.get(summary.method)?.(summary),
    next: async (method: string) => new Promise<RequestSummary>((resolve) => waiting.set(method, resolve)),
  }
}

const begin = async (url: string): Promise<string> => {
  const answer = await fetch(`${url}/v2/a/blobs/uploads/`, { method: 'POST' })
  expect(answer.status).toBe(202)
  return answer.headers.get('location') ?? ''
}

describe('a client that goes away', () => {
  it.each([
    { how: 'a chunk with a length', framing: { 'Content-Length': mebibyte }, prefix: '' },
    { how: 'a stream without a length', framing: { 'Transfer-Encoding': 'chunked' }, prefix: '100000\r\n' },
  ])('in the middle of $how leaves an upload that goes on where its bytes end', async ({ framing, prefix }) => {
    const { onResponse, next } = watch()
    await using registry = await createTestRegistry({ onResponse })
    const bytes = Buffer.alloc(mebibyte, 'abc')
    const location = await begin(registry.url)

    const broken = next('PATCH')
    const { socket } = await open(registry.host)
    socket.write(head('PATCH', location, framing) + prefix)
    socket.write(bytes.subarray(0, 300_000), () => socket.destroy())
    expect((await broken).status).toBe(400)

    const status = await fetch(`${registry.url}${location}`)
    expect(status.headers.get('range')).toBe('0-299999')
    const rest = await fetch(`${registry.url}${location}`, {
      method: 'PATCH',
      headers: { 'content-range': `300000-${mebibyte - 1}` },
      body: bytes.subarray(300_000),
    })
    expect(rest.status).toBe(202)
    const digest = sample.sha256(bytes)
    expect((await fetch(`${registry.url}${location}?digest=${digest}`, { method: 'PUT' })).status).toBe(201)
    const got = await fetch(`${registry.url}/v2/a/blobs/${digest}`)
    expect(bytes.equals(await got.bytes())).toBe(true)
  })

  it('in the middle of the closing request leaves nothing visible and an upload that can be closed', async () => {
    const { onResponse, next } = watch()
    await using registry = await createTestRegistry({ onResponse })
    const bytes = Buffer.alloc(mebibyte, 'def')
    const digest = sample.sha256(bytes)
    const location = await begin(registry.url)

    const broken = next('PUT')
    const { socket } = await open(registry.host)
    socket.write(head('PUT', `${location}?digest=${digest}`, { 'Content-Length': mebibyte }))
    socket.write(bytes.subarray(0, 300_000), () => socket.destroy())
    expect((await broken).status).toBe(400)
    expect((await fetch(`${registry.url}/v2/a/blobs/${digest}`)).status).toBe(404)

    const kept = await fetch(`${registry.url}${location}`)
    // `0-0` is what an upload without a byte says too.
    const last = Number(/^0-(\d+)$/.exec(kept.headers.get('range') ?? '')?.[1])
    const from = last === 0 ? 0 : last + 1
    const rest = await fetch(`${registry.url}${location}?digest=${digest}`, {
      method: 'PUT',
      headers: { 'content-range': `${from}-${mebibyte - 1}` },
      body: bytes.subarray(from),
    })
    expect(rest.status).toBe(201)
  })

  it('in the middle of a single POST leaves nothing', async () => {
    const { onResponse, next } = watch()
    await using registry = await createTestRegistry({ onResponse })
    const bytes = Buffer.alloc(mebibyte, 'ghi')
    const broken = next('POST')
    const { socket } = await open(registry.host)
    const digest = sample.sha256(bytes)
    socket.write(head('POST', `/v2/a/blobs/uploads/?digest=${digest}`, { 'Content-Length': mebibyte }))
    socket.write(bytes.subarray(0, 300_000), () => socket.destroy())
    expect((await broken).status).toBe(400)
    expect((await fetch(`${registry.url}/v2/a/blobs/${digest}`)).status).toBe(404)
  })

  it('in the middle of a download ends the reading of the blob', async () => {
    const { blobs, streams } = watchedBlobs()
    await using registry = await createTestRegistry({
      storage: { metadata: await sqliteMetadata({ path: ':memory:' }), blobs },
    })
    // More than the buffers of the two ends of a connection hold.
    const bytes = Buffer.alloc(32 * mebibyte, 'jkl')
    const digest = sample.sha256(bytes)
    await fetch(`${registry.url}/v2/a/blobs/uploads/?digest=${digest}`, { method: 'POST', body: bytes })

    const connection = await open(registry.host)
    connection.socket.write(head('GET', `/v2/a/blobs/${digest}`, {}))
    await until(connection, '\r\n\r\n')
    connection.socket.destroy()
    const [stream] = streams
    if (stream === undefined) throw new Error('The blob was not given as a stream.')
    if (!stream.closed) await event(stream, 'close')
    expect(stream.readableEnded).toBe(false)
  })
})

describe('an answer that is ready before the body has come', () => {
  const denied: RegistryOptions['access'] = {
    authorize: (_principal, action) =>
      action === 'push' ? { allow: false, challenge: 'Basic realm="registry"' } : { allow: true },
  }
  const upload = '/v2/a/blobs/uploads/'
  it.each([
    { why: 'nobody logged in', status: 401, target: upload, method: 'POST', options: { access: denied } },
    {
      why: 'a manifest is too large',
      status: 413,
      target: '/v2/a/manifests/latest',
      method: 'PUT',
      options: { manifests: { maxSize: 1000 } },
    },
    {
      why: 'a blob is too large',
      status: 413,
      target: `${upload}?digest=sha256:${'0'.repeat(64)}`,
      method: 'POST',
      options: { uploads: { maxBlobSize: 1000 } },
    },
  ])('because $why reaches a client that writes as fast as it can', async ({ status, target, method, options }) => {
    await using registry = await createTestRegistry(options)
    const url = `${registry.url}${target}`
    for (const bytes of [100_000, 2 * mebibyte, 11 * mebibyte]) {
      const answers = await pushFromThread({ url, method, bytes, rounds: 5 })
      expect(answers).toHaveLength(20)
      expect([bytes, ...new Set(answers)]).toEqual([bytes, String(status)])
    }
  })

  it('ends a connection whose client never stops writing', async () => {
    await using registry = await createTestRegistry({ access: denied })
    const endless = [{ 'Content-Length': 10 * gibibyte }, { 'Transfer-Encoding': 'chunked' }].map(async (framing) =>
      pushWithoutEnd(registry.host, head('POST', upload, framing), framing),
    )
    for (const { answer, written } of await Promise.all(endless)) {
      expect(answer).toMatch(/^HTTP\/1.1 401 .*"UNAUTHORIZED"/s)
      // What is drained, and what the buffers of the two ends hold.
      expect(written).toBeLessThan(64 * mebibyte)
    }
  })

  it('leaves a connection on which a small body had come in use', async () => {
    await using registry = await createTestRegistry({ access: denied })
    const connection = await open(registry.host)
    connection.socket.write(head('POST', upload, { 'Content-Length': 100_000 }))
    connection.socket.write(Buffer.alloc(100_000))
    await until(connection, '"UNAUTHORIZED"')
    connection.socket.write(head('GET', '/v2/', {}))
    await until(connection, '{"success":true}')
    connection.socket.destroy()
  })
})

describe('Expect: 100-continue', () => {
  const expectation = { Expect: '100-continue', 'Content-Length': 5 }

  it('is answered when it is known that the client may push, and not before', async () => {
    const asked = Promise.withResolvers<void>()
    const verdict = Promise.withResolvers<{ allow: true }>()
    await using registry = await createTestRegistry({
      access: {
        authorize: (_principal, action) => {
          if (action !== 'push') return { allow: true }
          asked.resolve()
          return verdict.promise
        },
      },
    })
    const connection = await open(registry.host)
    const digest = sample.sha256(Buffer.from('hello'))
    connection.socket.write(head('POST', `/v2/a/blobs/uploads/?digest=${digest}`, expectation))
    await asked.promise
    // Had the server told the client to go on, that would have come before the answer to a later request of another.
    expect((await fetch(`${registry.url}/v2/`)).status).toBe(200)
    await nextTurn()
    expect(connection.received()).toBe('')
    verdict.resolve({ allow: true })
    await until(connection, 'HTTP/1.1 100 Continue\r\n\r\n')
    connection.socket.write('hello')
    await until(connection, 'HTTP/1.1 201 ')
    connection.socket.destroy()
  })

  it('is answered with the refusal alone when the client may not push', async () => {
    await using registry = await createTestRegistry({
      access: { authorize: (_principal, action) => (action === 'push' ? { allow: false } : { allow: true }) },
    })
    const connection = await open(registry.host)
    connection.socket.write(head('POST', '/v2/a/blobs/uploads/', expectation))
    await until(connection, '"DENIED"')
    expect(connection.received()).toMatch(/^HTTP\/1.1 403 /)
    connection.socket.destroy()
  })

  it('is answered with the refusal alone when the announced chunk cannot be taken', async () => {
    await using registry = await createTestRegistry()
    const location = await begin(registry.url)
    const connection = await open(registry.host)
    connection.socket.write(head('PATCH', location, { ...expectation, 'Content-Range': '7-11' }))
    await until(connection, '"BLOB_UPLOAD_INVALID"')
    expect(connection.received()).toMatch(/^HTTP\/1.1 416 /)
    connection.socket.destroy()
  })
})

describe('requests that are sent behind each other on one connection', () => {
  /** A registry that decides about `first` when the test says so, and tells which repositories were asked for. */
  const setUp = async () => {
    const asked: string[] = []
    const first = Promise.withResolvers<{ allow: boolean }>()
    const registry = await createTestRegistry({
      access: {
        authorize: async (_principal, _action, { repository = '' }) => {
          asked.push(repository)
          return repository === 'first' ? first.promise : { allow: true }
        },
      },
    })
    const connection = await open(registry.host)
    const requests = ['first', 'second', 'third'].map((name) => head('GET', `/v2/${name}/tags/list`, {}))
    connection.socket.write(requests.join(''))
    // A later request of another client is answered: what was to happen on the first connection has.
    expect((await fetch(`${registry.url}/v2/other/tags/list`)).status).toBe(404)
    return { registry, connection, asked, answerFirst: () => first.resolve({ allow: true }) }
  }

  it('are begun when the one before is answered', async () => {
    const { registry, connection, asked, answerFirst } = await setUp()
    await using _ = registry
    expect(asked).toEqual(['first', 'other'])
    answerFirst()
    await until(connection, '"third"')
    expect(asked).toEqual(['first', 'other', 'second', 'third'])
    expect(connection.received().match(/HTTP\/1.1 404 /g)).toHaveLength(3)
    connection.socket.destroy()
  })

  it('are all answered when the host hands them over in another order than they came in', async () => {
    await using registry = await createRegistry({ storage: ':memory:' })
    const handler = toNodeHandler(registry)
    // As one does that looks first whether a path is its own.
    const server = createServer((req, res) => {
      if (req.url === '/late') void nextTurn().then(() => handler(req, res))
      else handler(req, res)
    }).listen(0, '127.0.0.1')
    await event(server, 'listening')
    const connection = await open(`127.0.0.1:${(server.address() as AddressInfo).port}`)
    connection.socket.write(head('GET', '/late', {}) + head('GET', '/v2/', {}) + head('GET', '/late', {}))
    connection.socket.write(head('GET', '/v2/after/tags/list', {}))
    await until(connection, '"after"')
    expect(
      connection
        .received()
        .match(/HTTP\/1.1 \d+/g)
        ?.map((line) => line.slice(-3)),
    ).toEqual(['404', '200', '404', '404'])
    connection.socket.destroy()
    server.close()
  })

  it('are not begun when the client goes away', async () => {
    const { registry, connection, asked, answerFirst } = await setUp()
    await using _ = registry
    connection.socket.destroy()
    expect((await fetch(`${registry.url}/v2/another/tags/list`)).status).toBe(404)
    answerFirst()
    expect((await fetch(`${registry.url}/v2/another/tags/list`)).status).toBe(404)
    expect(asked).toEqual(['first', 'other', 'another', 'another'])
  })
})

/**
 * Pushes again and again from a thread of its own (on the thread of the server a client would read every answer before its
 * writing fails): with and without a length, on connections that are to be used again and on some that are not. Gives the
 * status of each answer, or the code of the error that came instead.
 */
const pushFromThread = async (job: {
  url: string
  method: string
  bytes: number
  rounds: number
}): Promise<string[]> => {
  const worker = new Worker(
    `const { parentPort, workerData: { url, method, bytes, rounds } } = require('node:worker_threads')
    const { Agent, request } = require('node:http')
    const body = Buffer.alloc(bytes)
    const push = (agent, headers) => new Promise((resolve) => {
      const outgoing = request(url, { method, agent, headers })
      outgoing.on('response', (answer) => answer.resume().on('end', () => resolve(String(answer.statusCode))))
      outgoing.on('error', (error) => resolve(error.code)).end(body)
    })
    const all = async () => {
      const outcomes = []
      const reused = new Agent({ keepAlive: true })
      for (let round = 0; round < rounds; round++)
        for (const agent of [false, reused])
          for (const headers of [{ 'content-length': bytes }, { 'transfer-encoding': 'chunked' }])
            outcomes.push(await push(agent, headers))
      parentPort.postMessage(outcomes)
    }
    void all()`,
    { eval: true, workerData: job },
  )
  try {
    const [outcomes] = (await once(worker, 'message')) as [string[]]
    return outcomes
  } finally {
    await worker.terminate()
  }
}

/** Sends a body for as long as the server lets it. */
const pushWithoutEnd = async (
  host: string,
  requestHead: string,
  framing: object,
): Promise<{ answer: string; written: number }> => {
  const { socket, received } = await open(host)
  const chunked = 'Transfer-Encoding' in framing
  const piece = Buffer.concat(
    chunked ? [Buffer.from('10000\r\n'), Buffer.alloc(0x10000), Buffer.from('\r\n')] : [Buffer.alloc(0x10000)],
  )
  socket.write(requestHead)
  const closed = event(socket, 'close')
  const pump = (): void => {
    while (!socket.destroyed && socket.bytesWritten < 10 * gibibyte) if (!socket.write(piece)) return
  }
  socket.on('drain', pump)
  pump()
  await closed
  return { answer: received(), written: socket.bytesWritten }
}

/** A store that keeps hold of the streams it gave. */
const watchedBlobs = (): { blobs: BlobStore; streams: Readable[] } => {
  const streams: Readable[] = []
  const blobs = memoryBlobs()
  const read: BlobStore['read'] = async (...range) => {
    const given = await blobs.read(...range)
    if (given !== undefined && !(given instanceof Uint8Array)) streams.push(given)
    return given
  }
  return { blobs: { ...blobs, read }, streams }
}
