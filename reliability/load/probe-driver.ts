import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { percentile } from '../../bench/statistics.ts'
import { imageType } from '../image.ts'
import { beDriver } from './driver.ts'

export interface ProbeTask {
  readonly url: string
  readonly path: string
  readonly connections: number
  /** Milliseconds between an answer and the next request of the same connection. */
  readonly rest: number
}

export interface ProbeReport {
  readonly answers: number
  readonly perSecond: number
  readonly p50: number
  readonly p99: number
  readonly slowest: number
  readonly errors: readonly string[]
}

/** GETs something small on connections that stay open, until it is stopped: what other load does to it shows. */
await beDriver(async (task) => {
  // The row wrote it.
  const { url, path, connections, rest } = task as ProbeTask
  const { hostname, port } = new URL(url)
  const head = `GET ${path} HTTP/1.1\r\nHost: ${hostname}:${port}\r\nAccept: ${imageType}\r\n\r\n`
  const times: number[] = []
  const errors: string[] = []

  const probe = async (stop: AbortSignal): Promise<void> => {
    const socket = connect({ host: hostname, port: Number(port), noDelay: true })
    let got: Buffer = Buffer.alloc(0)
    let whole = Promise.withResolvers<void>()
    socket.on('data', (chunk: Buffer) => {
      got = got.byteLength === 0 ? chunk : Buffer.concat([got, chunk])
      const end = got.indexOf('\r\n\r\n')
      if (end < 0) return
      const text = got.toString('latin1', 0, end)
      if (!text.startsWith('HTTP/1.1 200 ')) whole.reject(new Error(`answered ${text.split('\r\n', 1)[0]}`))
      const length = Number(/\r\ncontent-length: (\d+)/i.exec(text)?.[1])
      if (got.byteLength === end + 4 + length) whole.resolve()
    })
    socket.on('error', (error) => whole.reject(error))
    socket.on('close', () => whole.reject(new Error('the connection was closed')))
    // What is rejected while nobody waits shows at the next request.
    whole.promise.catch(() => {})
    await once(socket, 'connect')
    while (!stop.aborted) {
      whole = Promise.withResolvers<void>()
      got = Buffer.alloc(0)
      const began = performance.now()
      socket.write(head)
      await whole.promise
      times.push(performance.now() - began)
      if (rest > 0) await pause(rest)
    }
    socket.removeAllListeners('close').destroy()
  }

  return async (stop): Promise<ProbeReport> => {
    const start = performance.now()
    await Promise.all(
      Array.from({ length: connections }, async () =>
        probe(stop).catch((error: unknown) => errors.push(error instanceof Error ? error.message : String(error))),
      ),
    )
    const seconds = (performance.now() - start) / 1000
    const at = (percent: number): number => (times.length === 0 ? 0 : percentile(times, percent))
    return {
      answers: times.length,
      perSecond: times.length / seconds,
      p50: at(50),
      p99: at(99),
      slowest: at(100),
      errors,
    }
  }
})
