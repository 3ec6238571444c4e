import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2'
import { tokenPath } from '../http/route.ts'
import { type Mountable, toNodeHandler } from './node.ts'

/** What the plugin uses of a Fastify instance. Named by shape: the registry does not depend on Fastify. */
export interface FastifyScope {
  readonly prefix: string
  readonly initialConfig: RouterConfig & { readonly routerOptions?: RouterConfig }
  readonly server: { prependListener(event: 'request', listener: (req: IncomingMessage) => void): unknown }
  removeAllContentTypeParsers(): void
  addContentTypeParser(contentType: '*', parser: (...input: [FastifyCall, unknown, ParserDone]) => void): unknown
  addHook(name: 'preParsing', hook: (...input: [FastifyCall, unknown, unknown, HookDone]) => void): unknown
  all(path: string, options: { exposeHeadRoute: boolean }, handler: RouteHandler): unknown
}

interface RouterConfig {
  readonly ignoreTrailingSlash?: boolean
}

export interface FastifyCall {
  readonly raw: IncomingMessage | Http2ServerRequest
}

export interface FastifyAnswer {
  readonly raw: ServerResponse | Http2ServerResponse
  hijack(): unknown
  getHeaders(): Readonly<Record<string, number | string | readonly string[] | undefined>>
}

type ParserDone = (error: null) => void
type HookDone = () => void
type RouteHandler = (request: FastifyCall, reply: FastifyAnswer) => void

export interface RegistryPluginOptions {
  readonly registry: Mountable
}

/**
 * Mounts a registry in Fastify 5, at the root or under a prefix. The hooks of the host run up to `preHandler`, and
 * `onResponse`; headers they set go out with the answer. `onSend` does not run: the registry writes the answer itself.
 *
 * @example fastify.register(registryPlugin, { registry })
 * @example fastify.register(registryPlugin, { registry, prefix: '/registry' })
 */
export const registryPlugin = async (scope: FastifyScope, { registry }: RegistryPluginOptions): Promise<void> => {
  const handle = toNodeHandler(registry)
  const depth = scope.prefix.split('/').filter(Boolean).length
  const refused = keepUndecodable(scope)
  leaveBodiesAlone(scope)

  const serve: RouteHandler = (request, reply) => {
    reply.hijack()
    // Fastify's types leave open which server is behind them; Node lets HTTP/2 be handled as if it were HTTP/1.
    const req = request.raw as IncomingMessage & { originalUrl?: string }
    const res = reply.raw as ServerResponse
    for (const [name, value] of Object.entries(reply.getHeaders())) if (value !== undefined) res.setHeader(name, value)
    const target = pathOf(refused.get(req) ?? req.url ?? '/')
    // What the host's `rewriteUrl` saw, if it has one; what is missing in `url` becomes the front of Locations.
    req.originalUrl = pathOf(refused.get(req) ?? req.originalUrl ?? target)
    req.url = withoutSegments(target, depth)
    handle(req, res)
  }

  // Answers to HEAD are the registry's own; a derived route would run GET and throw the body away.
  const paths = ['/v2', '/v2/*', ...(registry.handles?.(tokenPath) === true ? tokenPaths(scope) : [])]
  for (const path of paths) scope.all(path, { exposeHeadRoute: false }, serve)
}

/** With and without a slash at the end, which is one route where the host has told its router so. */
const tokenPaths = ({ initialConfig }: FastifyScope): string[] => {
  const { ignoreTrailingSlash } = initialConfig.routerOptions ?? initialConfig
  return ignoreTrailingSlash === true ? [tokenPath] : [tokenPath, `${tokenPath}/`]
}

/**
 * In this scope only: Fastify's parsers would read the body, hold it to `bodyLimit` and refuse types they do not know. It
 * refuses a Content-Type that is none even without a parser, so the header is hidden until that is behind us; answering from
 * an error handler instead would go round the `preHandler` hooks with which the host may protect its routes.
 */
const leaveBodiesAlone = (scope: FastifyScope): void => {
  const types = new WeakMap<object, string>()
  scope.removeAllContentTypeParsers()
  scope.addHook('preParsing', ({ raw: req }, _reply, _payload, done) => {
    const type = req.headers['content-type']
    if (type !== undefined) types.set(req, type)
    delete req.headers['content-type']
    done()
  })
  // Runs for every request that has a body, and for those only.
  scope.addContentTypeParser('*', ({ raw: req }, _payload, done) => {
    const type = types.get(req)
    if (type !== undefined) req.headers['content-type'] = type
    done(null)
  })
}

/**
 * Fastify's router answers a target that it cannot percent-decode before any plugin sees it, in a format that no client of
 * the registry reads. Such a target is routed here under a harmless name; the registry is then shown, and refuses, the real one.
 */
const keepUndecodable = (scope: FastifyScope): WeakMap<IncomingMessage, string> => {
  const refused = new WeakMap<IncomingMessage, string>()
  const root = `${scope.prefix}/v2/`
  scope.server.prependListener('request', (req) => {
    const url = req.url ?? ''
    if (!url.includes('%') || !pathOf(url).startsWith(root) || isDecodable(url)) return
    refused.set(req, url)
    req.url = `${root}undecodable`
  })
  return refused
}

const isDecodable = (url: string): boolean => {
  try {
    decodeURI(url.split('?', 1)[0] ?? '')
    return true
  } catch {
    return false
  }
}

/** RFC 9112 section 3.2.2: a target may be a whole URL. The host in it is the client's word and must not get into a Location. */
const pathOf = (target: string): string => target.replace(/^https?:\/\/[^/?#]*/i, '')

/** Cut by number and not by text: the prefix may have parameters, and the raw path may spell it with percent-encoding. */
const withoutSegments = (target: string, count: number): string => {
  let at = 0
  for (let segment = 0; segment < count; segment++) {
    at = target.indexOf('/', at + 1)
    if (at === -1) return target
  }
  return target.slice(at)
}
