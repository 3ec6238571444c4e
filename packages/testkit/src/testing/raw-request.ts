import { type IncomingMessage, type OutgoingHttpHeaders, request as httpRequest } from 'node:http'

/** What a client without any cleverness sees of a request, to the last byte that came. */
export interface Witnessed {
  /** Undefined when no head came. */
  readonly status: number | undefined
  /** Every value of a header, in order. */
  header(name: string): readonly string[]
  readonly bytes: Uint8Array
  text(): string
  /** `complete`: the answer ended as HTTP wants it. `broken`: the connection ended before. */
  readonly ended: 'complete' | 'broken'
}

export interface RawOptions {
  readonly method?: string
  readonly headers?: OutgoingHttpHeaders
  readonly body?: string | Uint8Array
  /** Called with the number of bytes of the answer's body so far: 0 for the head. */
  readonly onProgress?: (bytes: number) => void
}

/** One request on a connection of its own. Follows nothing, repeats nothing, and never rejects. */
export const rawRequest = async (
  address: string,
  { method = 'GET', headers = {}, body, onProgress = () => {} }: RawOptions = {},
): Promise<Witnessed> => {
  const { hostname, port, pathname, search } = new URL(address)
  const settled = Promise.withResolvers<Witnessed>()
  let response: IncomingMessage | undefined
  const chunks: Uint8Array[] = []
  let length = 0
  const end = (): void => {
    const bytes = Buffer.concat(chunks)
    settled.resolve({
      status: response?.statusCode,
      header: (name) => response?.headersDistinct[name] ?? [],
      bytes,
      text: () => bytes.toString(),
      ended: response?.complete === true ? 'complete' : 'broken',
    })
  }
  const request = httpRequest({
    host: hostname,
    port,
    method,
    path: `${pathname}${search}`,
    headers:
      body === undefined || 'transfer-encoding' in headers
        ? headers
        : { 'content-length': Buffer.byteLength(body), ...headers },
    agent: false,
  })
  request.on('response', (came) => {
    response = came
    onProgress(0)
    came.on('data', (chunk: Uint8Array) => {
      chunks.push(chunk)
      length += chunk.byteLength
      onProgress(length)
    })
    came.on('error', () => {})
  })
  request.on('error', () => {})
  request.on('close', end)
  request.end(body)
  return settled.promise
}
