import { ClientError, isClientError, withFacts } from '../errors.ts'
import type { Answer } from './answer.ts'
import { type Authorization, createAuthorization } from './authorization.ts'
import type { Call, Method, TransportOptions } from './call.ts'
import { failureOf } from './failure.ts'
import { type Host, resolveHost } from './hosts.ts'
import { createLimiter, type Limiter } from '../content/limiter.ts'
import { releasing } from './releasing.ts'
import { urlOf } from './request.ts'
import { backoff, isPassing, pause } from './retry.ts'
import { type Attempt, createSender } from './send.ts'
import { stopped } from './stopping.ts'
import { parseWarnings } from './warnings.ts'

/**
 * The one way to a registry: whatever is sent passes here, and so do its rules about credentials, redirects and limits. Disposing
 * of it ends all that is under way, as `aborted`.
 */
export interface Transport extends AsyncDisposable {
  host(registry: string): Host
  /** @throws {ClientError} */
  call(call: Call): Promise<Answer>
  /** Whether bodies can be sent as streams. */
  readonly sendsStreams: boolean
}

interface Failure {
  readonly error: ClientError
  readonly again: boolean
}

interface Connection {
  readonly host: Host
  readonly authorization: Authorization
  /** Apart, because an upload waits for the download that feeds it, and whoever reads asks meanwhile whether something is there. */
  readonly reads: Limiter
  readonly looks: Limiter
  readonly writes: Limiter
  /** Milliseconds since the epoch: the registry asked for quiet until then. */
  quietUntil: number
}

const idempotent: ReadonlySet<Method> = new Set(['GET', 'HEAD', 'PUT', 'OPTIONS'])

export const createTransport = (options: TransportOptions): Transport => {
  const { hosts, credentials, userAgent } = options
  const onWarning = harmless(options.onWarning)
  const send = createSender({ ...options, onTrace: harmless(options.onTrace) })
  const closing = new AbortController()
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
        looks: createLimiter(host.concurrency),
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

  /** In the registry's lane, and at a time when it does not want to be left alone. */
  const inLane = async (attempt: Attempt, connection: Connection): Promise<Answer> => {
    const { signal, call } = attempt
    const leave = await laneOf(connection, call.method).enter(signal)
    try {
      const quiet = connection.quietUntil - Date.now()
      if (quiet > 0 && call.attempts !== undefined) throw wantsQuiet(connection.host, quiet)
      await pause(quiet, signal)
      const answer = await send(attempt, connection.authorization)
      warn(connection.host.registry, answer.headers.get('warning'))
      return releasing(answer, leave)
    } catch (error) {
      leave()
      throw error
    }
  }

  /** What comes of one attempt: the answer, or an error, and whether and when another attempt makes sense. */
  const outcomeOf = async (attempt: Attempt, connection: Connection): Promise<Answer | Failure> => {
    const { call, host, signal } = attempt
    const { repeatable = idempotent.has(call.method), expect, subject } = call
    let answer: Answer
    try {
      answer = await inLane(attempt, connection)
    } catch (caught) {
      const error = asClientError(caught, signal)
      const broke = error.status === undefined && (error.code === 'network' || error.code === 'timeout')
      return { error, again: broke && repeatable }
    }
    const { status } = answer
    if (expect === 'any' || expect.includes(status)) return answer
    const error = await failureOf(answer, subject)
    const { retryAfter } = error
    // Nothing was done then, and nobody else needs to ask before that time.
    const undone = status === 429 || status === 503
    if (undone && retryAfter !== undefined && retryAfter <= host.maxDelay) {
      connection.quietUntil = Math.max(connection.quietUntil, Date.now() + retryAfter)
    }
    return { error, again: isPassing(status) && (undone || repeatable) }
  }

  return {
    sendsStreams: options.sendsStreams,
    host: (registry) => connectionTo(registry).host,
    async call(call) {
      const connection = connectionTo(call.registry)
      const { host } = connection
      const { subject, onRetry } = call
      const signal = call.signal === undefined ? closing.signal : AbortSignal.any([call.signal, closing.signal])
      const attempts = Math.min(host.attempts, call.attempts ?? host.attempts)
      const url = urlOf(host, call)
      for (let attempt = 1; ; attempt++) {
        const outcome = await outcomeOf({ host, call, url, attempt, attempts, signal }, connection)
        if ('status' in outcome) return outcome
        const { error, again } = outcome
        const wait = error.retryAfter ?? backoff(attempt + 1, host.maxDelay)
        if (!again || attempt >= attempts || wait > host.maxDelay) throw withFacts(error, { subject })
        onRetry?.(error)
        await pause(wait, signal).catch((reason: unknown) => {
          throw withFacts(asClientError(reason, signal), { subject })
        })
      }
    },
    async [Symbol.asyncDispose]() {
      closing.abort(new ClientError('aborted', 'The client was disposed of.'))
    },
  }
}

const laneOf = ({ reads, looks, writes }: Connection, method: Method): Limiter => {
  if (method === 'HEAD') return looks
  return method === 'GET' ? reads : writes
}

const wantsQuiet = ({ registry }: Host, milliseconds: number): ClientError =>
  new ClientError('rate-limited', `${registry} asked for quiet. Nothing is sent to it yet.`, {
    retryAfter: milliseconds,
  })

/** Who only listens cannot make a request fail: what was answered would be left lying. */
const harmless =
  <T>(listener: (event: T) => void): ((event: T) => void) =>
  (event) => {
    try {
      listener(event)
    } catch {
      // It is the listener's own fault, and there is nobody here to tell of it.
    }
  }

const asClientError = (error: unknown, signal: AbortSignal): ClientError => {
  // Who waits is told by the signal's reason, which may be an error of somebody else.
  if (signal.aborted && (error === signal.reason || !isClientError(error))) {
    return stopped(signal.reason)
  }
  if (isClientError(error)) return error
  // What comes from the wire is a ClientError by now: this is a header that is none, or a fault of the caller's own functions.
  return new ClientError('usage', error instanceof Error ? error.message : String(error), { cause: error })
}
