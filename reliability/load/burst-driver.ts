import { once } from 'node:events'
import { connect } from 'node:net'
import { median } from '../../bench/statistics.ts'
import { beDriver } from './driver.ts'

export interface BurstTask {
  readonly url: string
  readonly connections: number
  /** Requests that each connection sends, one after the other. */
  readonly each: number
  readonly method: 'POST' | 'PUT'
  /** `#` in it stands for a number that is another one in each request. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

export interface BurstReport {
  readonly milliseconds: number
  readonly statuses: Readonly<Record<string, number>>
  /** Of the answers 429 and 503: from when the request was sent until it was answered, and how many say when to come back. */
  readonly refused: { readonly median: number; readonly withRetryAfter: number }
  readonly errors: readonly string[]
}

await beDriver(async (task) => {
  // The row wrote it.
  const { url, connections, each, method, path, headers, body } = task as BurstTask
  const { hostname, port } = new URL(url)
  const lines = Object.entries({ Host: `${hostname}:${port}`, ...headers, 'Content-Length': Buffer.byteLength(body) })
  const rest = `HTTP/1.1\r\n${lines.map((line) => line.join(': ')).join('\r\n')}\r\n\r\n${body}`
  const sockets = await Promise.all(
    Array.from({ length: connections }, async () => {
      const socket = connect({ host: hostname, port: Number(port), noDelay: true })
      await once(socket, 'connect')
      return socket
    }),
  )
  const statuses: Record<string, number> = {}
  const refusals: number[] = []
  let withRetryAfter = 0
  const errors: string[] = []

  const burst = async (socket: (typeof sockets)[number], index: number): Promise<void> => {
    let pending = ''
    let answered = 0
    let sentAt = 0
    const all = Promise.withResolvers<void>()
    const send = (): void => {
      sentAt = performance.now()
      socket.write(`${method} ${path.replace('#', `${index}-${answered}`)} ${rest}`)
    }
    const take = (head: string): void => {
      const status = head.slice(9, 12)
      statuses[status] = (statuses[status] ?? 0) + 1
      answered += 1
      if (status !== '429' && status !== '503') return
      refusals.push(performance.now() - sentAt)
      if (/\r\nretry-after: \d+/i.test(head)) withRetryAfter += 1
    }
    socket.setEncoding('latin1')
    socket.on('data', (text: string) => {
      pending += text
      const end = pending.indexOf('\r\n\r\n')
      if (end < 0) return
      const head = pending.slice(0, end)
      if (pending.length < end + 4 + Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? 0)) return
      pending = ''
      take(head)
      if (answered === each) all.resolve()
      else send()
    })
    socket.on('error', (error) => all.reject(error))
    socket.on('close', () => all.reject(new Error(`a connection was closed after ${answered} of ${each} answers`)))
    send()
    await all.promise
  }

  return async (): Promise<BurstReport> => {
    const start = performance.now()
    await Promise.all(
      sockets.map(async (socket, index) =>
        burst(socket, index).catch((error: unknown) =>
          errors.push(error instanceof Error ? error.message : String(error)),
        ),
      ),
    )
    const milliseconds = performance.now() - start
    for (const socket of sockets) socket.removeAllListeners('close').destroy()
    return {
      milliseconds,
      statuses,
      refused: { median: refusals.length === 0 ? 0 : median(refusals), withRetryAfter },
      errors,
    }
  }
})
