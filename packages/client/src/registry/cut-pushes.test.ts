import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { createTestRegistry } from '@stowage/testkit'
import { describe, expect, it } from 'vitest'
import { createClient } from '../client.ts'
import type { Content } from '../content/content.ts'
import { readAll } from '../content/verify.ts'
import { createNodeFetch } from '../node/node-fetch.ts'
import { fresh } from '../testing/contract/fresh.ts'
import { sample } from '../testing/sample-images.ts'
import type { TraceEvent } from '../transport/call.ts'

interface CuttingProxy extends AsyncDisposable {
  readonly host: string
  /** Cuts the connection on which this many bytes more have gone to the registry, which gets every one of them. */
  cutAfter(bytes: number): void
  readonly cuts: number
}

/** Nothing of HTTP: bytes there, bytes back, and now and then the end. */
const startCuttingProxy = async (port: number): Promise<CuttingProxy> => {
  let left = Number.POSITIVE_INFINITY
  let cuts = 0
  const sockets = new Set<Socket>()
  const server = createServer((client) => {
    const upstream = connect(port, '127.0.0.1')
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => sockets.delete(socket))
    }
    client.on('data', (chunk) => {
      const passed = chunk.subarray(0, left)
      left -= passed.byteLength
      if (passed.byteLength > 0) upstream.write(passed)
      if (left > 0) return
      left = Number.POSITIVE_INFINITY
      cuts++
      client.removeAllListeners('data')
      // What it says to that does not get through any more.
      upstream.removeAllListeners('data').resume()
      // The registry knows first, as it does where a connection breaks on the client's side.
      upstream.end()
      upstream.once('close', () => client.resetAndDestroy())
    })
    upstream.on('data', (chunk) => void client.write(chunk))
    upstream.on('end', () => client.end())
    client.on('end', () => upstream.end())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    cutAfter: (bytes) => void (left = bytes),
    get cuts() {
      return cuts
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** Bytes that know from where on, and how many of them, were taken. */
const counted = (
  bytes: Uint8Array,
): { readonly content: Content; readonly taken: { from: number; count: number }[] } => {
  const taken: { from: number; count: number }[] = []
  const content: Content = {
    size: bytes.byteLength,
    async *open({ offset = 0 } = {}) {
      const one = { from: offset, count: 0 }
      taken.push(one)
      for (let at = offset; at < bytes.byteLength; at += 4096) {
        const chunk = bytes.subarray(at, at + 4096)
        one.count += chunk.byteLength
        yield chunk
      }
    },
  }
  return { content, taken }
}

const open = async () => {
  const served = await createTestRegistry()
  const proxy = await startCuttingProxy(Number(new URL(served.url).port))
  const { fetch, ...node } = createNodeFetch({ proxy: false })
  const traces: TraceEvent[] = []
  const host = { plainHttp: true, retry: { attempts: 5, maxDelay: 20 }, uploads: { singlePostUpTo: 0 } }
  const client = createClient({
    fetch,
    sendsStreams: true,
    hosts: { [proxy.host]: host },
    onTrace: (event) => traces.push(event),
  })
  return {
    served,
    proxy,
    traces,
    client,
    repository: client.repository(`${proxy.host}/test/app`),
    async [Symbol.asyncDispose]() {
      await client[Symbol.asyncDispose]()
      await node[Symbol.asyncDispose]()
      await proxy[Symbol.asyncDispose]()
      await served[Symbol.asyncDispose]()
    },
  }
}

describe('a push that is cut at a byte that nobody chose', () => {
  it('comes to the right digest a hundred times, and no byte that was acknowledged is sent again', async () => {
    await using place = await open()
    const { proxy, repository, traces } = place
    for (let round = 0; round < 100; round++) {
      const bytes = fresh(100_000)
      const { descriptor } = sample('application/octet-stream', bytes)
      const { content, taken } = counted(bytes)
      // Somewhere in the requests of the push, their heads included.
      const at = 1 + Math.floor(Math.random() * 100_600)
      proxy.cutAfter(at)
      expect(await repository.putBlob(descriptor, content)).toBe('uploaded')
      expect(proxy.cuts, `cut after ${at} bytes`).toBe(round + 1)
      // An upload that was begun goes on: it is asked for no further one, and where it goes on it has not been before.
      const starts = taken.map(({ from }) => from)
      expect(starts, `cut after ${at} bytes`).toEqual(starts.toSorted((one, other) => one - other))
      expect(new Set(starts.filter((from) => from > 1)).size).toBe(starts.filter((from) => from > 1).length)
      expect(Buffer.compare(await readAll(repository.getBlob(descriptor), 1e6, 'it'), bytes)).toBe(0)
    }
    expect(traces.filter(({ method, status }) => method === 'PATCH' && status === 416)).toEqual([])
  })

  it('goes on a hundred times in one blob', async () => {
    await using place = await open()
    const { proxy, repository, traces } = place
    const bytes = fresh(3_000_000)
    const { descriptor } = sample('application/octet-stream', bytes)
    const { content, taken } = counted(bytes)
    const onRetry = (): void => proxy.cutAfter(2000 + Math.floor(Math.random() * 40_000))
    onRetry()
    let cuts = 0
    await repository.putBlob(descriptor, content, { onRetry: () => (++cuts < 100 ? onRetry() : undefined) })
    expect(cuts).toBeGreaterThan(60)
    expect(Buffer.compare(await readAll(repository.getBlob(descriptor), 1e7, 'it'), bytes)).toBe(0)
    const starts = taken.map(({ from }) => from)
    expect(starts).toEqual(starts.toSorted((one, other) => one - other))
    expect(new Set(starts).size).toBe(starts.length)
    expect(traces.filter(({ status }) => status === 416)).toEqual([])
    expect(traces.filter(({ method, status }) => method === 'POST' && status === 202)).toHaveLength(1)
  })
})
