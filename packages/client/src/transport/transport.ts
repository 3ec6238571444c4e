import type { Content } from '../content/content.ts'
import { bytesContent } from '../content/content.ts'
import type { CredentialSource } from '../credentials/credential.ts'
import { ClientError, withFacts } from '../errors.ts'
import { type Authorization, createAuthorization, type Need } from './authorization.ts'
import { parseChallenges } from './challenge.ts'
import { type Answer, exchange } from './exchange.ts'
import { failureOf } from './failure.ts'
import type { Fetch } from './fetch.ts'
import { type Host, type HostOptions, resolveHost } from './hosts.ts'
import { createLimiter, type Limiter } from './limiter.ts'
import { parseDestination, requireSafeStep, requireSameOrigin, withoutQuery } from './origin.ts'
import { backoff, isPassing, parseRetryAfter, pause } from './retry.ts'
import { parseWarnings, type RegistryWarning } from './warnings.ts'

export type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'OPTIONS'

/** One request to a registry, as the rest of this package thinks of it. */
export interface Call extends Need {
  /** As in references. */
  readonly registry: string
  readonly method: Method
  /** From the registry's root (`/v2/…`), or a whole URL of the registry's own origin. */
  readonly target: string
  readonly query?: Readonly<Record<string, string>>
  readonly headers?: Readonly<Record<string, string>>
  readonly content?: Content
  /** Where to begin in the content, and how many bytes of it to send. */
  readonly offset?: number
  readonly length?: number
  /** The statuses that are answers. Any other is thrown. */
  readonly expect: readonly number[]
  /** What it is about, for messages. */
  readonly subject: string
  readonly signal?: AbortSignal | undefined
  /**
   * Whether a broken connection may be followed by the same request. Default: for methods that are idempotent. A 429 or 503 is
   * followed by one in any case, for nothing was done.
   */
  readonly repeatable?: boolean
  readonly onProgress?: ((sent: number) => void) | undefined
  readonly onRetry?: ((error: ClientError) => void) | undefined
}

/** What happened on the wire, for logs. Holds no secret: no header, and no query. */
export interface TraceEvent {
  readonly method: string
  /** Without query. */
  readonly url: string
  /** Undefined when there was no answer. */
  readonly status: number | undefined
  /** Milliseconds to the head of the answer. */
  readonly took: number
  readonly attempt: number
  readonly error?: ClientError
}

export interface TransportOptions {
  /** Asked once for each registry, and again after `forget`. */
  readonly hosts: (registry: string) => HostOptions
  readonly fetch: Fetch
  readonly sendsStreams: boolean
  readonly credentials: CredentialSource
  readonly userAgent: string
  readonly onWarning: (warning: RegistryWarning) => void
  readonly onTrace: (event: TraceEvent) => void
}

/** The one way to a registry: whatever is sent passes here, and so do its rules about credentials, redirects and limits. */
export interface Transport {
  host(registry: string): Host
  /** What is known of a registry is asked for anew: its options have changed. */
  forget(registry: string): void
  /** @throws {ClientError} */
  call(call: Call): Promise<Answer>
  /** Whether bodies can be sent as streams. */
  readonly sendsStreams: boolean
}

interface Connection {
  readonly host: Host
  readonly authorization: Authorization
  /** Apart, because an upload waits for the download that feeds it. */
  readonly reads: Limiter
  readonly writes: Limiter
  /** Milliseconds since the epoch: the registry asked for quiet until then. */
  quietUntil: number
}

const mostRedirects = 5
const idempotent: ReadonlySet<Method> = new Set(['GET', 'HEAD', 'PUT', 'OPTIONS'])
const never = new AbortController().signal

export const createTransport = (options: TransportOptions): Transport => {
  const { hosts, credentials, userAgent, onTrace, onWarning } = options
  const connections = new Map<string, Connection>()
  const warned = new Set<string>()

  const connectionTo = (registry: string): Connection => {
    let connection = connections.get(registry)
    if (connection === undefined) {
      const host = resolveHost(registry, hosts(registry))
      connection = {
        host,
        authorization: createAuthorization({ host, credentials, userAgent }),
        reads: createLimiter(host.concurrency),
        writes: createLimiter(host.concurrency),
        quietUntil: 0,
      }
      connections.set(registry, connection)
    }
    return connection
  }

  const warn = (registry: string, header: string | null): void => {
    for (const text of parseWarnings(header)) {
      const key = `${registry}\n${text}`
      if (warned.has(key) || warned.size >= 1000) continue
      warned.add(key)
      onWarning({ registry, text })
    }
  }

  /** One request and, for reads, where it is redirected to. */
  const send = async (connection: Connection, call: Call, url: string, headers: Headers): Promise<Answer> => {
    const { host } = connection
    const { idleTimeout, answerTimeout } = host
    const { method, content, offset, length, signal = never, onProgress } = call
    const body = {
      ...(content === undefined ? {} : { content }),
      ...(offset === undefined ? {} : { offset }),
      ...(length === undefined ? {} : { length }),
      onProgress,
    }
    let [to, sent] = [url, headers]
    for (let redirects = 0; ; redirects++) {
      const answer = await exchange(options, { method, url: to, headers: sent, signal, idleTimeout, answerTimeout, ...body })
      const location = answer.headers.get('location')
      if (![301, 302, 303, 307, 308].includes(answer.status) || location === null) return answer
      await answer.discard()
      const next = parseDestination(location, to, 'redirect')
      // What was meant for the registry is not sent anywhere else.
      if (method !== 'GET' && method !== 'HEAD') {
        throw new ClientError('refused', `${host.registry} redirects ${method} to ${next.origin}. It is not followed.`, {
          subject: call.subject,
        })
      }
      requireSafeStep(to, next, 'redirect')
      if (redirects === mostRedirects) {
        throw new ClientError('invalid-response', `${host.registry} redirects ${withoutQuery(url)} without end.`)
      }
      if (next.origin !== new URL(to).origin) sent = withoutSecrets(sent)
      to = next.href
    }
  }

  /** Sends it with what the registry wants to see of the caller; a 401 is answered once. */
  const authorized = async (connection: Connection, call: Call, url: string): Promise<Answer> => {
    const { authorization, host } = connection
    const { signal = never } = call
    const tokenSend: Parameters<Authorization['header']>[1] = async ({ method, url: realm, headers, form }) =>
      exchange(options, {
        method,
        url: realm,
        headers,
        signal,
        idleTimeout: host.idleTimeout,
        answerTimeout: host.answerTimeout,
        ...(form === undefined ? {} : { content: bytesContent(new TextEncoder().encode(form)) }),
      })
    const first = new Headers({ ...host.headers, ...call.headers })
    setDefaults(first, call, userAgent)
    // A caller's own header is the caller's own affair: nothing is added to it, and a 401 is the answer.
    if (first.has('authorization')) return send(connection, call, url, first)
    const header = await authorization.header(call, tokenSend)
    if (header !== undefined) first.set('authorization', header)
    const answer = await send(connection, call, url, first)
    // A stranger to whom a redirect led has no claim to credentials.
    if (answer.status !== 401 || new URL(answer.url).origin !== new URL(url).origin) return answer
    const challenges = parseChallenges(answer.headers.get('www-authenticate'))
    const second = await authorization.answer(challenges, call, header, tokenSend)
    if (second === undefined) return answer
    await answer.discard()
    first.set('authorization', second)
    return send(connection, call, url, first)
  }

  const attempt = async (connection: Connection, call: Call, url: string, count: number): Promise<Answer> => {
    const { signal = never, method } = call
    const lane = method === 'GET' || method === 'HEAD' ? connection.reads : connection.writes
    const leave = await lane.enter(signal)
    const began = performance.now()
    const trace = (status: number | undefined, error?: ClientError): void =>
      onTrace({
        method,
        url: withoutQuery(url),
        status,
        took: performance.now() - began,
        attempt: count,
        ...(error === undefined ? {} : { error }),
      })
    try {
      await pause(connection.quietUntil - Date.now(), signal)
      const answer = await authorized(connection, call, url)
      trace(answer.status)
      warn(connection.host.registry, answer.headers.get('warning'))
      return releasing(answer, leave)
    } catch (error) {
      leave()
      const failed = asClientError(error, signal)
      trace(undefined, failed)
      throw failed
    }
  }

  return {
    sendsStreams: options.sendsStreams,
    host: (registry) => connectionTo(registry).host,
    forget: (registry) => void connections.delete(registry),
    async call(call) {
      const connection = connectionTo(call.registry)
      const { host } = connection
      const url = urlOf(host, call)
      const { signal = never, repeatable = idempotent.has(call.method) } = call
      for (let count = 1; ; count++) {
        let error: ClientError
        let wait: number | undefined
        try {
          const answer = await attempt(connection, call, url, count)
          if (call.expect.includes(answer.status)) return answer
          error = await failureOf(answer, call.subject)
          if (!isPassing(answer.status)) throw error
          wait = parseRetryAfter(answer.headers.get('retry-after'), Date.now())
          const undone = answer.status === 429 || answer.status === 503
          if (!undone && !repeatable) throw error
          if (undone && wait !== undefined && wait <= host.maxDelay) {
            connection.quietUntil = Math.max(connection.quietUntil, Date.now() + wait)
          }
        } catch (caught) {
          error = asClientError(caught, signal)
          const broke = error.status === undefined && (error.code === 'network' || error.code === 'timeout')
          if (!broke || !repeatable) throw withFacts(error, { subject: call.subject })
        }
        if (count >= host.attempts || (wait ?? 0) > host.maxDelay) throw withFacts(error, { subject: call.subject })
        call.onRetry?.(error)
        await pause(wait ?? backoff(count + 1, host.maxDelay), signal).catch((reason: unknown) => {
          throw asClientError(reason, signal)
        })
      }
    },
  }
}

/** Checked here, at the one way out: a URL that was stored, or came from a header, is of the registry's own origin or not sent. */
const urlOf = (host: Host, { target, query = {} }: Call): string => {
  const url = target.startsWith('/')
    ? new URL(`${host.endpoint}${target}`)
    : parseDestination(target, host.endpoint, 'URL')
  requireSameOrigin(host.endpoint, url, 'URL')
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value)
  return url.href
}

const setDefaults = (headers: Headers, { content, length, offset = 0 }: Call, userAgent: string): void => {
  if (!headers.has('user-agent')) headers.set('user-agent', userAgent)
  // Inflated bytes would not be those of the digest.
  if (!headers.has('accept-encoding')) headers.set('accept-encoding', 'identity')
  if (content === undefined) return
  const size = length ?? (content.size === undefined ? undefined : content.size - offset)
  // "chunked" is refused by registries in front of object stores.
  if (size !== undefined) headers.set('content-length', String(size))
}

/** Headers that may go to another origin than they were meant for. */
const harmless = ['accept', 'accept-encoding', 'range', 'user-agent']

const withoutSecrets = (headers: Headers): Headers => {
  const kept = new Headers()
  for (const name of harmless) {
    const value = headers.get(name)
    if (value !== null) kept.set(name, value)
  }
  return kept
}

/** The answer keeps its place in the lane until its body was read or left. */
const releasing = (answer: Answer, leave: () => void): Answer => {
  const body = (async function* () {
    try {
      yield* answer.body
    } finally {
      leave()
    }
  })()
  // Nobody reads what is not there.
  if (answer.empty) leave()
  return {
    ...answer,
    body,
    async bytes(limit) {
      try {
        return await answer.bytes(limit)
      } finally {
        leave()
      }
    },
    async discard() {
      try {
        await answer.discard()
      } finally {
        leave()
      }
    },
  }
}

const asClientError = (error: unknown, signal: AbortSignal): ClientError => {
  if (error instanceof Error && error.name === 'ClientError') return error as ClientError
  if (signal.aborted) return new ClientError('aborted', 'Stopped as asked.', { cause: error })
  // Not expected: let it keep its stack as the cause.
  return new ClientError('network', error instanceof Error ? error.message : String(error), { cause: error })
}
