import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { NodeHandler } from '@stowage/registry/node'
import type { Connections } from './connections.ts'
import { jsonPage, type Page, sendPage } from './page.ts'
import type { RequestMetrics } from './request-metrics.ts'

/** Makes the page, or `undefined` when this request is not for it after all. */
export type PageMaker = (req: IncomingMessage) => Page | undefined | Promise<Page | undefined>

export interface FrontOptions {
  readonly registry: NodeHandler
  /** By path. They answer GET and HEAD; everything else, the token endpoint too, goes to the registry, which says what is not there. */
  readonly pages: ReadonlyMap<string, PageMaker>
  /** Whether clients get tokens here. */
  readonly tokens: boolean
  readonly connections: Pick<Connections, 'begin' | 'beginExpecting'>
  readonly requests: RequestMetrics
  readonly onError: (error: unknown) => void
  /** True from the moment on when no further connection is taken. */
  readonly closing: () => boolean
}

/** Where every request comes in: the registry's own to the registry, and the few pages beside it. */
export const createFront = (options: FrontOptions): { request: RequestListener; checkContinue: RequestListener } => {
  const { registry, pages, tokens, connections, requests, onError, closing } = options

  const pageFor = (req: IncomingMessage): PageMaker | undefined => {
    const { url = '', method } = req
    if (url.startsWith('/v2')) return undefined
    const query = url.indexOf('?')
    const path = query === -1 ? url : url.slice(0, query)
    if (!tokens && (path === '/auth/token' || path === '/auth/token/')) return noTokens
    return method === 'GET' || method === 'HEAD' ? pages.get(path) : undefined
  }

  const answer = async (make: PageMaker, req: IncomingMessage, res: ServerResponse): Promise<void> => {
    const began = performance.now()
    const page = await make(req)
    if (page === undefined) {
      registry(req, res)
      return
    }
    const { url = '', method = '' } = req
    requests.record(method, url.split('?', 1)[0] ?? '', page.status, performance.now() - began)
    sendPage(req, res, page)
  }

  const dispatch = (req: IncomingMessage, res: ServerResponse, toRegistry: RequestListener): void => {
    originForm(req)
    if (closing()) res.setHeader('connection', 'close')
    const make = pageFor(req)
    if (make === undefined) {
      toRegistry(req, res)
      return
    }
    answer(make, req, res).catch((error: unknown) => {
      onError(error)
      if (res.headersSent) res.destroy()
      else res.writeHead(500, { 'content-length': 0 }).end()
    })
  }

  return {
    request: (req, res) => {
      connections.begin(req, res)
      dispatch(req, res, registry)
    },
    checkContinue: (req, res) => {
      connections.beginExpecting(req, res)
      dispatch(req, res, registry.checkContinue)
    },
  }
}

const noTokens: PageMaker = () =>
  jsonPage(404, { errors: [{ code: 'UNSUPPORTED', message: 'There are no tokens here: nobody has to log in.' }] })

/** RFC 9112, section 3.2.2: "a server MUST accept the absolute-form in requests", in which proxies ask. */
const originForm = (req: IncomingMessage): void => {
  const { url = '' } = req
  if (url.charCodeAt(0) === 0x2f) return
  const absolute = /^https?:\/\/[^/?#]*(.*)$/i.exec(url)
  if (absolute === null) return
  const [, rest = ''] = absolute
  req.url = rest.startsWith('/') ? rest : `/${rest}`
}
