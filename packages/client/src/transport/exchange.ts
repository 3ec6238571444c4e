import { type Content, iterate } from '../content/content.ts'
import { readAll } from '../content/verify.ts'
import { ClientError } from '../errors.ts'
import type { Fetch, FetchAnswer, FetchInit } from './fetch.ts'
import { createWatch, IdleError, type Watch } from './watch.ts'

/** One request, to one URL. */
export interface ExchangeRequest {
  readonly method: string
  readonly url: string
  readonly headers: Headers
  readonly content?: Content
  /** Where to begin in the content, and how many bytes to send of it. */
  readonly offset?: number
  readonly length?: number
  readonly signal: AbortSignal
  readonly idleTimeout: number
  readonly answerTimeout: number
  readonly onProgress?: ((sent: number) => void) | undefined
}

/** What came back. Its body is read to the end, or left, by whoever asked; `discard` does the latter. */
export interface Answer {
  readonly status: number
  readonly headers: Headers
  /** Of the request that was answered: a relative Location is resolved against it. */
  readonly url: string
  readonly body: AsyncIterable<Uint8Array>
  /** Whether there is no body at all. */
  readonly empty: boolean
  /** @throws {ClientError} `too-large` */
  bytes(limit: number): Promise<Uint8Array>
  discard(): Promise<void>
}

export interface ExchangeSettings {
  readonly fetch: Fetch
  readonly sendsStreams: boolean
}

/** A stream of its own is not worth it below this. */
const smallBody = 64 * 1024
/** Most bytes that are held to send them in one piece where streams cannot be sent. */
const wholeLimit = 64 * 1024 * 1024

/**
 * Sends one request as it is: no retry, no redirect, no credentials of its own.
 *
 * @throws {ClientError} `network`, `timeout`, `aborted`
 */
export const exchange = async (
  { fetch, sendsStreams }: ExchangeSettings,
  request: ExchangeRequest,
): Promise<Answer> => {
  const { method, url, headers, signal } = request
  const watch = createWatch()
  const failed = (error: unknown): ClientError => toClientError(error, { method, url, signal, watch })
  try {
    signal.throwIfAborted()
    const body = request.content === undefined ? undefined : await toBody(request.content, request, watch, sendsStreams)
    watch.touch(request.answerTimeout)
    const init: FetchInit = {
      method,
      headers,
      ...(body === undefined ? {} : { body }),
      ...(body instanceof ReadableStream ? { duplex: 'half' } : {}),
      redirect: 'manual',
      signal: AbortSignal.any([signal, watch.signal]),
      // Cookies and caches would make a registry answer one caller with what was meant for another.
      credentials: 'omit',
      cache: 'no-store',
      referrerPolicy: 'no-referrer',
    }
    let answer = await fetch(url, init)
    // A browser does not tell where to. It takes `Authorization` off by itself when it leaves the origin.
    if (answer.type === 'opaqueredirect' && (method === 'GET' || method === 'HEAD')) {
      answer = await fetch(url, { ...init, redirect: 'follow' })
    }
    return toAnswer(answer, request, watch, failed)
  } catch (error) {
    watch.end()
    throw failed(error)
  }
}

const toAnswer = (
  { status, headers, body, url }: FetchAnswer,
  request: ExchangeRequest,
  watch: Watch,
  failed: (error: unknown) => ClientError,
): Answer => {
  if (body === null) watch.end()
  else watch.rest()
  const chunks = async function* (): AsyncIterable<Uint8Array> {
    if (body === null) return
    try {
      watch.touch(request.idleTimeout)
      for await (const chunk of body instanceof ReadableStream ? iterate(body) : body) {
        // However long the reader takes with a chunk, that is not the registry's time.
        watch.rest()
        yield chunk
        watch.touch(request.idleTimeout)
      }
    } catch (error) {
      throw failed(error)
    } finally {
      watch.end()
    }
  }
  const stream = chunks()
  return {
    status,
    headers,
    url: url === undefined || url === '' ? request.url : url,
    body: stream,
    empty: body === null,
    bytes: async (limit) => readAll(stream, limit, `The answer of ${new URL(request.url).host}`),
    async discard() {
      // A short rest is read, so that the connection can be used again; a long one is cut.
      let left = 64 * 1024
      try {
        for await (const chunk of stream) {
          left -= chunk.byteLength
          if (left < 0) break
        }
      } catch {
        // What is thrown away may as well be broken.
      }
    },
  }
}

const toBody = async (
  content: Content,
  { offset = 0, length, signal, idleTimeout, answerTimeout, onProgress }: ExchangeRequest,
  watch: Watch,
  sendsStreams: boolean,
): Promise<Uint8Array<ArrayBuffer> | Blob | ReadableStream<Uint8Array>> => {
  const end = length === undefined ? undefined : offset + length
  const size = length ?? (content.size === undefined ? undefined : content.size - offset)
  if (!sendsStreams || (size !== undefined && size <= smallBody)) {
    if (content.blob !== undefined) return content.blob.slice(offset, end)
    const part = upTo(content.open({ offset, signal }), length ?? Number.POSITIVE_INFINITY)
    const whole = new Uint8Array(await readAll(part, wholeLimit, 'What is to be sent in one piece'))
    onProgress?.(whole.byteLength)
    return whole
  }
  const chunks = content.open({ offset, signal })[Symbol.asyncIterator]()
  let sent = 0
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        // The next bytes are for the content to bring, not for the registry.
        watch.rest()
        let next: IteratorResult<Uint8Array, unknown> = sent === length ? ended : await chunks.next()
        while (next.done !== true && next.value.byteLength === 0) next = await chunks.next()
        if (next.done === true) {
          await chunks.return?.()
          controller.close()
          watch.touch(answerTimeout)
          return
        }
        const chunk = length === undefined ? next.value : next.value.subarray(0, length - sent)
        sent += chunk.byteLength
        controller.enqueue(chunk)
        onProgress?.(sent)
        watch.touch(idleTimeout)
      },
      async cancel() {
        await chunks.return?.()
      },
    },
    { highWaterMark: 0 },
  )
}

async function* upTo(chunks: AsyncIterable<Uint8Array>, length: number): AsyncIterable<Uint8Array> {
  let left = length
  for await (const chunk of chunks) {
    yield chunk.subarray(0, left)
    left -= chunk.byteLength
    if (left <= 0) return
  }
}

const ended: IteratorResult<Uint8Array, undefined> = { done: true, value: undefined }

interface Circumstances {
  readonly method: string
  readonly url: string
  readonly signal: AbortSignal
  readonly watch: Watch
}

/** Fetch says `TypeError: fetch failed` whatever happened; what did is in its cause. */
const toClientError = (error: unknown, { method, url, signal, watch }: Circumstances): ClientError => {
  const { origin, protocol, host } = new URL(url)
  if (signal.aborted) return new ClientError('aborted', 'Stopped as asked.', { cause: signal.reason as unknown })
  if (watch.signal.aborted) {
    const reason = watch.signal.reason as unknown
    const text = reason instanceof IdleError ? reason.message : 'it took too long'
    return new ClientError('timeout', `${method} to ${origin} was given up: ${text}.`, { cause: error })
  }
  if (error instanceof Error && error.name === 'ClientError') return error as ClientError
  const causes = chain(error)
  // A source that fails while it is sent makes the request fail: the source's error is the one to know.
  const own = causes.find((cause) => cause.name === 'ClientError')
  if (own !== undefined) return own as ClientError
  const codes = causes.map((cause) => String((cause as { code?: unknown }).code ?? ''))
  const detail = causes.at(-1)?.message ?? String(error)
  const hint = tlsHint(codes, detail, protocol, host)
  return new ClientError('network', `${method} to ${origin} failed: ${detail}`, {
    cause: error,
    ...(hint === undefined ? {} : { hint }),
  })
}

const chain = (error: unknown): Error[] => {
  const causes: Error[] = []
  for (let cause = error; cause instanceof Error && causes.length < 10; cause = cause.cause) causes.push(cause)
  return causes
}

const tlsHint = (codes: readonly string[], detail: string, protocol: string, host: string): string | undefined => {
  if (codes.some((code) => /CERT|SELF_SIGNED|UNABLE_TO|ALTNAME/.test(code))) {
    return `The certificate of ${host} is not trusted. Give the CA that signed it.`
  }
  if (protocol === 'https:' && (/wrong version number|packet length/i.test(detail) || codes.includes('EPROTO'))) {
    return `${host} does not seem to speak TLS. If it speaks plain HTTP, say so.`
  }
  if (codes.includes('ENOTFOUND')) return `No address is known for ${host}. Check the name.`
  if (codes.includes('ECONNREFUSED')) return `Nothing listens at ${host}. Check the port, and whether it is running.`
  return undefined
}
