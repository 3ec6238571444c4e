import { connect } from 'node:net'
import { median, percentile } from '../statistics.ts'

export interface HeadLoad {
  readonly url: string
  readonly connections: number
  readonly seconds: number
}

export interface HeadReport {
  readonly requestsPerSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
}

/**
 * HEAD on keep-alive connections, one request in flight on each. wrk cannot do it: it waits for the body that the
 * Content-Length of the answer to a HEAD announces and that never comes. The answer has no body, so the end of the head
 * is the end of the answer and nothing else needs to be parsed.
 */
export async function driveHead({ url, connections, seconds }: HeadLoad): Promise<HeadReport> {
  const { hostname, port, pathname } = new URL(url)
  const head = Buffer.from(`HEAD ${pathname} HTTP/1.1\r\nHost: ${hostname}:${port}\r\n\r\n`)
  const latencies: number[] = []
  const start = performance.now()
  const end = start + seconds * 1000
  const one = () =>
    new Promise<void>((resolve, reject) => {
      let sentAt = 0
      let pending = ''
      const incoming = Buffer.allocUnsafe(16 * 1024)
      const send = () => {
        sentAt = performance.now()
        socket.write(head)
      }
      const receive = (text: string) => {
        pending += text
        if (!pending.endsWith('\r\n\r\n')) return
        if (!pending.startsWith('HTTP/1.1 200 ')) {
          socket.destroy(new Error(`HEAD ${url} was answered: ${pending.slice(0, 200)}`))
          return
        }
        pending = ''
        const now = performance.now()
        latencies.push(now - sentAt)
        if (now < end) send()
        else socket.end()
      }
      const socket = connect({
        host: hostname,
        port: Number(port),
        noDelay: true,
        onread: {
          buffer: incoming,
          callback: (bytes) => {
            receive(incoming.toString('latin1', 0, bytes))
            return true
          },
        },
      })
      socket.on('connect', send)
      socket.on('error', reject)
      socket.on('close', () => (performance.now() < end ? reject(new Error(`${url} closed a connection`)) : resolve()))
    })
  await Promise.all(Array.from({ length: connections }, one))
  const took = (performance.now() - start) / 1000
  return { requestsPerSecond: latencies.length / took, p50Ms: median(latencies), p99Ms: percentile(latencies, 99) }
}
