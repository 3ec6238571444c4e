import { Agent, request } from 'node:http'

/** Asks one server over connections that stay open. Nothing is retried and nothing is hidden: rows judge what comes. */
export interface HttpClient extends Disposable {
  send(method: string, path: string, options?: SendOptions): Promise<HttpAnswer>
}

export interface SendOptions {
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Uint8Array
  readonly signal?: AbortSignal
}

export interface HttpAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: Buffer
}

/** The connection ended before the answer did: whether the request was carried out is unknown. */
export class CutError extends Error {
  override readonly name = 'CutError'
}

/** @param url `http://127.0.0.1:5000` */
export const createHttpClient = (
  url: string,
  { maxSockets = 64 }: { readonly maxSockets?: number } = {},
): HttpClient => {
  const agent = new Agent({ keepAlive: true, maxSockets })
  const { hostname, port, host } = new URL(url)
  const send: HttpClient['send'] = async (method, path, { headers = {}, body, signal } = {}) =>
    new Promise((resolve, reject) => {
      const cut = (cause: unknown): void => reject(new CutError(`${method} ${path} was cut off.`, { cause }))
      const length =
        body === undefined && !['POST', 'PUT', 'PATCH'].includes(method)
          ? {}
          : { 'content-length': String(body?.byteLength ?? 0) }
      const asked = request({
        agent,
        hostname,
        port,
        method,
        path,
        headers: { host, ...length, ...headers },
        ...(signal && { signal }),
      })
      asked.on('error', cut)
      asked.on('response', (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('error', cut)
        response.on('end', () => {
          const answer = { status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }
          // A body that is shorter than announced makes Node report an abort; this is for what it may miss.
          const announced = method === 'HEAD' ? undefined : response.headers['content-length']
          if (!response.complete || (announced !== undefined && Number(announced) !== answer.body.byteLength))
            cut(new Error('short'))
          else resolve(answer)
        })
      })
      asked.end(body)
    })
  return { send, [Symbol.dispose]: () => agent.destroy() }
}

/** Where the server says to go on, as a path. */
export const locationOf = (answer: HttpAnswer): string => {
  const { location } = answer.headers
  if (typeof location !== 'string') throw new Error(`An answer ${answer.status} has no Location.`)
  const { pathname, search } = new URL(location, 'http://localhost')
  return pathname + search
}
