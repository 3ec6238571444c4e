import { type IncomingMessage, ServerResponse } from 'node:http'
import type { IncomingHttpHeaders as Http2Headers } from 'node:http2'
import { Readable } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import { NodeResponse } from 'srvx/node'
import { RegistryError } from '../errors.ts'
import { addVary, BodyBroken, type Incoming, type Reply } from './exchange.ts'

/** What srvx adds to a `Request` that came from a Node socket: the raw message, whose stream is several times as fast. */
interface NodeBacked {
  readonly runtime?: { readonly node?: { readonly req: IncomingMessage; readonly res?: ServerResponse } }
  readonly ip?: string
}

/** Requests whose client waits for `100 Continue`; it gets it when its body is wanted, not before it was authorised. */
export const awaitingContinue = new WeakSet<IncomingMessage>()

/** A web `Request` as the registry sees it. Never cloned or wrapped: a host's request may be of another realm or a proxy. */
export const incomingFrom = (request: Request): Incoming => {
  const node = (request as NodeBacked).runtime?.node
  return node === undefined ? fromWeb(request) : fromNode(request, node.req, node.res)
}

type WebBody = ConstructorParameters<typeof Response>[0]

export const responseFrom = (request: Request, reply: Reply): Response => {
  const node = (request as NodeBacked).runtime?.node
  if (node !== undefined) {
    keepVaryOfHost(reply, node.res)
    // srvx takes a Node stream as a body and headers as they are; the types of the web know neither.
    return new NodeResponse(nodeBodyOf(reply.body, node.res) as WebBody, {
      status: reply.status,
      headers: reply.headers as Record<string, string>,
    })
  }
  const headers = new Headers()
  for (const [name, value] of Object.entries(reply.headers)) {
    if (typeof value === 'string') headers.set(name, value)
    else for (const line of value) headers.append(name, line)
  }
  const body = reply.body instanceof Readable ? (Readable.toWeb(reply.body) as ReadableStream) : reply.body
  return new Response(body as WebBody, { status: reply.status, headers })
}

/** What the host's own middleware (CORS, say) has put there holds too; every other header of the answer is the registry's. */
const keepVaryOfHost = ({ headers }: Reply, res: ServerResponse | undefined): void => {
  if (headers['vary'] === undefined) return
  const ofHost = res?.getHeader('vary')
  if (ofHost !== undefined) addVary(headers, [ofHost].flat().join(', '))
}

/**
 * A stream that can send itself is handed to srvx as something to be piped. Not when the host has put something in front of
 * the response (compression, say): it need not call back when it has the bytes.
 */
const nodeBodyOf = (body: Reply['body'], res: ServerResponse | undefined): unknown => {
  if (!(body instanceof Readable) || res === undefined || res.write !== plainWrite) return body
  const { sendTo } = body
  return sendTo === undefined ? body : { pipe: sendTo, destroy: () => void body.destroy() }
}

const plainWrite = ServerResponse.prototype.write

const fromNode = (request: Request, req: IncomingMessage, res: ServerResponse | undefined): Incoming => {
  const target = req.url ?? '/'
  // Express and its like strip the path they mounted us under from `url` and keep the whole in `originalUrl`.
  const original = 'originalUrl' in req && typeof req.originalUrl === 'string' ? req.originalUrl : target
  const mount = original.length > target.length && original.endsWith(target) ? original.slice(0, -target.length) : ''
  const hasBody = 'transfer-encoding' in req.headers || Number(req.headers['content-length'] ?? 0) > 0
  return {
    method: req.method ?? 'GET',
    target,
    mount,
    header: (name) => {
      const value = req.headers[name]
      return value === undefined ? null : typeof value === 'string' ? value : value.join(', ')
    },
    hasBody,
    body: (signal) => nodeBody(req, res, hasBody, signal),
    // Each read of a socket is memory of its own, unless somebody in the host listens too.
    ownsBody: hasBody && req.listenerCount('data') === 0,
    signal: () => request.signal,
    remoteAddress: (request as NodeBacked).ip ?? req.socket?.remoteAddress,
    secure: (req.socket as Partial<TLSSocket> | undefined)?.encrypted === true,
    authority: (req.headers as Http2Headers)[':authority'] ?? req.headers.host,
  }
}

async function* nodeBody(
  req: IncomingMessage,
  res: ServerResponse | undefined,
  hasBody: boolean,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  if (!hasBody) return
  if (req.readableEnded || req.readableDidRead) throw consumed()
  if (awaitingContinue.delete(req)) res?.writeContinue()
  if (signal.aborted) throw new BodyBroken(signal.reason)
  const giveUp = (): void => void req.destroy(signal.reason instanceof Error ? signal.reason : undefined)
  signal.addEventListener('abort', giveUp, { once: true })
  try {
    // An early end of the loop must not take the connection down: the answer still has to go out on it.
    yield* req.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>
  } catch (error) {
    throw new BodyBroken(error)
  } finally {
    signal.removeEventListener('abort', giveUp)
  }
}

const fromWeb = (request: Request): Incoming => {
  const { url } = request
  const host = url.indexOf('//') + 2
  const path = url.indexOf('/', host)
  return {
    method: request.method,
    target: path === -1 ? '/' : url.slice(path),
    mount: '',
    header: (name) => request.headers.get(name),
    // The method first: to look at `body` makes some hosts build a whole native request.
    hasBody: request.method !== 'GET' && request.method !== 'HEAD' && request.body !== null,
    body: (signal) => webBody(request, signal),
    ownsBody: false,
    signal: () => request.signal,
    remoteAddress: (request as NodeBacked).ip,
    secure: url.startsWith('https:'),
    authority: path === -1 ? url.slice(host) : url.slice(host, path),
  }
}

async function* webBody(request: Request, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  if (request.bodyUsed || request.body?.locked === true) throw consumed()
  if (request.body === null) return
  const reader = request.body.getReader() as ReadableStreamDefaultReader<unknown>
  const giveUp = (): void => void reader.cancel(signal.reason).catch(() => {})
  signal.addEventListener('abort', giveUp, { once: true })
  try {
    for (;;) {
      const { done, value } = await readUnlessAborted(reader, signal)
      if (done) return
      yield asBytes(value)
    }
  } finally {
    signal.removeEventListener('abort', giveUp)
    reader.releaseLock()
  }
}

const readUnlessAborted = async (
  reader: ReadableStreamDefaultReader<unknown>,
  signal: AbortSignal,
): Promise<{ done: boolean; value?: unknown }> => {
  try {
    signal.throwIfAborted()
    const result = await reader.read()
    // Giving up ends the stream as if it were complete.
    signal.throwIfAborted()
    return result
  } catch (error) {
    throw new BodyBroken(error)
  }
}

/** A stream that a host program made may hold anything. What is not bytes would be hashed as one thing and stored as another. */
const asBytes = (piece: unknown): Uint8Array => {
  if (piece instanceof Uint8Array) return piece
  if (typeof piece === 'string') return new TextEncoder().encode(piece)
  if (ArrayBuffer.isView(piece)) return new Uint8Array(piece.buffer, piece.byteOffset, piece.byteLength)
  throw new TypeError('The body of a request is a stream of something else than bytes.')
}

const consumed = (): RegistryError =>
  new RegistryError(
    'body-consumed',
    'Something in the host program read the request body before the registry could. Mount the registry before body parsers.',
  )
