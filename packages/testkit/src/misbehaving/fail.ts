import { endless } from './body-stream.ts'
import type { Behaviour } from './call.ts'
import { errorReply, type Header, reply, type Reply } from './reply.ts'

/** `huge` is an error body of 20 MiB, well-formed; `endless` never ends. */
export type FailureBody = 'oci' | 'text' | 'html' | 'none' | 'huge' | 'endless'

export interface FailureOptions {
  /** Seconds, a date, or any text. Default: no `Retry-After`. */
  readonly retryAfter?: number | Date | string
  /** Default: `oci`. */
  readonly body?: FailureBody
  /** The code of the error body. Default: the usual one of the status. */
  readonly code?: string
  readonly message?: string
  /** Answer at once, read nothing of the request's body, and close the connection, as some proxies do. Default: false. */
  readonly leavesRequest?: boolean
}

/**
 * Answers with an error; the registry never hears of the request.
 *
 * @example server.on({}, fail(429, { retryAfter: 1 }), { times: 3 })
 */
export const fail =
  (status: number, options: FailureOptions = {}): Behaviour =>
  () =>
    failure(status, options)

export const failure = (status: number, options: FailureOptions = {}): Reply => {
  const { retryAfter, body = 'oci', leavesRequest = false } = options
  const headers: Header[] = retryAfter === undefined ? [] : [['retry-after', retryAfterText(retryAfter)]]
  return { ...bodies[body](status, headers, options), leavesRequest }
}

const retryAfterText = (value: number | Date | string): string =>
  value instanceof Date ? value.toUTCString() : String(value)

const usualCodes: Readonly<Record<number, string>> = {
  401: 'UNAUTHORIZED',
  403: 'DENIED',
  404: 'NAME_UNKNOWN',
  405: 'UNSUPPORTED',
  429: 'TOOMANYREQUESTS',
}

type MakeBody = (status: number, headers: readonly Header[], options: FailureOptions) => Reply

const oci: MakeBody = (status, headers, { code = usualCodes[status] ?? 'UNKNOWN', message = 'told to fail' }) =>
  errorReply(status, code, message, headers)

const page = '<!DOCTYPE html><html><head><title>Error</title></head><body><h1>It is not us</h1></body></html>'

const bodies = {
  oci,
  // What programs in Go say when they know no such path.
  text: (status, headers) => reply(status, [['content-type', 'text/plain'], ...headers], `${status} page not found\n`),
  html: (status, headers) => reply(status, [['content-type', 'text/html'], ...headers], page),
  none: (status, headers) => reply(status, headers),
  huge: (status, headers, options) =>
    oci(status, headers, { ...options, message: 'and so on '.repeat((20 * 1024 * 1024) / 10) }),
  endless: (status, headers) => ({
    status,
    headers: [['content-type', 'application/json'], ...headers],
    body: endless('{"errors":[{"code":"UNKNOWN","message":"'),
    ending: 'proper',
  }),
} as const satisfies Record<FailureBody, MakeBody>
