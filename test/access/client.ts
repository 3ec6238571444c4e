import { Agent, request as httpRequest } from 'node:http'

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

export interface Sending {
  readonly method: string
  /** Path and query, sent as they are. */
  readonly target: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

export interface Client extends Disposable {
  send(sending: Sending): Promise<Answer>
}

/** Requests over one connection that is kept, as a client with much to do has it. */
export const createClient = (port: number): Client => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  return {
    send: async ({ method, target, headers = {}, body = '' }) => {
      const settled = Promise.withResolvers<Answer>()
      const hasBody = body !== '' || method === 'PUT' || method === 'POST' || method === 'PATCH'
      const request = httpRequest(
        {
          host: '127.0.0.1',
          port,
          method,
          path: target,
          agent,
          headers: hasBody ? { 'content-length': String(Buffer.byteLength(body)), ...headers } : headers,
        },
        (response) => {
          const chunks: Buffer[] = []
          response.on('data', (chunk: Buffer) => chunks.push(chunk))
          response.on('error', settled.reject)
          response.on('end', () =>
            settled.resolve({
              status: response.statusCode ?? 0,
              headers: response.headers as Record<string, string>,
              body: Buffer.concat(chunks).toString(),
            }),
          )
        },
      )
      request.on('error', settled.reject)
      request.end(body)
      return settled.promise
    },
    [Symbol.dispose]: () => agent.destroy(),
  }
}
