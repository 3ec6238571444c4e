import type { Content } from '../content/content.ts'
import { ClientError } from '../errors.ts'
import { basic } from '../transport/tokens.ts'
import type { Method } from '../transport/call.ts'
import { type BodyLike, toBody } from './body.ts'
import { inspected } from './inspected.ts'
import { isMethod, knownMethods } from './methods.ts'
import type { DoOptions, Response } from './response.ts'
import { fill, type Values } from './template.ts'

/** A request that is still being made. Each `Set` method changes it and returns it. Nothing is sent before `client.Do`. */
export interface Request {
  readonly method: Method
  /** Without what `SetQueryParam` set. A placeholder that nothing stands for is still in it. */
  readonly url: string
  readonly headers: Headers
  /** What `SetQueryParam` set. */
  readonly params: Readonly<Record<string, string>>
  readonly body: Content | undefined
  readonly retryCallback: RetryCallbackFunc | undefined
  /** @throws {ClientError} `usage` */
  SetMethod(method: Method): this
  /** A path or a whole URL, with or without placeholders. */
  SetUrl(url: string): this
  /**
   * Text, bytes, a `Blob`, an object or array (sent as JSON), or a function that opens a stream: it is called once for each time
   * that the body is sent. `undefined` takes the body away.
   *
   * @throws {ClientError} `usage` for a stream itself, which could be sent only once
   */
  SetBody(body: BodyLike | undefined): this
  /** @throws {ClientError} `usage` when HTTP does not allow it */
  SetHeader(name: string, value: string): this
  /** Goes into the URL percent-encoded, instead of a parameter of that name that is there already. */
  SetQueryParam(name: string, value: string): this
  /** `Authorization: Bearer`. Whoever sets it gets the registry's 401 as the answer, if that is the answer. */
  SetAuthToken(token: string): this
  /** `Authorization: Basic`, likewise. */
  SetBasicAuth(username: string, password: string): this
  SetRetryCallback(callback: RetryCallbackFunc): this
  /** Takes away what `SetQueryParam` set. */
  clearParams(): this
  /** `client.Do` of this request, with another method or URL if they are given. */
  Execute(method?: Method, url?: string, options?: DoOptions): Promise<Response>
  /** `[GET] http://…` */
  toString(): string
}

/** Called before a request is sent again because of a 401. What it changes of the request is sent. */
export type RetryCallbackFunc = (request: Request) => void | Promise<void>

/** What a request is made of besides method and path. */
export interface RequestSettings {
  values: Values
  retryCallback: RetryCallbackFunc | undefined
}

export interface RequestContext {
  readonly address: string
  readonly settings: RequestSettings
  readonly run: (request: Request, options?: DoOptions) => Promise<Response>
}

export const createRequest = (
  { address, settings, run }: RequestContext,
  firstMethod: Method,
  path: string,
): Request => {
  let method = checkMethod(firstMethod)
  let url = fill(address, path, settings.values)
  let params: Record<string, string> = {}
  let body: Content | undefined
  let { retryCallback } = settings
  const headers = new Headers()

  const request: Request = {
    headers,
    get method() {
      return method
    },
    get url() {
      return url
    },
    get params() {
      return params
    },
    get body() {
      return body
    },
    get retryCallback() {
      return retryCallback
    },
    SetMethod(given) {
      method = checkMethod(given)
      return this
    },
    SetUrl(given) {
      url = fill(address, given, settings.values)
      return this
    },
    SetBody(given) {
      const { content, type } = given === undefined ? { content: undefined, type: undefined } : toBody(given)
      body = content
      if (type !== undefined && !headers.has('content-type')) headers.set('content-type', type)
      return this
    },
    SetHeader(name, value) {
      setHeader(headers, name, value)
      return this
    },
    SetQueryParam(name, value) {
      params = { ...params, [name]: value }
      return this
    },
    SetAuthToken: (token) => request.SetHeader('authorization', `Bearer ${token}`),
    SetBasicAuth: (username, password) => request.SetHeader('authorization', basic(username, password)),
    SetRetryCallback(callback) {
      retryCallback = callback
      return this
    },
    clearParams() {
      params = {}
      return this
    },
    async Execute(nextMethod = method, nextUrl = url, options = {}) {
      return run(request.SetMethod(nextMethod).SetUrl(nextUrl), options)
    },
    ...inspected(() => `[${method}] ${url}`),
  }
  return request
}

const checkMethod = (method: Method): Method => {
  if (isMethod(method)) return method
  throw new ClientError('usage', `${JSON.stringify(method)} is not a method: use one of ${knownMethods}.`)
}

const setHeader = (headers: Headers, name: string, value: string): void => {
  try {
    headers.set(name, value)
  } catch (cause) {
    // The value stays out of it: it may be a secret.
    const what = `The header ${JSON.stringify(name)} has a name or a value that HTTP does not allow.`
    throw new ClientError('usage', what, { cause: cause instanceof Error ? undefined : cause })
  }
}
