import { readFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { beDriver } from './driver.ts'

export interface PullTask {
  readonly url: string
  readonly path: string
  readonly connections: number
  /** A file with the bytes that are to come. */
  readonly file: string
  readonly size: number
}

export interface PullReport {
  /** Milliseconds from the common start to the last byte, of each that came whole. */
  readonly milliseconds: readonly number[]
  readonly errors: readonly string[]
  /** Of one core, on average: near 1, and the load is what is measured. */
  readonly processor: number
}

/** One stream in so many is compared byte for byte: all would make this the slowest part. */
const comparedOneIn = 10

await beDriver(async (task) => {
  // The row wrote it.
  const { url, path, connections, file, size } = task as PullTask
  const content = (await readFile(file)).subarray(0, size)
  const { hostname, port } = new URL(url)
  const head = `GET ${path} HTTP/1.1\r\nHost: ${hostname}:${port}\r\nConnection: close\r\n\r\n`
  // What is read is looked at at once and then overwritten by what any of them reads next.
  const incoming = Buffer.allocUnsafe(256 * 1024)

  const pull = async (compared: boolean): Promise<void> =>
    new Promise((resolve, reject) => {
      let received = -1
      const take = (piece: Buffer): void => {
        let body = piece
        if (received < 0) {
          const text = piece.toString('latin1', 0, 2048)
          const end = text.indexOf('\r\n\r\n')
          if (!text.startsWith('HTTP/1.1 200 ') || end < 0) {
            socket.destroy(new Error(`answered ${text.split('\r\n', 1)[0]}`))
            return
          }
          received = 0
          body = piece.subarray(end + 4)
        }
        if (compared && !body.equals(content.subarray(received, received + body.byteLength)))
          socket.destroy(new Error(`wrong bytes from ${received} on`))
        received += body.byteLength
      }
      const socket = connect({
        host: hostname,
        port: Number(port),
        onread: {
          buffer: incoming,
          callback: (bytes) => {
            take(incoming.subarray(0, bytes))
            return true
          },
        },
      })
      socket.on('connect', () => socket.write(head))
      socket.on('error', reject)
      socket.on('close', () => (received === size ? resolve() : reject(new Error(`${received} of ${size} bytes came`))))
    })

  return async (): Promise<PullReport> => {
    const milliseconds: number[] = []
    const errors: string[] = []
    const start = performance.now()
    const before = process.cpuUsage()
    await Promise.all(
      Array.from({ length: connections }, async (_, index) => {
        try {
          await pull(index % comparedOneIn === 0)
          milliseconds.push(performance.now() - start)
        } catch (error) {
          errors.push(error instanceof Error ? error.message : String(error))
        }
      }),
    )
    const { user, system } = process.cpuUsage(before)
    return { milliseconds, errors, processor: (user + system) / 1000 / (performance.now() - start) }
  }
})
