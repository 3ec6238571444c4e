import { bytesContent } from '../content/content.ts'
import { ClientError, isClientError } from '../errors.ts'
import type { Answer } from '../transport/answer.ts'
import { exchange } from '../transport/exchange.ts'
import { globalFetch, sendsStreams } from '../transport/fetch.ts'
import { withoutQuery } from '../transport/origin.ts'
import type { Method } from '../transport/call.ts'
import { createTransport } from '../transport/transport.ts'
import { createReggieAuthorization, kindOf, type ReggieAuthorizationOptions } from './authorization.ts'
import type { ClientOption } from './client-options.ts'
import { createDebug } from './debug.ts'
import { prepare } from './prepare.ts'
import { createRequest, type Request, type RequestSettings } from './request.ts'
import type { RequestOption } from './request-options.ts'
import {
  defaultLimit,
  type DoOptions,
  readResponse,
  type Response,
  type StreamedResponse,
  streamResponse,
} from './response.ts'
import { type ClientConfig, defaultSettings, type Settings } from './settings.ts'
import { checkName } from './template.ts'
import { createUnverifiedFetch } from './unverified-fetch.ts'

/** Speaks to one registry, in requests that are written out. Hold on to it: it knows the registry's tokens. */
export interface Client {
  readonly Config: ClientConfig
  /** For requests that are made from now on. @throws {ClientError} `usage` */
  SetDefaultName(name: string): void
  /**
   * @param path Below the address, or a whole URL of the same origin. `<name>`, `<reference>`, `<digest>` and `<session_id>` are
   *   filled from the options; whatever else stands there is sent as it is written.
   * @throws {ClientError} `usage`
   */
  NewRequest(method: Method, path: string, ...options: readonly RequestOption[]): Request
  /**
   * Sends a request and reads the answer: whatever its status is, it is an answer. A 401 is answered once, with credentials or
   * a token, if there are some to show. Redirects of GET and HEAD are followed. Nothing else is ever sent twice: no 429, no 5xx
   * and no broken connection.
   *
   * @throws {ClientError} `usage` for an invalid request, before anything is sent; `network`, `timeout`, `aborted`, `too-large`;
   *   `refused` for a redirect, or a token server, that would get what is not meant for it
   */
  Do(request: Request, options?: DoOptions): Promise<Response>
  /** Not in the seed. The same, and the body is still on its way: for blobs that are not to be held in memory. */
  DoStream(request: Request, options?: Pick<DoOptions, 'signal'>): Promise<StreamedResponse>
}

const never = new AbortController().signal

/**
 * A client for one registry. It does no I/O before the first `Do`.
 *
 * @param address `https://registry.example`, or with `http://` for plain HTTP; a path in it goes before every request's path
 * @throws {ClientError} `usage`
 */
export const NewClient = (address: string, ...options: readonly ClientOption[]): Client => {
  const settings = defaultSettings(address)
  for (const option of options) of(option, 'NewClient').apply(settings)
  const { config } = settings
  const debug = config.Debug ? createDebug(settings) : undefined
  const plainFetch = chooseFetch(settings)
  const fetch = debug?.around(plainFetch) ?? plainFetch
  const registry = new URL(config.Address).host
  const transport = createTransport({
    hosts: () => ({
      endpoint: config.Address,
      // What is to be sent, and when, is said by who writes the requests out.
      retry: { attempts: 1 },
      concurrency: Number.MAX_SAFE_INTEGER,
      tokenServers: settings.tokenServers,
      timeouts: settings.timeouts,
    }),
    fetch,
    sendsStreams,
    credentials: () => undefined,
    userAgent: config.UserAgent,
    onWarning: () => {},
    onTrace: () => {},
  })
  const host = transport.host(registry)

  const askForToken: ReggieAuthorizationOptions['send'] = async ({ form, ...request }, signal) => {
    const { idleTimeout, answerTimeout } = host
    const content = form === undefined ? {} : { content: bytesContent(new TextEncoder().encode(form)) }
    return exchange({ fetch, sendsStreams }, { ...request, ...content, signal, idleTimeout, answerTimeout })
  }
  const authorization = createReggieAuthorization({ config, host, send: askForToken })

  const send = async (request: Request, shown: string | undefined, signal: AbortSignal): Promise<Answer> => {
    const { url, headers, content } = prepare(config.Address, request)
    if (shown !== undefined && !headers.has('authorization')) headers.set('authorization', shown)
    return transport.call({
      registry,
      method: request.method,
      target: url.href,
      headers: Object.fromEntries(headers),
      ...(content === undefined ? {} : { content }),
      expect: 'any',
      subject: `${request.method} ${withoutQuery(url)}`,
      signal,
      scopes: [],
      repository: undefined,
    })
  }

  const answerTo = async (request: Request, { signal = never, limit = defaultLimit }: DoOptions): Promise<Answer> => {
    const { url, headers } = prepare(config.Address, request)
    // Who shows something of their own wants to see what comes of that.
    if (headers.has('authorization')) return send(request, undefined, signal)
    const kind = kindOf(request.method, url)
    const shown = await authorization.header(kind, signal)
    const answer = await send(request, shown, signal)
    // A stranger to whom a redirect led has no claim to credentials.
    if (answer.status !== 401 || new URL(answer.url).origin !== url.origin) return answer
    const refusal = await hold(answer, limit)
    const header = await authorization.answer(answer.headers.get('www-authenticate'), kind, shown, signal)
    if (header === undefined) return refusal
    await beforeRetry(request)
    return send(request, header, signal)
  }

  const client: Client = {
    Config: config,
    SetDefaultName(name) {
      config.DefaultName = checkName(name)
    },
    NewRequest(method, path, ...requestOptions) {
      const requestSettings: RequestSettings = { values: { name: config.DefaultName }, retryCallback: undefined }
      for (const option of requestOptions) of(option, 'NewRequest').apply(requestSettings)
      return createRequest({ address: config.Address, settings: requestSettings, run: client.Do }, method, path)
    },
    async Do(request, doOptions = {}) {
      const answer = await answerTo(request, doOptions)
      const response = await readResponse(answer, config.Address, doOptions.limit ?? defaultLimit)
      debug?.body(response)
      return response
    },
    async DoStream(request, doOptions = {}) {
      return streamResponse(await answerTo(request, doOptions), config.Address)
    },
  }
  return client
}

/** Types say so too; the seed's page is read by people who write JavaScript. */
const of = <T extends { readonly of: string; readonly name: string }>(option: T, wanted: T['of']): T => {
  const given = (option ?? {}) as Partial<T>
  if (given.of === wanted) return option
  throw new ClientError('usage', `${given.name ?? typeof option} is not an option of ${wanted}.`)
}

const chooseFetch = ({ config, fetch }: Settings): typeof globalFetch => {
  if (!config.InsecureSkipTLSVerify) return fetch ?? globalFetch
  if (fetch === undefined) return createUnverifiedFetch()
  throw new ClientError('usage', 'WithInsecureSkipTLSVerify has no power over the fetch that WithFetch gives.', {
    hint: 'Leave one of them away, and have that fetch skip the verification itself.',
  })
}

/** The same answer, its body in memory: whether it is the answer is known only later, and the connection is wanted again. */
const hold = async (answer: Answer, limit: number): Promise<Answer> => {
  const bytes = await answer.bytes(limit)
  const all = async (): Promise<Uint8Array> => bytes
  return { ...answer, body: bytesContent(bytes).open(), bytes: all, glance: all, discard: async () => {} }
}

const beforeRetry = async (request: Request): Promise<void> => {
  try {
    await request.retryCallback?.(request)
  } catch (error) {
    if (isClientError(error)) throw error
    const words = error instanceof Error ? error.message : String(error)
    throw new ClientError('aborted', `retry callback returned error: ${words}`, { cause: error })
  }
}
