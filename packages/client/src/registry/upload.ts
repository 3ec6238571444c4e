import { type Digest, isRepositoryName } from '@stowage/oci'
import type { Content } from '../content/content.ts'
import type { CallOptions } from '../content/ports.ts'
import { ClientError, isClientError } from '../errors.ts'
import type { Answer } from '../transport/exchange.ts'
import { parseDestination, requireSameOrigin } from '../transport/origin.ts'
import { backoff, pause } from '../transport/retry.ts'
import { pushScope } from '../transport/scopes.ts'
import type { Call } from '../transport/transport.ts'
import { hasBlob } from './blobs.ts'
import { callOptions, describePlace, type RepositoryContext } from './place.ts'

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

interface State {
  location: string
  offset: number
  minChunk: number
  open: boolean
}

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
    minChunk: Number(answer.headers.get('oci-chunk-min-length') ?? 0) || 0,
    open: true,
  })
}

/** Goes on with an upload that `token` is of: asks the registry how far it is. @throws {ClientError} `usage`, `not-found` */
export const resumeUpload = async (
  context: RepositoryContext,
  token: string,
  options: CallOptions = {},
): Promise<Upload> => {
  const upload = createUpload(context, { ...parseToken(context, token), open: true })
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
      target: state.location,
      expect: [204],
    })
    await answer.discard()
    // A registry that has nothing says 0-0, which might be one byte: it is sent again if need be.
    learn(answer, 0)
    return state.offset
  }

  const patch = async (content: Content, length: number | undefined, options: WriteOptions): Promise<void> => {
    const from = state.offset
    const answer = await transport.call({
      ...pushing(context, options),
      method: 'PATCH',
      target: state.location,
      headers: {
        'content-type': 'application/octet-stream',
        ...(length === undefined || length === 0 ? {} : { 'content-range': `${from}-${from + length - 1}` }),
      },
      content,
      offset: from,
      ...(length === undefined ? {} : { length }),
      expect: [202],
      onProgress: (sent) => options.onProgress?.(from + sent),
    })
    await answer.discard()
    learn(answer, length === undefined ? Number.NaN : from + length)
    if (Number.isNaN(state.offset)) await status(options)
  }

  return {
    get offset() {
      return state.offset
    },
    get token() {
      const { location, offset, minChunk } = state
      return JSON.stringify({ registry: own.registry, repository: own.name, location, offset, minChunk })
    },
    status,
    async write(content, options = {}) {
      const { signal = never, onRetry, onProgress } = options
      const pieces = transport.sendsStreams || content.blob !== undefined ? undefined : wholePieces
      const wanted = options.chunkSize ?? host.chunkSize ?? pieces
      // "the client SHOULD ensure that the chunk … is at least the size specified"
      const chunkSize = wanted === undefined ? undefined : Math.max(wanted, state.minChunk)
      let fruitless = 0
      while (content.size === undefined || state.offset < content.size) {
        const before = state.offset
        const left = content.size === undefined ? undefined : content.size - before
        const length = left === undefined ? undefined : Math.min(left, chunkSize ?? left)
        try {
          await patch(content, length, options)
          if (length === undefined) return
        } catch (error) {
          if (!isClientError(error) || !isInterruption(error)) throw error
          fruitless++
          if (fruitless >= host.attempts) throw error
          onRetry?.(error)
          await pause(error.retryAfter ?? backoff(fruitless + 1, host.maxDelay), signal)
          // An upload of which nothing is known any more is begun anew by whoever holds the content.
          await status(options)
          // "0-0" is said before the first byte and after it: who was at 0 and was wrong is at 1.
          if (error.status === 416 && before === 0 && state.offset === 0) state.offset = 1
          onProgress?.(state.offset)
        }
        if (state.offset > before) fruitless = 0
        else if (++fruitless >= host.attempts) {
          throw new ClientError('invalid-response', `${describePlace(own)}: the upload does not get beyond ${before} bytes.`)
        }
      }
    },
    async commit(digest, options = {}) {
      try {
        const answer = await transport.call({
          ...pushing(context, options),
          method: 'PUT',
          target: state.location,
          query: { digest },
          headers: { 'content-type': 'application/octet-stream', 'content-length': '0' },
          expect: [201],
          repeatable: false,
        })
        await answer.discard()
      } catch (error) {
        // The answer was lost, or a repetition came too late: what counts is whether the blob is there.
        const unclear = isClientError(error) && (error.status === undefined || error.status === 404 || error.status >= 500)
        if (!unclear || error.code === 'aborted' || !(await hasBlob(context, { digest }, options))) throw error
      }
      state.open = false
    },
    async cancel(options = {}) {
      state.open = false
      const answer = await transport.call({
        ...pushing(context, options),
        method: 'DELETE',
        target: state.location,
        // Gone already, or not known how: it expires.
        expect: [200, 202, 204, 404, 405],
      })
      await answer.discard()
    },
    async [Symbol.asyncDispose]() {
      if (state.open) await this.cancel().catch(() => {})
    },
  }
}

/** What leaves an upload where it was, or a piece further. 416 says that the registry is at another place than was thought. */
const isInterruption = ({ code, status }: ClientError): boolean =>
  code === 'network' || code === 'timeout' || code === 'registry-failed' || code === 'rate-limited' || status === 416

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

const parseToken = ({ own }: RepositoryContext, token: string): Omit<State, 'open'> => {
  let value: unknown
  try {
    value = JSON.parse(token)
  } catch {
    value = undefined
  }
  const { registry, repository, location, offset, minChunk } = (value ?? {}) as Record<string, unknown>
  const valid =
    typeof location === 'string' &&
    location.startsWith('/') &&
    isWholeNumber(offset) &&
    isWholeNumber(minChunk) &&
    typeof repository === 'string' &&
    isRepositoryName(repository)
  if (!valid) throw new ClientError('usage', 'This is not the token of an upload. Use what `upload.token` gave.')
  if (registry !== own.registry || repository !== own.name) {
    throw new ClientError('usage', `The upload is one to ${String(registry)}/${String(repository)}.`)
  }
  return { location, offset, minChunk }
}

const isWholeNumber = (value: unknown): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
