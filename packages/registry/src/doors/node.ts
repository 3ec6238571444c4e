import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { toNodeHandler as toSrvxHandler } from 'srvx/node'
import { awaitingContinue } from '../http/fetch.ts'
import type { Registry } from '../registry.ts'

/** A handler for `node:http`, and middleware for Express and Connect: what is not the registry's goes to `next`. */
export interface NodeHandler {
  (req: IncomingMessage, res: ServerResponse, next?: (error?: unknown) => void): void
  /** For the server's `checkContinue` event: the client is told to go on once its body is wanted. */
  readonly checkContinue: RequestListener
}

/** An unread body is read this far after the answer, so that the client gets to see the answer; then the connection ends. */
const drainBytes = 1024 * 1024
const drainMilliseconds = 2000

/**
 * Mounts a registry in anything that speaks `(req, res)`. Mount it before body parsers: it streams bodies itself.
 *
 * @example createServer(toNodeHandler(registry)).listen(5000)
 * @example express().use(toNodeHandler(registry))
 */
export const toNodeHandler = (registry: Pick<Registry, 'fetch'>): NodeHandler => {
  // srvx's type wants a message that is of HTTP/1 and HTTP/2 at once; its code takes either.
  const serve = toSrvxHandler(async (request: Request) => registry.fetch(request)) as RequestListener
  const handler = (req: IncomingMessage, res: ServerResponse, next?: (error?: unknown) => void): void => {
    if (next !== undefined && !isOurs(req.url ?? '')) {
      next()
      return
    }
    if ('content-length' in req.headers || 'transfer-encoding' in req.headers) drainAfter(req, res)
    serve(req, res)
  }
  return Object.assign(handler, {
    checkContinue: (req: IncomingMessage, res: ServerResponse) => {
      awaitingContinue.add(req)
      handler(req, res)
    },
  })
}

const isOurs = (url: string): boolean => url === '/v2' || url.startsWith('/v2/') || url.startsWith('/v2?')

/**
 * When an answer is ready before the body was read (a 401, a 413), closing at once would reset the connection and the client
 * would never see the answer; reading on without end would let it send for ever.
 */
const drainAfter = (req: IncomingMessage, res: ServerResponse): void => {
  // Not `finish`: there Node throws away a body that nobody reads, however long it is, and no one sees it pass.
  res.once('prefinish', () => {
    if (req.complete || req.destroyed) return
    let left = drainBytes
    const end = (): void => {
      req.pause()
      if (res.writableFinished) req.destroy()
      else res.once('finish', () => req.destroy())
    }
    const timer = setTimeout(end, drainMilliseconds)
    req.on('data', (chunk: Uint8Array) => {
      left -= chunk.byteLength
      if (left < 0) end()
    })
    req.once('close', () => clearTimeout(timer))
    req.resume()
  })
}
