import { type ErrorBody, type ErrorInfo, parseErrorBody } from '@stowage/oci'
import { ClientError, isClientError, withFacts } from '../errors.ts'
import type { Answer } from '../transport/answer.ts'
import { inspected } from './inspected.ts'

/** Of one request. */
export interface DoOptions {
  /** Ends the request, its token requests and the reading of its answer. */
  readonly signal?: AbortSignal
  /** Most bytes of an answer that are read. Default 64 MiB. */
  readonly limit?: number
}

export const defaultLimit = 64 * 1024 * 1024

/** The body of an answer that is an error, by the specification. `Errors()` reads it. */
export type ErrorResponse = ErrorBody

/** What every answer has, whatever its status. */
export interface ResponseHead {
  readonly status: number
  /** Whether the status is 2xx. */
  readonly ok: boolean
  readonly headers: Headers
  /** Of the request that was answered: after redirects it is another one than was asked for. */
  readonly url: string
  StatusCode(): number
  Header(): Headers
  /** 401. Where credentials were given, they were shown, and were not enough. */
  IsUnauthorized(): boolean
  /** 2xx */
  IsSuccess(): boolean
  /** 4xx and 5xx */
  IsError(): boolean
  /**
   * Path and query of `Location`, as the client's address goes before them: for `NewRequest`. Empty when there is none. The origin
   * is left out whatever it is.
   */
  GetRelativeLocation(): string
  /** The whole URL of `Location`, also when the registry sent a path. Empty when there is none. */
  GetAbsoluteLocation(): string
  /** `<Response [202]>` */
  toString(): string
}

/** An answer that was read to its end. */
export interface Response extends ResponseHead {
  Body(): Uint8Array
  bytes(): Uint8Array
  text(): string
  /** @throws {ClientError} `invalid-response` when it is not JSON */
  json(): unknown
  /** What a registry says went wrong. Empty when it says nothing of it; never throws. */
  Errors(): readonly ErrorInfo[]
}

/** An answer whose body is still on its way. Read it, or dispose of it. */
export interface StreamedResponse extends ResponseHead, AsyncDisposable {
  /** As it comes in, once. It is not verified. */
  readonly body: AsyncIterable<Uint8Array>
  /** What is left of it in one piece. @throws {ClientError} `too-large` */
  read(limit?: number): Promise<Response>
}

const headOf = (answer: Answer, address: string): ResponseHead => {
  const { status, headers, url } = answer
  const location = (): URL | undefined => {
    const text = headers.get('location')
    if (text === null || !URL.canParse(text, url)) return undefined
    const found = new URL(text, url)
    return /^https?:$/.test(found.protocol) ? found : undefined
  }
  const isSuccess = status >= 200 && status < 300
  return {
    status,
    ok: isSuccess,
    headers,
    url,
    StatusCode: () => status,
    Header: () => headers,
    IsUnauthorized: () => status === 401,
    IsSuccess: () => isSuccess,
    IsError: () => status >= 400,
    GetRelativeLocation() {
      const found = location()
      return found === undefined ? '' : belowPrefix(`${found.pathname}${found.search}`, address)
    },
    GetAbsoluteLocation() {
      const found = location()
      if (found === undefined) return ''
      found.hash = ''
      return found.href
    },
    ...inspected(() => `<Response [${status}]>`),
  }
}

/** The path of the address is left out: `NewRequest` puts it back. */
const belowPrefix = (path: string, address: string): string => {
  const prefix = new URL(address).pathname.replace(/\/$/, '')
  return prefix !== '' && path.startsWith(`${prefix}/`) ? path.slice(prefix.length) : path
}

/** @throws {ClientError} `too-large` */
export const readResponse = async (answer: Answer, address: string, limit: number): Promise<Response> => {
  const body = await readBytes(answer, limit)
  const text = (): string => new TextDecoder().decode(body)
  return {
    ...headOf(answer, address),
    Body: () => body,
    bytes: () => body,
    text,
    json() {
      try {
        return JSON.parse(text()) as unknown
      } catch (cause) {
        const what = `The answer of ${new URL(answer.url).host} (${answer.status}) is not JSON.`
        throw new ClientError('invalid-response', what, { status: answer.status, cause })
      }
    },
    Errors: () => (answer.status >= 400 ? parseErrorBody(text()) : []),
  }
}

const readBytes = async (answer: Answer, limit: number): Promise<Uint8Array> => {
  try {
    return await answer.bytes(limit)
  } catch (error) {
    if (!isClientError(error, 'too-large')) throw error
    throw withFacts(error, { hint: 'DoStream gives it piece by piece; Do takes a higher limit.' })
  }
}

export const streamResponse = (answer: Answer, address: string): StreamedResponse => ({
  ...headOf(answer, address),
  body: answer.body,
  read: async (limit = defaultLimit) => readResponse(answer, address, limit),
  [Symbol.asyncDispose]: async () => answer.discard(),
})
