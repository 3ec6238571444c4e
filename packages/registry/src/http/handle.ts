import { isTag } from '@stowage/oci'
import type { Principal } from '../access/access.ts'
import { RegistryError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import { type Cors, isForeignWrite, preflight, withCors } from './cors.ts'
import { errorReply, machineFault } from './error-reply.ts'
import { BodyBroken, type Incoming, json, type Reply } from './exchange.ts'
import { requireName } from './parameters.ts'
import type { Call, Operation, RepositoryCall, Services } from './resource.ts'
import { matchRoute, type RouteId, routeTemplates, splitTarget } from './route.ts'
import type { Route } from './routes.ts'

/** What a host is told of each answered request: for logs and metrics. */
export interface RequestSummary {
  readonly method: string
  /** The route's template, never the path: names are data and would make endless metrics. `undefined`: no route. */
  readonly route: string | undefined
  readonly repository: string | undefined
  readonly actor: string
  readonly status: number
  /** Until the answer's head was ready; the body may still be on its way. */
  readonly milliseconds: number
  readonly error: string | undefined
}

export interface HandlerOptions {
  readonly services: Services
  readonly routes: Readonly<Record<RouteId, Route>>
  readonly cors: Cors | undefined
  readonly logger: Logger
  readonly onResponse: ((summary: RequestSummary) => void) | undefined
}

/** The way of a request: door → route → authorize → resource → content → store, and its answer back. */
export const createHandler = (options: HandlerOptions): ((incoming: Incoming) => Promise<Reply>) => {
  const { services, cors, logger, onResponse } = options

  return async (incoming) => {
    const began = onResponse === undefined ? 0 : performance.now()
    const trail: Trail = { route: undefined, repository: undefined, actor: 'anonymous' }
    let reply: Reply
    let failure: string | undefined
    try {
      reply =
        cors !== undefined && incoming.method === 'OPTIONS'
          ? preflight(cors, incoming)
          : await dispatch(incoming, trail)
    } catch (error) {
      const known = recognise(error, incoming, logger)
      failure = known?.fault ?? 'unexpected'
      reply =
        known === undefined
          ? json(500, {
              errors: [{ code: 'UNKNOWN', message: 'The registry failed; its log says why. Try again later.' }],
            })
          : errorReply(known, (id) => `${origin(incoming)}/v2/${trail.repository ?? ''}/blobs/uploads/${id}`)
      if (incoming.method === 'HEAD') reply = { ...reply, body: null }
    }
    reply.headers['docker-distribution-api-version'] = 'registry/2.0'
    // RFC 9111 section 4.2.2 lets a cache keep even a 404 for as long as it thinks: a client that asks again after a push must
    // not get the answer from before it.
    reply.headers['cache-control'] ??= 'no-store'
    if (cors !== undefined) withCors(cors, incoming, reply.headers)
    onResponse?.({
      method: incoming.method,
      route: trail.route === undefined ? undefined : routeTemplates[trail.route],
      repository: trail.repository,
      actor: trail.actor,
      status: reply.status,
      milliseconds: performance.now() - began,
      error: failure,
    })
    return reply
  }

  async function dispatch(incoming: Incoming, trail: Trail): Promise<Reply> {
    if (isForeignWrite(cors, incoming)) {
      throw new RegistryError(
        'denied',
        'Pages of other origins may not write here. Name their origin in the option `cors`.',
      )
    }
    const { path, query } = splitTarget(incoming.target)
    const match = matchRoute(path)
    if (match === undefined) {
      throw new RegistryError('route-unknown', 'There is nothing at this path. The API of the registry begins at /v2/.')
    }
    trail.route = match.route
    const route = options.routes[match.route]
    const request = {
      method: incoming.method,
      path,
      remoteAddress: incoming.remoteAddress,
      header: (name: string) => incoming.header(name.toLowerCase()),
    }
    const common = {
      incoming,
      last: match.last,
      query: () => new URLSearchParams(query),
      origin: origin(incoming),
    }
    const { access } = services
    if (route.scope === 'registry') {
      const operation = operationOf(route.operations, incoming.method)
      const principal = await access.authenticate(request)
      trail.actor = principal.name
      const grant = await access.authorize(principal, operation.action, { repository: undefined })
      return answer(incoming, operation.handle({ ...common, principal, grant }, services))
    }
    const operation = operationOf(route.operations, incoming.method)
    const repository = requireName(match.name)
    trail.repository = repository
    const principal: Principal = await access.authenticate(request)
    trail.actor = principal.name
    const grant = await access.authorize(principal, operation.action, resourceOf(match.route, repository, match.last))
    const call: RepositoryCall = { ...common, principal, grant: { ...grant, repository } }
    return answer(incoming, operation.handle(call, services))
  }

  function origin(incoming: Incoming): string {
    return services.settings.publicUrl === '' ? incoming.mount : services.settings.publicUrl
  }
}

interface Trail {
  route: RouteId | undefined
  repository: string | undefined
  actor: string
}

/** "Listing" operations are written once for GET; a HEAD of them has the same head and no body. */
const answer = async (incoming: Incoming, pending: Reply | Promise<Reply>): Promise<Reply> => {
  const reply = await pending
  return incoming.method === 'HEAD' && reply.body !== null ? { ...reply, body: null } : reply
}

const resourceOf = (route: RouteId, repository: string, last: string): { repository: string; tag?: string } =>
  route === 'manifest' && isTag(last) ? { repository, tag: last } : { repository }

const operationOf = <C extends Call>(
  operations: Readonly<Partial<Record<string, Operation<C>>>>,
  method: string,
): Operation<C> => {
  const operation = Object.hasOwn(operations, method) ? operations[method] : undefined
  if (operation !== undefined) return operation
  const allow = Object.keys(operations)
  throw new RegistryError('method-not-allowed', `This path takes ${allow.join(', ')}.`, { hints: { allow } })
}

/** What can be told to the client; undefined for what only the log may know. */
const recognise = (error: unknown, incoming: Incoming, logger: Logger): RegistryError | undefined => {
  if (error instanceof RegistryError) {
    if (error.fault === 'body-consumed') logger.error({ err: error }, error.message)
    return error
  }
  const machine = machineFault(error)
  if (machine !== undefined) {
    logger.error({ err: error, method: incoming.method }, 'a fault of the machine')
    const what =
      machine.fault === 'storage-full' ? 'The storage of the registry is full.' : 'The registry is overloaded.'
    return new RegistryError(machine.fault, `${what} Try again later.`, { hints: { retryAfter: machine.retryAfter } })
  }
  if (error instanceof BodyBroken || isDeparture(error, incoming)) {
    logger.debug({ method: incoming.method }, 'the client went away')
    return new RegistryError(
      'upload-invalid',
      'The request body broke off. Ask for the status of the upload and go on there.',
    )
  }
  logger.error(
    { err: error, method: incoming.method, target: incoming.target.slice(0, 512) },
    'a request failed unexpectedly',
  )
  return undefined
}

/** Whether somebody stopped waiting because the client is gone. */
const isDeparture = (error: unknown, incoming: Incoming): boolean => {
  const signal = incoming.signal()
  return signal.aborted && error === signal.reason
}
