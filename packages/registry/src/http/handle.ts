import { isTag } from '@stowage/oci'
import type { RequestInfo } from '../access/access.ts'
import type { Action } from '../access/grant.ts'
import { anonymous, type Principal } from '../access/principal.ts'
import { RegistryError } from '../errors.ts'
import { networkOf } from '../limits/network.ts'
import type { ClientAddress } from '../limits/proxies.ts'
import type { Rate } from '../limits/rate.ts'
import type { Logger } from '../logger.ts'
import { basicChallenge, challengeOf } from './challenge.ts'
import { type Client, clientOf } from './client.ts'
import { type Cors, isForeignWrite, preflight, withCors } from './cors.ts'
import { errorReply, machineFault } from './error-reply.ts'
import { addVary, BodyBroken, type Incoming, json, type Reply } from './exchange.ts'
import { requireName } from './parameters.ts'
import { type Services, tokenServiceOf } from './resource.ts'
import { matchRoute, type RouteId, routeTemplates, splitTarget } from './route.ts'
import type { Route } from './routes.ts'
import { oauthErrorOf } from './token.ts'

/** What a host is told of each answered request: for logs and metrics. */
export interface RequestSummary {
  readonly method: string
  /** The route's template, never the path: names are data and would make endless metrics. `undefined`: no route. */
  readonly route: string | undefined
  readonly repository: string | undefined
  /** Who was found to ask; at the token endpoint, who logged in. `anonymous` where nobody could be found. */
  readonly actor: string
  /** Of the client, as far as the proxies in front are trusted. */
  readonly remoteAddress: string | undefined
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
  /** What of `X-Forwarded-*` may be believed. Default: nothing. */
  readonly clientAddress?: ClientAddress | undefined
  /** Requests of one principal from one network. Default: there is no limit. */
  readonly rate?: Pick<Rate, 'take'> | undefined
}

/** The way of a request: door → route → authorize → resource → content → store, and its answer back. */
export const createHandler = (options: HandlerOptions): ((incoming: Incoming) => Promise<Reply>) => {
  const { services, cors, logger, onResponse } = options
  const { access, login, settings } = services

  return async (incoming) => {
    const began = onResponse === undefined ? 0 : performance.now()
    const client = clientOf(incoming, options.clientAddress)
    const trail: Trail = { route: undefined, action: undefined, repository: undefined, actor: anonymous.name }
    let reply: Reply
    let failure: string | undefined
    try {
      reply =
        cors !== undefined && incoming.method === 'OPTIONS'
          ? preflight(cors, incoming)
          : await dispatch(incoming, client, trail)
    } catch (error) {
      const known = recognise(error, incoming, logger)
      failure = known?.fault ?? 'unexpected'
      reply =
        known === undefined
          ? json(500, {
              errors: [{ code: 'UNKNOWN', message: 'The registry failed; its log says why. Try again later.' }],
            })
          : refusal(known, incoming, client, trail)
      if (incoming.method === 'HEAD') reply = { ...reply, body: null }
    }
    reply.headers['docker-distribution-api-version'] = 'registry/2.0'
    // RFC 9111 section 4.2.2 lets a cache keep even a 404 for as long as it thinks: a client that asks again after a push must
    // not get the answer from before it.
    reply.headers['cache-control'] ??= 'no-store'
    // What may be kept is kept for who showed these credentials: the next user of the same browser may see less.
    if (reply.headers['cache-control'] !== 'no-store' && incoming.header('authorization') !== null) {
      addVary(reply.headers, 'Authorization')
    }
    if (cors !== undefined) withCors(cors, incoming, reply.headers)
    onResponse?.({
      method: incoming.method,
      route: trail.route === undefined ? undefined : routeTemplates[trail.route],
      repository: trail.repository,
      actor: trail.actor,
      remoteAddress: client.address,
      status: reply.status,
      milliseconds: performance.now() - began,
      error: failure,
    })
    return reply
  }

  async function dispatch(incoming: Incoming, client: Client, trail: Trail): Promise<Reply> {
    if (isForeignWrite(cors, incoming, client, settings.publicUrl)) {
      throw new RegistryError(
        'denied',
        'Pages of other origins may not write here. Name their origin in the option `cors`.',
      )
    }
    const { path, query } = splitTarget(incoming.target)
    const match = matchRoute(path)
    if (match === undefined || (match.route === 'token' && tokenServiceOf(login) === undefined)) {
      throw new RegistryError('route-unknown', 'There is nothing at this path. The API of the registry begins at /v2/.')
    }
    trail.route = match.route
    const route = options.routes[match.route]
    const common = { incoming, client, query: () => new URLSearchParams(query) }
    if (route.scope === 'open') {
      const operation = operationOf(route.operations, incoming.method)
      // Nobody yet: who asks for a token says so with it.
      count(anonymous.name, client)
      return operation.handle({ ...common, loggedIn: (name) => (trail.actor = name) }, services)
    }
    const request = {
      method: incoming.method,
      path,
      remoteAddress: client.address,
      header: (name: string) => incoming.header(name.toLowerCase()),
    }
    const call = { ...common, last: match.last, origin: origin(incoming) }
    if (route.scope === 'registry') {
      const operation = operationOf(route.operations, incoming.method)
      trail.action = operation.action
      const principal = await authenticate(request, client, trail)
      const grant = await access.authorize(principal, operation.action, { repository: undefined })
      return answer(incoming, operation.handle({ ...call, principal, grant }, services))
    }
    const operation = operationOf(route.operations, incoming.method)
    trail.action = operation.action
    const repository = requireName(match.name)
    trail.repository = repository
    const principal = await authenticate(request, client, trail)
    const grant = await access.authorize(principal, operation.action, resourceOf(match.route, repository, match.last))
    return answer(incoming, operation.handle({ ...call, principal, grant: { ...grant, repository } }, services))
  }

  /** Says who it is, and counts the request: for whoever it is, or for nobody where the credentials are wrong. */
  async function authenticate(request: RequestInfo, client: Client, trail: Trail): Promise<Principal> {
    let principal: Principal
    try {
      principal = await access.authenticate(request)
    } catch (error) {
      // Whatever the reason: who is told to wait, or that the registry is busy, must not ask for free.
      count(anonymous.name, client)
      throw error
    }
    trail.actor = principal.name
    count(principal.name, client)
    return principal
  }

  function count(principal: string, client: Client): void {
    // No network has a space in its name: two of them and their principals are never one key.
    const wait = options.rate?.take(`${networkOf(client.address)} ${principal}`) ?? 0
    if (wait === 0) return
    throw new RegistryError('too-many-requests', `There were too many requests. Go on in ${wait} s, and more slowly.`, {
      hints: { retryAfter: wait },
    })
  }

  function refusal(error: RegistryError, incoming: Incoming, client: Client, trail: Trail): Reply {
    const { route, action, repository } = trail
    const location = (id: string): string => `${origin(incoming)}/v2/${repository ?? ''}/blobs/uploads/${id}`
    if (route === 'token') {
      // Not the registry's own challenge, which would send the client here again.
      const challenge = (): string => basicChallenge(login?.service ?? 'registry')
      const more = oauthErrorOf(error, incoming.header('authorization') !== null)
      return errorReply(error, { location, challenge, more })
    }
    const challenge = (): string =>
      login === undefined
        ? basicChallenge('registry')
        : challengeOf(
            login,
            { action, repository, login: error.hints.login },
            { client, mount: incoming.mount, publicUrl: settings.publicUrl },
          )
    return errorReply(error, { location, challenge })
  }

  function origin(incoming: Incoming): string {
    return settings.publicUrl === '' ? incoming.mount : settings.publicUrl
  }
}

interface Trail {
  route: RouteId | undefined
  action: Action | undefined
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

const operationOf = <O>(operations: Readonly<Partial<Record<string, O>>>, method: string): O => {
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
    const { fault, message, retryAfter } = machine
    return new RegistryError(fault, `${message} Try again later.`, { hints: { retryAfter } })
  }
  if (error instanceof BodyBroken || isDeparture(error, incoming)) {
    logger.debug({ method: incoming.method }, 'the client went away')
    return new RegistryError(
      'upload-invalid',
      'The request body broke off. Ask for the status of the upload and go on there.',
    )
  }
  // Without the query: nobody knows what somebody puts there, and tokens are among it.
  const [path = ''] = incoming.target.slice(0, 512).split('?', 1)
  logger.error({ err: error, method: incoming.method, path }, 'a request failed unexpectedly')
  return undefined
}

/** Whether somebody stopped waiting because the client is gone. */
const isDeparture = (error: unknown, incoming: Incoming): boolean => {
  const signal = incoming.signal()
  return signal.aborted && error === signal.reason
}
