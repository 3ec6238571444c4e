import { Agent, type IncomingHttpHeaders, request } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

export interface Call {
  readonly method: string
  readonly url: URL
  readonly headers?: Record<string, string | number>
  /** Bytes, or a source of them when there are more than fit in memory (then set Content-Length in the headers). */
  readonly body?: Uint8Array | AsyncIterable<Uint8Array>
}

export interface HttpClient extends Disposable {
  /** Answers whatever the status is; throws when the connection fails. */
  call(call: Call): Promise<Answer>
}

/**
 * A keep-alive client with at most `connections` connections, as light as `node:http` allows.
 *
 * @param always Headers of every call.
 */
export function createHttpClient(connections: number, always: Readonly<Record<string, string>> = {}): HttpClient {
  const agent = new Agent({ keepAlive: true, maxSockets: connections })
  return {
    call: (call) => send(agent, { ...call, headers: { ...always, ...call.headers } }),
    [Symbol.dispose]: () => agent.destroy(),
  }
}

function send(agent: Agent, { method, url, headers = {}, body }: Call): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const length = body instanceof Uint8Array ? body.byteLength : body === undefined ? 0 : undefined
    const outgoing = request(url, {
      method,
      agent,
      headers: length === undefined || method === 'GET' ? headers : { ...headers, 'content-length': length },
    })
    outgoing.on('error', reject)
    outgoing.on('response', (incoming) => {
      const chunks: Buffer[] = []
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
      incoming.on('error', reject)
      incoming.on('end', () =>
        resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, body: Buffer.concat(chunks) }),
      )
    })
    if (body === undefined || body instanceof Uint8Array) outgoing.end(body)
    else pipeline(Readable.from(body, { objectMode: false, highWaterMark: 1024 * 1024 }), outgoing).catch(reject)
  })
}
