import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { Agent, type IncomingMessage, request } from 'node:http'
import { createHttpClient, locationOf } from '../http.ts'
import { beDriver } from './driver.ts'

export interface PushTask {
  readonly url: string
  readonly repository: string
  readonly count: number
  /** A file of at least so many bytes. */
  readonly file: string
  readonly size: number
}

export interface PushReport {
  readonly milliseconds: readonly number[]
  readonly errors: readonly string[]
  readonly processor: number
}

const pieceSize = 256 * 1024

await beDriver(async (task) => {
  // The row wrote it.
  const { url, repository, count, file, size } = task as PushTask
  const content = (await readFile(file)).subarray(0, size)
  // Each blob is another one by its first bytes, and the rest need not be in memory as often as there are blobs.
  const blobs = Array.from({ length: count }, (_, index) => {
    const start = Buffer.from(content.subarray(0, pieceSize))
    start.writeUInt32BE(index, 0)
    const hash = createHash('sha256').update(start).update(content.subarray(pieceSize))
    return { start, digest: `sha256:${hash.digest('hex')}` }
  })
  const agent = new Agent({ keepAlive: true, maxSockets: count })

  const push = async ({ start, digest }: (typeof blobs)[number]): Promise<void> => {
    const begun = await client.send('POST', `/v2/${repository}/blobs/uploads/`)
    if (begun.status !== 202) throw new Error(`POST was answered ${begun.status}`)
    const place = new URL(locationOf(begun), url)
    place.searchParams.set('digest', digest)
    const headers = { 'content-type': 'application/octet-stream', 'content-length': size }
    const put = request(place, { method: 'PUT', agent, headers })
    const answered = once(put, 'response') as Promise<[IncomingMessage]>
    answered.catch(() => {})
    put.write(start)
    for (let at = pieceSize; at < size; at += pieceSize) {
      if (!put.write(content.subarray(at, at + pieceSize))) await Promise.race([once(put, 'drain'), answered])
    }
    put.end()
    const [answer] = await answered
    answer.resume()
    await once(answer, 'end')
    if (answer.statusCode !== 201) throw new Error(`PUT was answered ${answer.statusCode}`)
  }
  const client = createHttpClient(url, { maxSockets: count })

  return async (): Promise<PushReport> => {
    const milliseconds: number[] = []
    const errors: string[] = []
    const start = performance.now()
    const before = process.cpuUsage()
    await Promise.all(
      blobs.map(async (blob) => {
        try {
          await push(blob)
          milliseconds.push(performance.now() - start)
        } catch (error) {
          errors.push(error instanceof Error ? error.message : String(error))
        }
      }),
    )
    const { user, system } = process.cpuUsage(before)
    client[Symbol.dispose]()
    agent.destroy()
    return { milliseconds, errors, processor: (user + system) / 1000 / (performance.now() - start) }
  }
})
