import type { Digest } from '@stowage/oci'
import { bytesContent, type Content } from '../content/content.ts'
import type { CallOptions } from '../content/ports.ts'
import { ClientError, isClientError } from '../errors.ts'
import type { Answer } from '../transport/exchange.ts'
import { parseDestination, requireSameOrigin } from '../transport/origin.ts'
import { backoff } from '../transport/retry.ts'
import { pushScope } from '../transport/scopes.ts'
import type { Call } from '../transport/transport.ts'
import { hasBlob } from './blobs.ts'
import { createPieces } from './pieces.ts'
import { callOptions, describePlace, pauseFor, type Place, type RepositoryContext } from './place.ts'
import { formatToken, parseToken, type UploadState } from './upload-token.ts'

/** How the content of an upload is sent. */
export interface WriteOptions extends CallOptions {
  /** Bytes of one request. Default: the host's, or all in one. */
  readonly chunkSize?: number
  /** The number of bytes that are there, as it grows; it falls when the registry lost some. */
  readonly onProgress?: (offset: number) => void
}

/** An upload under way. Dispose of it to cancel it, unless it was committed. */
export interface Upload extends AsyncDisposable {
  /** Bytes that the registry has acknowledged. */
  readonly offset: number
  /**
   * What `resumeUpload` takes, now or in another process: keep it after each `write`. Whoever has it, and may push, can go on
   * with the upload.
   */
  readonly token: string
  /** Sends the content from `offset` to its end. When a connection breaks it goes on where the registry says it is. */
  write(content: Content, options?: WriteOptions): Promise<void>
  /** Asks the registry how far it is. @throws {ClientError} `not-found` when it has expired */
  status(options?: CallOptions): Promise<number>
  /** Makes it a blob. @throws {ClientError} `digest-mismatch` */
  commit(digest: Digest, options?: CallOptions): Promise<void>
  /** Throws away what was sent. */
  cancel(options?: CallOptions): Promise<void>
}

interface State extends Writable<UploadState> {
  open: boolean
}

type Writable<T> = { -readonly [key in keyof T]: T[key] }

/** Breaks after which an upload went on. More are an attack on patience. */
const mostBreaks = 1000
/** Milliseconds for the cancelling of what nobody wants any more: it expires by itself, too. */
const patience = 5000
/** Pieces where nothing can be streamed and the content is no `Blob`. */
const wholePieces = 8 * 1024 * 1024
const never = new AbortController().signal

/** end-4a. */
export const startUpload = async (context: RepositoryContext, options: CallOptions = {}): Promise<Upload> => {
  const answer = await context.transport.call({
    ...pushing(context, options),
    method: 'POST',
    target: `/v2/${context.own.name}/blobs/uploads/`,
    expect: [202],
    // An upload that was begun twice expires by itself.
    repeatable: true,
  })
  return openUpload(context, answer)
}

/** An upload from the answer that began it. */
export const openUpload = async (context: RepositoryContext, answer: Answer): Promise<Upload> => {
  await answer.discard()
  return createUpload(context, {
    location: locationOf(context, answer),
    offset: 0,
    minChunk: minChunkOf(answer),
    open: true,
  })
}

/** Goes on with an upload that `token` is of: asks the registry how far it is. @throws {ClientError} `usage`, `not-found` */
export const resumeUpload = async (
  context: RepositoryContext,
  token: string,
  options: CallOptions = {},
): Promise<Upload> => {
  const upload = createUpload(context, { ...parseToken(context.own, token), open: true })
  await upload.status(options)
  return upload
}

const pushing = (
  { own }: RepositoryContext,
  options: CallOptions,
): Pick<Call, 'registry' | 'repository' | 'scopes' | 'subject' | 'signal' | 'onRetry'> => ({
  registry: own.registry,
  repository: own.name,
  scopes: [pushScope(own.name)],
  subject: `an upload to ${describePlace(own)}`,
  ...callOptions(options),
})

const createUpload = (context: RepositoryContext, state: State): Upload => {
  const { transport, own } = context
  const host = transport.host(own.registry)
  // The endpoint may have a path, and a Location has it as well.
  const here = (): string => `${new URL(host.endpoint).origin}${state.location}`

  /** Every answer may say where to go on, and how far it is. */
  const learn = (answer: Answer, otherwise: number): void => {
    if (answer.headers.has('location')) state.location = locationOf(context, answer)
    const range = /^(?:bytes=)?0-(\d+)$/.exec(answer.headers.get('range')?.trim() ?? '')?.[1]
    // "0-0" is one byte, and what is said before the first one.
    state.offset = range === undefined || (range === '0' && otherwise === 0) ? otherwise : Number(range) + 1
  }

  const status = async (options: CallOptions = {}): Promise<number> => {
    const answer = await transport.call({
      ...pushing(context, options),
      method: 'GET',
      target: here(),
      // "204" is what the specification has.
      expect: [200, 202, 204],
    })
    await answer.discard()
    // A registry that has nothing says 0-0, which might be one byte: it is sent again if need be.
    learn(answer, 0)
    return state.offset
  }

  const patch = async (
    part: Pick<Call, 'content' | 'offset'>,
    length: number | undefined,
    options: WriteOptions,
  ): Promise<void> => {
    const from = state.offset
    const answer = await transport.call({
      ...pushing(context, options),
      method: 'PATCH',
      target: here(),
      headers: {
        'content-type': 'application/octet-stream',
        ...(length === undefined || length === 0 ? {} : { 'content-range': `${from}-${from + length - 1}` }),
      },
      ...part,
      ...(length === undefined ? {} : { length }),
      expect: [202],
      onProgress: (sent) => options.onProgress?.(from + sent),
    })
    await answer.discard()
    learn(answer, length === undefined ? Number.NaN : from + length)
    if (Number.isNaN(state.offset)) await status(options)
  }

  const close = async (digest: Digest, options: CallOptions): Promise<void> => {
    const answer = await transport.call({
      ...pushing(context, options),
      method: 'PUT',
      target: here(),
      query: { digest },
      headers: { 'content-type': 'application/octet-stream', 'content-length': '0' },
      expect: [201],
      repeatable: false,
    })
    await answer.discard()
  }

  const cancel = async (options: CallOptions = {}): Promise<void> => {
    state.open = false
    const answer = await transport.call({
      ...pushing(context, options),
      method: 'DELETE',
      target: here(),
      // Gone already, or not known how: it expires.
      expect: [200, 202, 204, 404, 405],
    })
    await answer.discard()
  }

  return {
    get offset() {
      return state.offset
    },
    get token() {
      return formatToken(own, state)
    },
    status,
    async write(content, options = {}) {
      const { signal = never, onRetry, onProgress } = options
      checkChunkSize(options.chunkSize)
      await using pieces =
        transport.sendsStreams || content.blob !== undefined ? undefined : createPieces(content, signal)
      const wanted = options.chunkSize ?? host.chunkSize ?? (pieces === undefined ? undefined : wholePieces)
      const chunkSize = wanted === undefined ? undefined : Math.max(wanted, state.minChunk)
      let fruitless = 0
      let breaks = 0
      let furthest = state.offset
      while (content.size === undefined || state.offset < content.size) {
        const before = state.offset
        const left = content.size === undefined ? undefined : content.size - before
        const length = left === undefined ? undefined : Math.min(left, chunkSize ?? left)
        let failure: ClientError | undefined
        try {
          if (pieces === undefined) {
            await patch({ content, offset: before }, length, options)
            if (length === undefined) return
          } else {
            const piece = await pieces.read(before, length ?? chunkSize ?? wholePieces)
            if (piece.byteLength === 0) return
            await patch({ content: bytesContent(piece) }, piece.byteLength, options)
          }
        } catch (error) {
          if (!isClientError(error) || !isInterruption(error) || ++breaks > mostBreaks) throw error
          failure = error
          onRetry?.(error)
          // An upload of which nothing is known any more is begun anew by whoever holds the content.
          await status(options)
          // "0-0" is said before the first byte and after it: who was at 0 and was wrong is at 1.
          if (error.status === 416 && before === 0 && state.offset === 0) state.offset = 1
          onProgress?.(state.offset)
        }
        if (content.size !== undefined && state.offset > content.size) {
          throw badUpload(own, `has ${state.offset} bytes of ${content.size}`)
        }
        // After a failure only what was never reached before is progress: some registries say now this and now that.
        const further = state.offset > (failure === undefined ? before : furthest)
        furthest = Math.max(furthest, state.offset)
        fruitless = further ? 0 : fruitless + 1
        if (further) continue
        const wait = failure?.retryAfter ?? backoff(fruitless + 1, host.maxDelay)
        if (fruitless >= host.attempts || wait > host.maxDelay) {
          throw failure ?? badUpload(own, `does not get beyond ${before} bytes`)
        }
        await pauseFor(wait, signal)
      }
    },
    async commit(digest, options = {}) {
      const { signal = never, onRetry } = options
      for (let count = 1; ; count++) {
        try {
          await close(digest, options)
          break
        } catch (error) {
          if (!isClientError(error) || !isUnclear(error)) throw error
          // What counts is whether the blob is there. Why it is not is the first error's to say.
          if (await hasBlob(context, { digest }, options).catch(() => false)) break
          const wait = error.retryAfter ?? backoff(count + 1, host.maxDelay)
          const again = isInterruption(error) && count < host.attempts && wait <= host.maxDelay
          if (!again) throw error
          onRetry?.(error)
          await pauseFor(wait, signal)
        }
      }
      state.open = false
    },
    cancel,
    async [Symbol.asyncDispose]() {
      if (state.open) await cancel({ signal: AbortSignal.timeout(patience) }).catch(() => {})
    },
  }
}

/**
 * What leaves an upload where it was, or a piece further. 416 says that the registry is at another place than was thought. What
 * the transport tries again by itself (429, 503), or a source for the content it brings, was tried often enough.
 */
const isInterruption = ({ code, status, side }: ClientError): boolean =>
  side !== 'source' &&
  (status === undefined ? code === 'network' || code === 'timeout' : [408, 416, 500, 502, 504].includes(status))

/** Whether it may have been done all the same. */
const isUnclear = ({ code, status }: ClientError): boolean =>
  status === undefined ? code === 'network' || code === 'timeout' : status === 404 || status >= 500

/** "the client SHOULD ensure that the chunk … is at least the size specified"; what is no number says nothing. */
const minChunkOf = ({ headers }: Answer): number => {
  const text = headers.get('oci-chunk-min-length') ?? ''
  return /^\d{1,15}$/.test(text) ? Number(text) : 0
}

const checkChunkSize = (size: number | undefined): void => {
  if (size === undefined || (Number.isSafeInteger(size) && size > 0)) return
  throw new ClientError('usage', `chunkSize must be a whole number of 1 or more, and is ${size}.`)
}

const badUpload = (own: Place, what: string): ClientError =>
  new ClientError('invalid-response', `${describePlace(own)}: the registry says that the upload ${what}.`)

const locationOf = ({ transport, own }: RepositoryContext, { headers, url }: Answer): string => {
  const header = headers.get('location')
  if (header === null) {
    throw new ClientError('invalid-response', `${own.registry} began an upload without saying where (no Location).`)
  }
  const location = parseDestination(header, url, 'Location')
  // A registry behind a proxy may think that it is plain HTTP. Sent to where it was asked, it is the same upload.
  const { origin, protocol } = new URL(transport.host(own.registry).endpoint)
  if (location.origin !== origin && protocol === 'https:' && location.host === new URL(origin).host) {
    location.protocol = protocol
  }
  requireSameOrigin(url, location, 'Location')
  return `${location.pathname}${location.search}`
}
