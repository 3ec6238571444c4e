/** The servers that a run of the client speaks to: registries of this process on free ports of the loopback address. */
import { randomUUID } from 'node:crypto'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type AccessControl, RegistryError } from '@stowage/registry'
import {
  changing,
  createTestRegistry,
  cutBodyAfter,
  cutUploadAfter,
  fail,
  flipByte,
  type Header,
  type MisbehavingRegistry,
  redirectToTrap,
  reply,
  startMisbehavingRegistry,
  warn,
} from '@stowage/testkit'
import { account, type ServerAddresses } from './run.ts'

export interface ClientServers extends AsyncDisposable {
  readonly addresses: ServerAddresses
  readonly faulty: MisbehavingRegistry
}

/** @param pageOrigin The only origin that pages may come from. */
export const startClientServers = async (pageOrigin: string): Promise<ClientServers> => {
  await using started = new AsyncDisposableStack()
  const cors = { origins: [pageOrigin] }
  const open = started.use(await createTestRegistry({ cors }))
  const other = started.use(await createTestRegistry({ cors }))
  const closed = started.use(await createTestRegistry())
  const tokens = new Map<string, readonly string[]>()
  const tokenServer = started.use(await listen(answerTokenRequest(tokens, pageOrigin)))
  const guarded = started.use(await createTestRegistry({ cors, access: wantToken(tokens, `${tokenServer.url}/token`) }))
  const faulty = started.use(await startFaulty())
  const kept = started.move()
  return {
    faulty,
    addresses: {
      open: open.host,
      other: other.host,
      closed: closed.host,
      guarded: guarded.host,
      tokenServer: tokenServer.host,
      faulty: faulty.host,
    },
    [Symbol.asyncDispose]: async () => kept.disposeAsync(),
  }
}

/** A server on a free port of the loopback address. */
export const listen = async (handler: RequestListener) => listening(createServer(handler))

/** The same, of one that is made. */
export const listening = async (server: Pick<Server, 'listen' | 'address' | 'close' | 'closeAllConnections'>) => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    host,
    url: `http://${host}`,
    [Symbol.asyncDispose]: async () => {
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      await closed
    },
  }
}

/** Lets in who shows a token for it: scopes are `repository:<name>:<actions>`. */
const wantToken = (tokens: ReadonlyMap<string, readonly string[]>, realm: string): AccessControl => ({
  authenticate: ({ header }) => {
    const token = /^Bearer (.+)$/.exec(header('authorization') ?? '')?.[1]
    if (token === undefined) return { kind: 'anonymous', name: 'anonymous' }
    if (!tokens.has(token)) throw new RegistryError('unauthorized', 'This token was not given here.')
    return { kind: 'user', name: token }
  },
  authorize: ({ name }, action, { repository }) => {
    const scopes = tokens.get(name)
    const may = scopes?.some((scope) => {
      const [, of, actions = ''] = /^repository:(.+):(.+)$/.exec(scope) ?? []
      return of === repository && actions.split(',').includes(action)
    })
    if (may === true || (scopes !== undefined && action === 'ping')) return { allow: true }
    const scope = repository === undefined ? '' : `,scope="repository:${repository}:pull"`
    return { allow: false, challenge: `Bearer realm="${realm}",service="registry.test"${scope}` }
  },
})

const answerTokenRequest =
  (tokens: Map<string, readonly string[]>, pageOrigin: string): RequestListener =>
  ({ method, headers, url = '' }, response) => {
    response.setHeader('access-control-allow-origin', pageOrigin)
    if (method === 'OPTIONS') {
      response.setHeader('access-control-allow-headers', headers['access-control-request-headers'] ?? '')
      response.writeHead(204).end()
      return
    }
    const { username, password } = account
    if (headers.authorization !== `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`) {
      response.writeHead(401).end()
      return
    }
    const token = randomUUID()
    tokens.set(token, new URL(url, 'http://tokens.test').searchParams.getAll('scope'))
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ token, expires_in: 300 }))
  }

/** Every repository of this one has a fault, which its name says. */
const startFaulty = async (): Promise<MisbehavingRegistry> => {
  const { username, password } = account
  const faulty = await startMisbehavingRegistry({
    registry: { cors: { origins: '*' } },
    auth: { scheme: 'basic', users: { [username]: password } },
  })
  const blob = { method: 'GET', path: /\/blobs\// } as const
  faulty.on({ ...blob, path: /\/flipped\// }, flipByte(1_000_000))
  faulty.on({ ...blob, path: /\/broken\// }, cutBodyAfter(700_000), { times: 1 })
  faulty.on({ method: 'PATCH', path: /\/cut\// }, cutUploadAfter(1_200_000), { times: 1 })
  faulty.on({ ...blob, path: /\/away\// }, redirectToTrap())
  faulty.on({ method: 'POST', path: /\/lured\// }, redirectToTrap())
  faulty.on({ method: 'POST', path: /\/busy\// }, warn('slow down'))
  faulty.on({ method: 'POST', path: /\/busy\// }, fail(429, { retryAfter: 1 }), { times: 1 })
  faulty.on({ method: 'GET', path: /\/closed\// }, fail(429, { retryAfter: 3600 }))
  faulty.on({ method: 'HEAD', path: /\/closed\// }, fail(429, { retryAfter: 3600, body: 'none' }))
  // Also for what the registry behind never hears of. A redirect to another origin makes a browser forget where it came from.
  faulty.on(
    { origin: 'any' },
    changing((answer) => ({ ...answer, headers: [...withoutCors(answer.headers), ...forEveryone] })),
  )
  faulty.on({ origin: 'any', method: 'OPTIONS' }, ({ headers }) =>
    reply(204, [
      ...forEveryone,
      ['access-control-allow-methods', 'GET, HEAD, POST, PUT, PATCH, DELETE'],
      ['access-control-allow-headers', headers['access-control-request-headers'] ?? ''],
    ]),
  )
  return faulty
}

const forEveryone: readonly Header[] = [
  ['access-control-allow-origin', '*'],
  [
    'access-control-expose-headers',
    'Content-Range, Docker-Content-Digest, Location, Range, Retry-After, Warning, WWW-Authenticate',
  ],
]

const withoutCors = (headers: readonly Header[]): Header[] =>
  headers.filter(([name]) => !name.toLowerCase().startsWith('access-control-'))
