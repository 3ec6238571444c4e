import { once } from 'node:events'
import { createServer, type IncomingMessage, request as httpRequest } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type AccessControl, createAccess } from '../access/access.ts'
import { parseAuthorization } from '../accounts/authorization-header.ts'
import type { TokenAnswer, TokenRequest } from '../accounts/token-service.ts'
import { createBlobs } from '../content/blobs.ts'
import { createManifests } from '../content/manifests.ts'
import { createUploads } from '../content/uploads.ts'
import { type Mountable, toNodeHandler } from '../doors/node.ts'
import { RegistryError } from '../errors.ts'
import { createPullCounter } from '../events/pull-counter.ts'
import { incomingFrom, responseFrom } from '../http/fetch.ts'
import { createHandler, type HandlerOptions } from '../http/handle.ts'
import type { LoginSettings } from '../http/resource.ts'
import { isRegistryPath } from '../http/route.ts'
import { routes } from '../http/routes.ts'
import { silentLogger } from '../logger.ts'
import { openStorage } from '../storage.ts'

export interface GuardedOptions extends Partial<
  Pick<HandlerOptions, 'cors' | 'clientAddress' | 'rate' | 'onResponse'>
> {
  readonly access?: AccessControl
  /** Where tokens come from; default: the endpoint, which has the fake service behind it. */
  readonly realm?: string
  /** `false`: a registry without accounts. */
  readonly login?: false
  readonly publicUrl?: string
}

export interface GuardedRegistry extends AsyncDisposable {
  readonly registry: Required<Mountable>
  readonly url: string
  readonly port: number
  /** What reached the token service. */
  readonly asked: TokenRequest[]
  /** One request on a connection of its own; a header with several values is sent as several lines. */
  send(method: string, path: string, sent?: Sent): Promise<Answer>
}

export interface Sent {
  readonly headers?: Readonly<Record<string, string | string[]>>
  readonly body?: string | Uint8Array
}

export interface Answer {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly text: string
}

/**
 * The real handler behind a real socket, with accounts that are not: Ann's password is `secret`, every refresh and ID token is
 * `good`, and whoever has a token named `<action>` may do that on `private`. All may pull `public`.
 */
export const openGuarded = async (options: GuardedOptions = {}): Promise<GuardedRegistry> => {
  await using opened = new AsyncDisposableStack()
  const storage = opened.use(await openStorage(':memory:'))
  const { metadata } = storage
  const now = Date.now
  const manifests = { allowMissingBlobs: false, allowMissingManifests: true, cacheSize: 1024 }
  const uploads = { expireAfter: 60_000, maxBlobSize: Number.MAX_SAFE_INTEGER }
  const { tokens, asked } = fakeTokens()
  const own: LoginSettings = {
    service: 'registry.test',
    ...(options.realm === undefined ? { tokens } : { realm: options.realm }),
  }
  const handle = createHandler({
    services: {
      access: createAccess(options.access ?? fakeControl),
      metadata,
      blobs: createBlobs({ metadata, blobs: storage.blobs, removeUsed: false, now, onMissingBytes: () => {} }),
      manifests: createManifests({ metadata, blobs: storage.blobs, ...manifests, now }),
      uploads: opened.use(createUploads({ metadata, blobs: storage.blobs, ...uploads, now })),
      pulls: createPullCounter(metadata, {}, silentLogger, now),
      settings: { publicUrl: options.publicUrl ?? '', maxManifestSize: 4 * 1024 * 1024, chunkMinLength: 0 },
      login: options.login === false ? undefined : own,
      changed: () => {},
    },
    routes,
    cors: options.cors,
    logger: silentLogger,
    onResponse: options.onResponse,
    clientAddress: options.clientAddress,
    rate: options.rate,
  })
  const givesTokens = options.login !== false && options.realm === undefined
  const registry = {
    fetch: async (request: Request) => responseFrom(request, await handle(incomingFrom(request))),
    handles: (path: string) => isRegistryPath(path, givesTokens),
  }
  const handler = toNodeHandler(registry)
  const server = createServer(handler)
  server.on('checkContinue', handler.checkContinue)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  opened.defer(async () => {
    await new Promise((resolve) => server.close(resolve).closeAllConnections())
  })
  const { port } = server.address() as AddressInfo
  const closing = opened.move()
  return {
    registry,
    url: `http://127.0.0.1:${port}`,
    port,
    asked,
    send: async (method, path, { headers = {}, body = '' } = {}) => {
      // Node frames the body of a DELETE only when it is told to.
      const framed = { ...(body.length > 0 && { 'content-length': String(Buffer.byteLength(body)) }), ...headers }
      const outgoing = httpRequest({ host: '127.0.0.1', port, method, path, headers: framed, agent: false }).end(body)
      const [response] = (await once(outgoing, 'response')) as [IncomingMessage]
      const chunks: Uint8Array[] = await response.toArray()
      return { status: response.statusCode ?? 0, headers: response.headers, text: Buffer.concat(chunks).toString() }
    },
    [Symbol.asyncDispose]: async () => closing.disposeAsync(),
  }
}

const wrong = (login: 'invalid-credentials' | 'invalid-token'): RegistryError =>
  new RegistryError('unauthorized', 'The user name or the password is wrong.', { hints: { login } })

const fakeTokens = () => {
  const asked: TokenRequest[] = []
  const issue = async (request: TokenRequest): Promise<TokenAnswer> => {
    asked.push(request)
    const { grant } = request
    if (grant.kind === 'password' && !(grant.name === 'ann' && grant.password === 'secret'))
      throw wrong('invalid-credentials')
    if ('token' in grant && grant.token !== 'good') throw wrong('invalid-credentials')
    return {
      token: 'pull',
      expiresIn: 600,
      issuedAt: '2026-11-24T12:00:00.000Z',
      scope: 'repository:private:pull',
      ...(request.offline && { refreshToken: 'good' }),
    }
  }
  return { tokens: { issue }, asked }
}

const fakeControl: AccessControl = {
  authenticate: ({ header }) => {
    const said = parseAuthorization(header('authorization'))
    if (said === undefined) return { kind: 'anonymous', name: 'anonymous' }
    if (said.scheme === 'bearer' && ['pull', 'push', 'delete', 'list'].includes(said.token)) {
      return { kind: 'user', name: said.token }
    }
    if (said.scheme === 'basic' && said.password === 'secret') return { kind: 'user', name: said.name }
    throw wrong(said.scheme === 'bearer' ? 'invalid-token' : 'invalid-credentials')
  },
  authorize: ({ kind, name }, action, { repository }) => {
    if (name === 'ann' || (repository === 'public' && action === 'pull')) return { allow: true }
    if (kind === 'anonymous') return { allow: false, login: 'required' }
    if (action === 'ping' || (action === name && (repository === 'private' || repository === undefined)))
      return { allow: true }
    return repository === 'private' ? { allow: false, login: 'insufficient-scope' } : { allow: false }
  },
  visible: ({ name }) => ({ kind: 'any-of', globs: name === 'anonymous' ? ['public'] : ['*'] }),
}
