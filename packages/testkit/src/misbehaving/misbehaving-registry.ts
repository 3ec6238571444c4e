import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Registry, RegistryOptions } from '@stowage/registry'
import { type OpenDoor, sendOverSocket } from '../doors.ts'
import { createTestRegistry } from '../test-registry.ts'
import type { AuthOptions } from './auth-options.ts'
import { BrokenConnection, type Behaviour, type Next, type Origin, type SeenRequest } from './call.ts'
import { enforce } from './enforce.ts'
import { forwardTo } from './forward.ts'
import { receive } from './receive.ts'
import { isReply } from './reply.ts'
import { createRules, type Match, matches, type Rule, type RuleOptions } from './rules.ts'
import { findSecrets } from './secrets.ts'
import { send } from './send.ts'
import { answerTokenRequest, isTokenEndpoint } from './token-endpoint.ts'
import { createTokens, type Tokens } from './tokens.ts'

export interface MisbehavingOptions {
  /** Options of the registry behind. Default: in memory, open to everyone. */
  readonly registry?: Partial<RegistryOptions>
  /** Let in only who shows credentials. Default: everyone. */
  readonly auth?: AuthOptions
}

/** A place that requests can be sent to. */
export interface Endpoint {
  /** `http://127.0.0.1:<port>` */
  readonly url: string
  /** `127.0.0.1:<port>`, as clients write it in references. */
  readonly host: string
}

/** A registry that does what it is told to, wrong as it may be. What it is not told, a real registry answers. */
export interface MisbehavingRegistry extends Endpoint, AsyncDisposable, Pick<OpenDoor, 'send' | 'registry'> {
  /** The real registry behind. */
  readonly registry: Registry
  /** Asks the real registry by the side of all behaviours, and unseen: `sample.pushImage(server, …)` fills it. */
  readonly send: OpenDoor['send']
  /**
   * A second origin of the same server: it serves the same content, asks nobody who they are, and writes down what it is sent.
   */
  readonly trap: Endpoint
  /** Every request to either origin, oldest first. */
  readonly requests: readonly SeenRequest[]
  /** Those of them that are meant. */
  seen(match: Match): SeenRequest[]
  /** Requests that brought the trap a password, a token, a cookie or any `Authorization`. */
  readonly leaks: readonly SeenRequest[]
  readonly tokens: Tokens
  /**
   * Orders a behaviour for the requests that match. Where several match they all apply: what was ordered last sees the request
   * first and the answer last. Authentication stands behind all of them.
   *
   * @example server.on({ method: 'GET', path: /blobs\// }, cutBodyAfter(10), { times: 1 })
   */
  on(match: Match, behaviour: Behaviour, options?: RuleOptions): Rule
  /** Begins the list of requests anew. */
  forget(): void
  /**
   * Ends every connection, also those that hang.
   *
   * @throws AggregateError when a behaviour failed, because then the test has not seen what it was to see
   */
  [Symbol.asyncDispose](): Promise<void>
}

/** Starts the server on two free ports of the loopback address. Ends with the scope it was made in. */
export const startMisbehavingRegistry = async (options: MisbehavingOptions = {}): Promise<MisbehavingRegistry> => {
  const { auth } = options
  const behind = await createTestRegistry(options.registry)
  const port = Number(new URL(behind.url).port)
  const requests: SeenRequest[] = []
  const faults: unknown[] = []
  const rules = createRules()
  const tokens = createTokens()
  const urls: Record<Origin, string> = { registry: '', trap: '' }

  const forward = forwardTo(port)
  const authenticated: Next =
    auth === undefined
      ? forward
      : async (call) =>
          isTokenEndpoint(call) ? answerTokenRequest(call, auth, tokens) : enforce(auth, tokens)(call, forward)

  const handle = async (origin: Origin, request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { call, seen, drain } = receive(origin, request, urls)
    requests.push(seen)
    try {
      const outcome = await rules.around(call, authenticated)(call)
      if (isReply(outcome)) seen.status = outcome.status
      await send(outcome, request, response, drain)
    } catch (error) {
      if (!(error instanceof BrokenConnection)) faults.push(error)
      request.socket.destroy()
    }
  }

  const listen = async (origin: Origin): Promise<Server> => {
    const server = createServer({ requestTimeout: 0, headersTimeout: 15_000 }, (request, response) => {
      response.on('error', () => {})
      void handle(origin, request, response)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    urls[origin] = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    return server
  }
  const servers = [await listen('registry'), await listen('trap')]

  return {
    ...endpoint(urls.registry),
    trap: endpoint(urls.trap),
    registry: behind.registry,
    send: async (method, target, sent) => sendOverSocket(port, method, target, sent),
    requests,
    seen: (match) => requests.filter((request) => matches(match, request)),
    get leaks() {
      const secrets = findSecrets(Object.entries(auth?.users ?? {}), tokens.all())
      return requests.filter((request) => request.origin === 'trap' && secrets(request))
    },
    tokens,
    on: rules.add,
    forget: () => void requests.splice(0),
    [Symbol.asyncDispose]: async () => {
      await Promise.all(
        servers.map(async (server) => new Promise((resolve) => server.close(resolve).closeAllConnections())),
      )
      await behind[Symbol.asyncDispose]()
      if (faults.length > 0) throw new AggregateError(faults, `A behaviour failed: ${faults.map(String).join('; ')}`)
    },
  }
}

const endpoint = (url: string): Endpoint => ({ url, host: new URL(url).host })
