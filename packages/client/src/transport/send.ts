import { bytesContent } from '../content/content.ts'
import { ClientError } from '../errors.ts'
import type { Authorization } from './authorization.ts'
import { parseChallenges } from './challenge.ts'
import type { Answer } from './answer.ts'
import { exchange, type ExchangeRequest } from './exchange.ts'
import type { Host } from './hosts.ts'
import { isSameOrigin, parseDestination, requireSafeStep, withoutQuery } from './origin.ts'
import { headersOf, withoutSecrets } from './request.ts'
import { backoff, isPassing, parseRetryAfter, pause } from './retry.ts'
import type { Send } from './tokens.ts'
import type { Call, TransportOptions } from './call.ts'

/** One of several times that a call is sent. */
export interface Attempt {
  readonly host: Host
  readonly call: Call
  readonly url: string
  /** 1 is the first. */
  readonly attempt: number
  /** How many there may be. */
  readonly attempts: number
  /** The caller's, or that of the client's end. */
  readonly signal: AbortSignal
}

/** Sends it with what the registry wants to see of the caller, and follows where it leads; a 401 is answered once. */
export type Sender = (attempt: Attempt, authorization: Authorization) => Promise<Answer>

export type SenderOptions = Pick<TransportOptions, 'fetch' | 'sendsStreams' | 'userAgent' | 'onTrace'>

const mostRedirects = 5

export const createSender = (options: SenderOptions): Sender => {
  const { userAgent, onTrace } = options

  /** One request, told of. */
  const ask = async (request: ExchangeRequest, attempt: number): Promise<Answer> => {
    const { method, url } = request
    const began = performance.now()
    const trace = (status: number | undefined, error?: ClientError): void =>
      onTrace({
        method,
        url: withoutQuery(url),
        status,
        took: performance.now() - began,
        attempt,
        ...(error === undefined ? {} : { error }),
      })
    let answer: Answer
    try {
      answer = await exchange(options, request)
    } catch (error) {
      trace(undefined, error as ClientError)
      throw error
    }
    trace(answer.status)
    return answer
  }

  /** One request and, for reads, where it is redirected to. */
  const send = async ({ host, call, url, attempt, signal }: Attempt, headers: Headers): Promise<Answer> => {
    const { idleTimeout, answerTimeout } = host
    const { method, content, offset, length, onProgress } = call
    const request = {
      method,
      ...(content === undefined ? {} : { content }),
      ...(offset === undefined ? {} : { offset }),
      ...(length === undefined ? {} : { length }),
      signal,
      idleTimeout,
      answerTimeout,
      onProgress,
    }
    let [to, sent] = [url, headers]
    for (let redirects = 0; ; redirects++) {
      const answer = await ask({ ...request, url: to, headers: sent, elsewhere: !isSameOrigin(to, url) }, attempt)
      const location = answer.headers.get('location')
      if (![301, 302, 303, 307, 308].includes(answer.status) || location === null) return answer
      if (call.expect === 'any' && method !== 'GET' && method !== 'HEAD') return answer
      await answer.discard()
      const next = parseDestination(location, to, 'redirect')
      // What was meant for the registry is not sent anywhere else.
      if (method !== 'GET' && method !== 'HEAD') {
        throw new ClientError(
          'refused',
          `${host.registry} redirects ${method} to ${next.origin}. It is not followed.`,
          {
            subject: call.subject,
          },
        )
      }
      requireSafeStep(to, next, 'redirect')
      if (redirects === mostRedirects) {
        throw new ClientError('invalid-response', `${host.registry} redirects ${withoutQuery(url)} without end.`)
      }
      if (!isSameOrigin(next, to)) sent = withoutSecrets(sent)
      to = next.href
    }
  }

  /** To a token server, which may be busy as well. */
  const sendForToken =
    ({ host, attempt, attempts, signal }: Attempt): Send =>
    async ({ method, url, headers, form }) => {
      const { idleTimeout, answerTimeout } = host
      const content = form === undefined ? {} : { content: bytesContent(new TextEncoder().encode(form)) }
      const elsewhere = !isSameOrigin(url, host.endpoint)
      const request = { method, url, headers, signal, idleTimeout, answerTimeout, elsewhere, ...content }
      for (let count = 1; ; count++) {
        const answer = await ask(request, attempt)
        if (!isPassing(answer.status) || count >= attempts) return answer
        const wait = parseRetryAfter(answer.headers.get('retry-after'), Date.now()) ?? backoff(count + 1, host.maxDelay)
        if (wait > host.maxDelay) return answer
        await answer.discard()
        await pause(wait, signal)
      }
    }

  return async (attempt, authorization) => {
    const { host, call, url } = attempt
    const headers = headersOf(host, call, userAgent)
    // A caller's own header is the caller's own affair: nothing is added to it, and a 401 is the answer.
    if (headers.has('authorization') || call.expect === 'any') return send(attempt, headers)
    const forToken = sendForToken(attempt)
    const need = { ...call, signal: attempt.signal }
    const header = await authorization.header(need, forToken)
    if (header !== undefined) headers.set('authorization', header)
    const answer = await send(attempt, headers)
    // A stranger to whom a redirect led has no claim to credentials.
    if (answer.status !== 401 || !isSameOrigin(answer.url, url)) return answer
    const challenges = parseChallenges(answer.headers.get('www-authenticate'))
    let second: string | undefined
    try {
      second = await authorization.answer(challenges, need, header, forToken)
    } catch (error) {
      await answer.discard()
      throw error
    }
    if (second === undefined) return answer
    await answer.discard()
    headers.set('authorization', second)
    return send(attempt, headers)
  }
}
