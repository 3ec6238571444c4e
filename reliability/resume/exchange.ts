import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

/** A request with a body on a connection of its own, which can be cut at any byte. */
export interface BodyRequest {
  readonly method: 'PATCH' | 'PUT'
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
  /** Transfer-Encoding: chunked with chunks of this many bytes; otherwise Content-Length. */
  readonly chunkSize: number | undefined
}

export interface Answer {
  readonly status: number
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>
  readonly text: string
}

/** Sends the whole and gives the answer. Rejects when the connection ends before it. */
export const sendWhole = async (url: string, request: BodyRequest): Promise<Answer> => {
  const socket = open(url)
  try {
    const answer = readAnswer(socket)
    // Awaited below: a server that answers early may end the connection while we write.
    answer.catch(() => {})
    await writeHead(socket, request)
      .then(async () => writeBody(socket, request, request.body.byteLength))
      .catch(() => {})
    if (request.chunkSize !== undefined) socket.write('0\r\n\r\n')
    return await answer
  } finally {
    socket.destroy()
  }
}

/**
 * Sends the head and so many bytes of the body, and leaves the connection as it is. Resolves when the kernel has them; with
 * the status that came in the place of an invitation, when one did.
 *
 * @param invited Whether to wait for `100 Continue` first: then the registry is known to be at work on this request.
 */
export const sendPart = async (
  url: string,
  request: BodyRequest,
  bytes: number,
  invited: boolean,
): Promise<Socket | number> => {
  const socket = open(url)
  const headers = invited ? { ...request.headers, Expect: '100-continue' } : request.headers
  await writeHead(socket, { ...request, headers }).catch(() => {})
  const status = invited ? await statusIn(socket) : 100
  if (status !== 100) {
    socket.destroy()
    return status
  }
  // Whatever it is answered from here on is not read, as by a client that has gone.
  socket.pause()
  await writeBody(socket, request, bytes).catch(() => {})
  return socket
}

const statusIn = async (socket: Socket): Promise<number> => {
  const [chunk] = (await once(socket, 'data', { signal: AbortSignal.timeout(10_000) })) as [Buffer]
  return Number(chunk.toString('latin1', 'HTTP/1.1 '.length, 'HTTP/1.1 100'.length))
}

const open = (url: string): Socket => {
  const { hostname, port } = new URL(url)
  const socket = connect({ host: hostname, port: Number(port), noDelay: true })
  // What matters of it shows where the bytes are awaited.
  socket.on('error', () => {})
  return socket
}

const writeHead = async (socket: Socket, { method, path, headers, body, chunkSize }: BodyRequest): Promise<void> => {
  const length =
    chunkSize === undefined ? { 'Content-Length': String(body.byteLength) } : { 'Transfer-Encoding': 'chunked' }
  const lines = Object.entries({ Host: 'localhost', Connection: 'close', ...length, ...headers })
  const head = [`${method} ${path} HTTP/1.1`, ...lines.map((line) => line.join(': ')), '', ''].join('\r\n')
  await put(socket, Buffer.from(head))
}

const writeBody = async (socket: Socket, { body, chunkSize }: BodyRequest, bytes: number): Promise<void> => {
  const step = chunkSize ?? 64 * 1024
  for (let at = 0; at < bytes; at += step) {
    const whole = body.subarray(at, at + step)
    const part = body.subarray(at, Math.min(at + step, bytes))
    if (chunkSize === undefined) await put(socket, part)
    else {
      const end = part.byteLength === whole.byteLength ? '\r\n' : ''
      await put(socket, Buffer.concat([Buffer.from(`${whole.byteLength.toString(16)}\r\n`), part, Buffer.from(end)]))
    }
  }
}

const put = async (socket: Socket, bytes: Uint8Array): Promise<void> =>
  new Promise((resolve, reject) => {
    socket.write(bytes, (error) => (error ? reject(error) : resolve()))
  })

/** The connection is closed after the answer: its end is the end of the answer. */
const readAnswer = async (socket: Socket): Promise<Answer> => {
  const chunks: Buffer[] = []
  socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  await once(socket, 'close')
  const text = Buffer.concat(chunks).toString('latin1')
  const end = text.indexOf('\r\n\r\n')
  const [first = '', ...lines] = text.slice(0, Math.max(end, 0)).split('\r\n')
  const status = Number(first.split(' ')[1])
  if (end < 0 || !Number.isInteger(status)) throw new Error('The connection ended before the answer.')
  const headers = new Map(
    lines.map((line) => {
      const colon = line.indexOf(':')
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const
    }),
  )
  return { status, headers, text: text.slice(end + 4) }
}
