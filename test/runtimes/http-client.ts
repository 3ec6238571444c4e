/** Requests as they are written here: no redirect followed, no path tidied up, a body without a length where none is given. */
import { type IncomingHttpHeaders, request } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'

export interface HttpAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

export interface HttpOptions {
  readonly headers?: Readonly<Record<string, string>>
  /** Bytes go with their length; an array of them goes in chunks, without a length. */
  readonly body?: Uint8Array | readonly Uint8Array[]
}

/** @param target Path and query, sent as they are. */
export async function send(
  base: string,
  method: string,
  target: string,
  { headers = {}, body }: HttpOptions = {},
): Promise<HttpAnswer> {
  const { hostname, port } = new URL(base)
  const length = body instanceof Uint8Array ? { 'content-length': String(body.byteLength) } : {}
  const outgoing = request({ hostname, port, method, path: target, headers: { ...length, ...headers }, agent: false })
  const answered = new Promise<HttpAnswer>((resolve, reject) => {
    outgoing.on('error', reject)
    outgoing.on('response', (incoming) => {
      const chunks: Buffer[] = []
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
      incoming.on('error', reject)
      incoming.on('end', () => {
        resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, body: Buffer.concat(chunks) })
      })
    })
  })
  if (body === undefined || body instanceof Uint8Array) outgoing.end(body)
  // What goes wrong while sending is told by `answered`.
  else pipeline(Readable.from(body), outgoing).catch(() => {})
  return answered
}
