/** A request while it is being made. The grammar fills it in as it should be; mutations then spoil it. */
export interface Draft {
  method: string
  path: string
  /** `name=value`, joined by `&`. */
  query: string[]
  version: string
  /** Lines of the head without their ends, in Latin-1: `Host: registry.test`. */
  lines: string[]
  body: Buffer
  /** `own`: the lines say it already, and the body is as it goes over the wire. */
  framing: 'none' | 'length' | 'chunked' | 'own'
  /** Nothing may follow on this connection: the server may end it, or see another end of the request than we do. */
  last: boolean
  /** In the place of everything: bytes that are no HTTP. */
  raw?: Buffer
}

export const draft = (method: string, path: string, more: Partial<Draft> = {}): Draft => ({
  method,
  path,
  query: [],
  version: 'HTTP/1.1',
  lines: ['Host: registry.test'],
  body: Buffer.alloc(0),
  framing: more.body === undefined ? (['POST', 'PUT', 'PATCH'].includes(method) ? 'length' : 'none') : 'length',
  last: false,
  ...more,
})

/** @param close Whether the connection shall end after it. */
export const bytesOf = (request: Draft, close: boolean): Buffer => {
  if (request.raw !== undefined) return request.raw
  const { method, path, query, version, lines, body, framing } = request
  const target = query.length === 0 ? path : `${path}?${query.join('&')}`
  let head = `${method} ${target}${version === '' ? '' : ` ${version}`}\r\n`
  for (const line of lines) head += `${line}\r\n`
  if (framing === 'length') head += `Content-Length: ${body.byteLength}\r\n`
  else if (framing === 'chunked') head += 'Transfer-Encoding: chunked\r\n'
  if (close) head += 'Connection: close\r\n'
  const start = Buffer.from(`${head}\r\n`, 'latin1')
  if (framing !== 'chunked') return Buffer.concat([start, body])
  return Buffer.concat([start, ...chunked(body), Buffer.from('0\r\n\r\n')])
}

const chunked = (body: Buffer): Buffer[] => {
  const parts: Buffer[] = []
  const size = Math.max(1, Math.ceil(body.byteLength / 3))
  for (let at = 0; at < body.byteLength; at += size) {
    const part = body.subarray(at, at + size)
    parts.push(Buffer.from(`${part.byteLength.toString(16)}\r\n`), part, Buffer.from('\r\n'))
  }
  return parts
}
