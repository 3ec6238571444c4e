import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { connectTo, type RawConnection } from '../testing/raw-connection.ts'
import { type ConnectionLimits, type Connections, type EndReason, watchConnections } from './connections.ts'

const generous: ConnectionLimits = { bodyIdle: 60_000, bodyMinRate: 0, bodyGrace: 60_000, readerIdle: 60_000 }

interface Watched {
  readonly connections: Connections
  readonly reasons: EndReason[]
  connect(): Promise<RawConnection>
}

const watched = async (limits: Partial<ConnectionLimits>, handle: RequestListener): Promise<Watched> => {
  const server = createServer()
  const reasons: EndReason[] = []
  const connections = watchConnections(server, { ...generous, ...limits }, (reason) => reasons.push(reason))
  server.on('request', (req, res) => {
    connections.begin(req, res)
    handle(req, res)
  })
  server.on('checkContinue', (req, res) => {
    connections.beginExpecting(req, res)
    handle(req, res)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  onTestFinished(() => {
    connections.stop()
    server.close()
    server.closeAllConnections()
  })
  return { connections, reasons, connect: async () => connectTo(port) }
}

/** Reads the body, then answers. */
const takeAll: RequestListener = (req, res) => {
  req.on('end', () => res.end('done')).on('error', () => {})
  req.resume()
}

const post = (length: number): string => `POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${length}\r\n\r\n`
const sleep = async (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds))

test('a body of which nothing comes ends the connection', async () => {
  const { connect, reasons, connections } = await watched({ bodyIdle: 200 }, takeAll)
  using client = await connect()
  client.send(`${post(100)}some`)
  await client.ended()
  expect(reasons).toEqual(['idle body'])
  expect(connections.ended.get('idle body')).toBe(1)
})

test('a body that goes on coming may take longer than that', async () => {
  const { connect, reasons } = await watched({ bodyIdle: 300 }, takeAll)
  using client = await connect()
  client.send(post(10))
  for (let sent = 0; sent < 10; sent++) {
    // One after the other is the point.
    await sleep(80)
    client.send('x')
  }
  await client.received('done')
  expect(reasons).toEqual([])
})

test('a body that comes too slowly on average ends the connection', async () => {
  const { connect, reasons } = await watched({ bodyMinRate: 1000, bodyGrace: 300 }, takeAll)
  using client = await connect()
  client.send(post(10_000))
  const drip = setInterval(() => client.send('x'), 50)
  await client.ended()
  clearInterval(drip)
  expect(reasons).toEqual(['slow body'])
})

test('a body that is fast enough is not ended', async () => {
  const { connect, reasons } = await watched({ bodyMinRate: 100, bodyGrace: 200 }, takeAll)
  using client = await connect()
  client.send(post(10_000))
  for (let sent = 0; sent < 10; sent++) {
    client.send('x'.repeat(1000))
    await sleep(60)
  }
  await client.received('done')
  expect(reasons).toEqual([])
})

test('a server that does not fetch the body blames nobody', async () => {
  const { connect, reasons } = await watched({ bodyIdle: 200, bodyMinRate: 1000, bodyGrace: 200 }, (req, res) => {
    setTimeout(() => takeAll(req, res), 800)
  })
  using client = await connect()
  // The rest waits in the client: what was sent fills the buffers of a server that does not read.
  client.send(`${post(500_000)}${'x'.repeat(500_000)}`)
  await client.received('done')
  expect(reasons).toEqual([])
})

test('a client that waits to be told to go on is not to blame either', async () => {
  const { connect, reasons } = await watched({ bodyIdle: 200 }, (req, res) => {
    setTimeout(() => {
      res.writeContinue()
      takeAll(req, res)
    }, 700)
  })
  using client = await connect()
  client.send('POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n')
  await client.received('100 Continue')
  client.send('body')
  await client.received('done')
  expect(reasons).toEqual([])
})

test('once told to go on, it is', async () => {
  const { connect, reasons } = await watched({ bodyIdle: 200 }, (req, res) => {
    res.writeContinue()
    takeAll(req, res)
  })
  using client = await connect()
  client.send('POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n')
  await client.ended()
  expect(reasons).toEqual(['idle body'])
})

test('a client that takes nothing of its answer is ended', async () => {
  const { connect, reasons } = await watched({ readerIdle: 300 }, (_, res) => {
    const more = (): void => {
      while (res.write('x'.repeat(65_536)));
    }
    res.on('drain', more)
    more()
  })
  using client = await connect()
  client.send('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
  await client.received('HTTP/1.1 200')
  client.socket.pause()
  await expect.poll(() => reasons, { timeout: 10_000 }).toEqual(['stalled reader'])
})

test('a client that reads slowly, but reads, is not: even when the answer is one large write', async () => {
  const size = 64 * 1024 * 1024
  const { connect, reasons } = await watched({ readerIdle: 400 }, (_, res) => void res.end(Buffer.alloc(size)))
  using client = await connect()
  const { socket } = client
  let taken = 0
  socket.removeAllListeners('data')
  socket.on('data', (chunk: string) => {
    taken += chunk.length
    socket.pause()
    // Some 1.5 s for the whole.
    setTimeout(() => socket.resume(), taken < size / 2 ? 4 : 0)
  })
  client.send('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
  await client.ended()
  expect(taken).toBeGreaterThan(size)
  expect(reasons).toEqual([])
})

test('an idle connection is left to the keep-alive limit', async () => {
  const { connect, reasons } = await watched({ bodyIdle: 100, bodyGrace: 100, readerIdle: 100 }, takeAll)
  using client = await connect()
  client.send(`${post(4)}body`)
  await client.received('done')
  await sleep(500)
  expect(reasons).toEqual([])
  expect(client.open).toBe(true)
})

test('counts connections and requests under way', async () => {
  let finish = (): void => {}
  const { connect, connections } = await watched({}, (_, res) => {
    finish = () => void res.end('done')
  })
  using idle = await connect()
  using busy = await connect()
  busy.send('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
  await expect.poll(() => connections.inFlight()).toBe(1)
  expect(connections.open()).toBe(2)
  finish()
  await busy.received('done')
  await expect.poll(() => connections.inFlight()).toBe(0)
  connections.endUnused()
  await idle.ended()
  expect(busy.open).toBe(true)
  connections.endAll()
  await busy.ended()
})
