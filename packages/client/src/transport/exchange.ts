import { type Content, iterate } from '../content/content.ts'
import { readAll } from '../content/verify.ts'
import { ClientError, isClientError } from '../errors.ts'
import type { Answer } from './answer.ts'
import { toClientError } from './exchange-failure.ts'
import type { Fetch, FetchAnswer, FetchInit } from './fetch.ts'
import { withoutSecrets } from './request.ts'
import { createWatch, type Watch } from './watch.ts'

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
  /** Whether it goes to another origin than that of the registry that was called. */
  readonly elsewhere?: boolean
}

export interface ExchangeSettings {
  readonly fetch: Fetch
  readonly sendsStreams: boolean
}

/** A request's body, and how to end its making when nobody wants it any more. */
interface Sending {
  readonly body: Uint8Array<ArrayBuffer> | Blob | ReadableStream<Uint8Array>
  stop(): void
}

/** Milliseconds that are given to what nobody depends on. */
const patience = 5000
/** A stream of its own is not worth it below this. */
const smallBody = 64 * 1024
/** Most bytes that are held to send them in one piece where streams cannot be sent. */
const wholeLimit = 64 * 1024 * 1024
/** Of what goes in one piece nobody says how far it is: so many bytes may take as long as one chunk of a stream may. */
const bytesPerIdleTimeout = 1024 * 1024

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
  let sending: Sending | undefined
  try {
    signal.throwIfAborted()
    if (request.content !== undefined) sending = await toBody(request.content, request, watch, sendsStreams)
    const body = sending?.body
    const wholeSize = body === undefined || body instanceof ReadableStream ? 0 : sizeOf(body)
    watch.touch(request.answerTimeout + Math.floor(wholeSize / bytesPerIdleTimeout) * request.idleTimeout)
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
      ...(request.elsewhere === true ? { elsewhere: true } : {}),
    }
    let answer = await fetch(url, init)
    if (wholeSize > 0) request.onProgress?.(wholeSize)
    if (answer.type === 'opaqueredirect') {
      if (method !== 'GET' && method !== 'HEAD') {
        throw new ClientError('refused', `${new URL(url).origin} redirects ${method}. It is not followed.`)
      }
      // A browser does not tell where to. It takes `Authorization` off by itself when it leaves the origin, and nothing else.
      const known = withoutSecrets(headers)
      const authorization = headers.get('authorization')
      if (authorization !== null) known.set('authorization', authorization)
      answer = await fetch(url, { ...init, headers: known, redirect: 'follow' })
    }
    return toAnswer(answer, request, watch, failed, sending)
  } catch (error) {
    watch.end()
    sending?.stop()
    throw failed(error)
  }
}

const toAnswer = (
  { status, headers, body, url }: FetchAnswer,
  request: ExchangeRequest,
  watch: Watch,
  failed: (error: unknown) => ClientError,
  sending: Sending | undefined,
): Answer => {
  // A registry may answer before it has read everything. When its answer is over, nothing more is sent.
  const end = (): void => {
    watch.end()
    sending?.stop()
  }
  if (body === null) end()
  else watch.rest()
  const chunks = async function* (): AsyncIterable<Uint8Array> {
    if (body === null) return
    try {
      watch.touch(request.idleTimeout)
      for await (const chunk of body instanceof ReadableStream ? iterate(body) : body) {
        // However long the reader takes with a chunk, that is not the registry's time.
        watch.rest()
        yield chunk
        // What has come already could be read on without the connection.
        request.signal.throwIfAborted()
        watch.touch(request.idleTimeout)
      }
    } catch (error) {
      throw failed(error)
    } finally {
      end()
    }
  }
  const stream = chunks()
  const glance = async (limit: number): Promise<Uint8Array> => {
    const parts: Uint8Array[] = []
    let left = limit
    watch.hurry(Math.min(patience, request.idleTimeout))
    try {
      for await (const chunk of stream) {
        parts.push(chunk.subarray(0, left))
        left -= chunk.byteLength
        if (left < 0) break
      }
    } catch {
      // What nobody depends on may as well be broken.
    }
    return readAll(inOrder(parts), limit, '')
  }
  const shown = request.headers.get('authorization')
  return {
    status,
    headers,
    ...(shown === null ? {} : { shown }),
    url: url === undefined || url === '' ? request.url : url,
    body: stream,
    empty: body === null,
    bytes: async (limit, subject = `The answer of ${new URL(request.url).host}`) => {
      watch.hurry(request.answerTimeout)
      return readAll(stream, limit, subject)
    },
    glance,
    // A short rest is read, so that the connection can be used again; a long one is cut.
    discard: async () => void (await glance(64 * 1024)),
  }
}

const toBody = async (
  content: Content,
  { offset = 0, length, signal, idleTimeout, answerTimeout, onProgress }: ExchangeRequest,
  watch: Watch,
  sendsStreams: boolean,
): Promise<Sending> => {
  const end = length === undefined ? undefined : offset + length
  const size = length ?? (content.size === undefined ? undefined : content.size - offset)
  if (!sendsStreams || (size !== undefined && size <= smallBody)) {
    if (content.blob !== undefined) return { body: content.blob.slice(offset, end), stop: () => {} }
    const part = upTo(bytesOf(content, offset, signal), length ?? Number.POSITIVE_INFINITY)
    const whole = new Uint8Array(await readAll(part, wholeLimit, 'What is to be sent in one piece'))
    return { body: whole, stop: () => {} }
  }
  const chunks = bytesOf(content, offset, signal)[Symbol.asyncIterator]()
  let sent = 0
  const body = new ReadableStream<Uint8Array>(
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
  // Not waited for: content that hangs must not hold up whoever has given it up.
  return { body, stop: () => void chunks.return?.().catch(() => {}) }
}

/** What a caller gave, as long as it is what it said: errors of its own become ours, and its length is the one announced. */
export async function* bytesOf(content: Content, offset: number, signal: AbortSignal): AsyncIterable<Uint8Array> {
  const expected = content.size === undefined ? undefined : content.size - offset
  let seen = 0
  try {
    for await (const chunk of content.open({ offset, signal })) {
      seen += chunk.byteLength
      if (expected !== undefined && seen > expected) break
      yield chunk
    }
  } catch (error) {
    if (signal.aborted || isClientError(error)) throw error
    const words = error instanceof Error ? error.message : String(error)
    throw new ClientError('invalid-content', `What was to be sent could not be read: ${words}`, { cause: error })
  }
  if (expected === undefined || seen === expected) return
  const than = seen < expected ? 'fewer' : 'more'
  throw new ClientError('digest-mismatch', `What was to be sent has ${than} bytes than the ${content.size} it said.`)
}

async function* inOrder(parts: readonly Uint8Array[]): AsyncIterable<Uint8Array> {
  yield* parts
}

const sizeOf = (body: Uint8Array | Blob): number => (body instanceof Blob ? body.size : body.byteLength)

async function* upTo(chunks: AsyncIterable<Uint8Array>, length: number): AsyncIterable<Uint8Array> {
  let left = length
  for await (const chunk of chunks) {
    yield chunk.subarray(0, left)
    left -= chunk.byteLength
    if (left <= 0) return
  }
}

const ended: IteratorResult<Uint8Array, undefined> = { done: true, value: undefined }
