import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { ServerRequest } from 'srvx'
import { toNodeHandler as toSrvxHandler } from 'srvx/node'
import { awaitingContinue } from '../http/fetch.ts'
import { isRegistryPath } from '../http/route.ts'
import { oneAtATime } from './one-at-a-time.ts'

/** What a door needs of a registry. */
export interface Mountable {
  readonly fetch: (request: Request) => Promise<Response>
  /** Whether a path is the registry's. Default: everything under `/v2`. */
  readonly handles?: (path: string) => boolean
}

/** A handler for `node:http`, and middleware for Express and Connect: what is not the registry's goes to `next`. */
export interface NodeHandler {
  (req: IncomingMessage, res: ServerResponse, next?: (error?: unknown) => void): void
  /** For the server's `checkContinue` event: the client is told to go on once its body is wanted. */
  readonly checkContinue: RequestListener
}

/** An unread body is read this far after the answer; a connection on which more was to come ends after this time. */
const drainBytes = 1024 * 1024
const drainMilliseconds = 2000

/**
 * Mounts a registry in anything that speaks `(req, res)`. Mount it before body parsers: it streams bodies itself.
 *
 * @example createServer(toNodeHandler(registry)).listen(5000)
 * @example express().use(toNodeHandler(registry))
 */
export const toNodeHandler = (registry: Mountable): NodeHandler => {
  const handles = registry.handles ?? ((path: string) => isRegistryPath(path, false))
  // srvx's type wants a message that is of HTTP/1 and HTTP/2 at once; its code takes either.
  const serve = toSrvxHandler(async (request: ServerRequest) => {
    const response = await registry.fetch(request)
    const node = request.runtime?.node as { req: IncomingMessage; res: ServerResponse } | undefined
    if (node !== undefined) closeWhenMuchIsUnread(node.req, node.res)
    return response
  }) as RequestListener
  const handler = (req: IncomingMessage, res: ServerResponse, next?: (error?: unknown) => void): void => {
    if (next !== undefined && !handles(pathOf(req.url ?? ''))) {
      next()
      return
    }
    // Streams of HTTP/2 are there to be served beside each other; each ends by itself and leaves its connection to the others.
    if (req.httpVersionMajor !== 1) {
      serve(req, res)
      return
    }
    if (bodyLength(req) > 0) drainAfter(req, res)
    oneAtATime(res, () => serve(req, res))
  }
  return Object.assign(handler, {
    checkContinue: (req: IncomingMessage, res: ServerResponse) => {
      awaitingContinue.add(req)
      handler(req, res)
    },
  })
}

const pathOf = (url: string): string => {
  const query = url.indexOf('?')
  return query === -1 ? url : url.slice(0, query)
}

/** What the headers announce; infinite where they leave it open. */
const bodyLength = ({ headers }: IncomingMessage): number =>
  'transfer-encoding' in headers ? Infinity : Number(headers['content-length'] ?? 0)

/**
 * RFC 9112 section 9.3: "A server MUST read the entire request message body or close the connection after sending its
 * response", and a client that is not told would send its next request behind a body that nobody reads.
 */
const closeWhenMuchIsUnread = (req: IncomingMessage, res: ServerResponse): void => {
  if (!req.complete && bodyLength(req) > drainBytes) res.shouldKeepAlive = false
}

/**
 * When an answer is ready before the body was read (a 401, a 413), closing at once would reset the connection under a client
 * that is still writing, and many a client then reports that and never looks at the answer; reading on without end would let
 * it send for ever. So some of the body is read and thrown away, which is all of most bodies and leaves the connection in
 * use; a longer one is left to wait, and the client has time to read the answer before the connection ends.
 */
const drainAfter = (req: IncomingMessage, res: ServerResponse): void => {
  // Not `finish`: there Node throws away a body that nobody reads, however long it is, and no one sees it pass.
  res.once('prefinish', () => {
    if (req.complete || req.destroyed) return
    const { socket } = req
    let left = drainBytes
    req.on('data', (chunk: Uint8Array) => {
      left -= chunk.byteLength
      if (left < 0) req.pause()
    })
    req.resume()
    // Where the connection is to be closed Node does this at `finish`, whatever is left to read. Half of it is right: the
    // client learns that this was the whole answer.
    if (!res.shouldKeepAlive) socket.destroySoon = () => socket.end()
    res.once('finish', () => {
      const timer = setTimeout(() => socket.destroy(), drainMilliseconds)
      ;(res.shouldKeepAlive ? req : socket).once('close', () => clearTimeout(timer))
    })
  })
}
