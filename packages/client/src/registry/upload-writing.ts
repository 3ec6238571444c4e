import { bytesContent, type Content } from '../content/content.ts'
import type { CallOptions } from '../content/ports.ts'
import { ClientError, isClientError } from '../errors.ts'
import { backoff } from '../transport/retry.ts'
import { createPieces, type Pieces } from './pieces.ts'
import { describePlace, pauseFor, type Place, type RepositoryContext } from './place.ts'
import type { Part, UploadSession } from './upload-session.ts'

/** How the content of an upload is sent. */
export interface WriteOptions extends CallOptions {
  /** Bytes of one request. Default: the host's, or all in one. */
  readonly chunkSize?: number
  /** The number of bytes that are there, as it grows; it falls when the registry lost some. */
  readonly onProgress?: (offset: number) => void
}

/** Times that an upload went on after less had arrived than was sent. More are an attack on patience. */
const mostBreaks = 1000
/** Pieces where nothing can be streamed and the content is no `Blob`. */
const wholePieces = 8 * 1024 * 1024
/** Most bytes of a piece that is held in memory. */
const largestPiece = 64 * 1024 * 1024
const never = new AbortController().signal

/** Sends the content from where the upload is to its end. */
export const writeContent = async (
  context: RepositoryContext,
  session: UploadSession,
  content: Content,
  options: WriteOptions,
): Promise<void> => {
  const { own } = context
  const { signal = never, onRetry, onProgress } = options
  const { state } = session
  const sizes = sizesFor(context, session, content, options)
  // A `Blob` is cut where it is needed. Anything else is read once, however many requests it goes with.
  await using pieces = content.blob === undefined ? createPieces(content, signal) : undefined
  const patience = createPatience(context, state.offset)
  while (content.size === undefined || state.offset < content.size) {
    const before = state.offset
    let failure: ClientError | undefined
    let sent = 0
    try {
      const part = await nextPart(content, pieces, before, sizes)
      if (part === undefined) return
      sent = part.length ?? 0
      await session.patch(part, options)
      if (part.length === undefined) return
    } catch (error) {
      if (!isClientError(error) || !isInterruption(error)) throw error
      failure = error
      patience.broke(error)
      onRetry?.(error)
      await pieces?.pause()
      // An upload of which nothing is known any more is begun anew by whoever holds the content.
      await session.status(options)
      // "0-0" is said before the first byte and after it: who was at 0 and was wrong is at 1.
      if (error.status === 416 && before === 0 && state.offset === 0) state.offset = 1
      onProgress?.(state.offset)
    }
    if (content.size !== undefined && state.offset > content.size) {
      throw badUpload(own, `has ${state.offset} bytes of ${content.size}`)
    }
    const stuck = badUpload(own, `does not get beyond ${state.offset} bytes`)
    if (failure === undefined && state.offset < before + sent) patience.broke(stuck)
    await pauseFor(patience.waitAfter(before, state.offset, failure, stuck), signal)
  }
}

interface Patience {
  /** @throws {ClientError} the error, when there were too many */
  broke(error: ClientError): void
  /** Milliseconds before the next request. @throws {ClientError} when the upload gets nowhere */
  waitAfter(before: number, now: number, failure: ClientError | undefined, stuck: ClientError): number
}

const createPatience = ({ transport, own }: RepositoryContext, start: number): Patience => {
  const { attempts, maxDelay } = transport.host(own.registry)
  let breaks = 0
  let fruitless = 0
  let furthest = start
  return {
    broke(error) {
      if (++breaks > mostBreaks) throw error
    },
    waitAfter(before, now, failure, stuck) {
      // After a failure only what was never reached before is progress: some registries say now this and now that.
      const further = now > (failure === undefined ? before : furthest)
      furthest = Math.max(furthest, now)
      fruitless = further ? 0 : fruitless + 1
      if (further) return 0
      const wait = failure?.retryAfter ?? backoff(fruitless + 1, maxDelay)
      if (fruitless >= attempts || wait > maxDelay) throw failure ?? stuck
      return wait
    },
  }
}

interface Sizes {
  /** Bytes of one request; undefined for all in one. */
  readonly chunk: number | undefined
  /** Whether a piece must be in memory before it is sent. */
  readonly whole: boolean
}

/** @throws {ClientError} `usage`, `unsupported` */
const sizesFor = (
  { transport, own }: RepositoryContext,
  { state }: UploadSession,
  { blob, size }: Content,
  { chunkSize }: WriteOptions,
): Sizes => {
  if (chunkSize !== undefined && !(Number.isSafeInteger(chunkSize) && chunkSize > 0)) {
    throw new ClientError('usage', `chunkSize must be a whole number of 1 or more, and is ${chunkSize}.`)
  }
  const whole = !transport.sendsStreams && blob === undefined
  const wanted = chunkSize ?? transport.host(own.registry).chunkSize ?? (whole ? wholePieces : undefined)
  if (wanted === undefined) return { chunk: undefined, whole }
  const chunk = Math.max(wanted, state.minChunk)
  if (whole && Math.min(chunk, size ?? chunk) > largestPiece) {
    const text = `${describePlace(own)}: chunks of ${chunk} bytes cannot be sent from here, where each must be held in memory.`
    throw new ClientError('unsupported', text, {
      hint: 'Give the content as a Blob, which is sent without holding it in memory.',
    })
  }
  return { chunk, whole }
}

/** What is sent next; undefined at the end of what nobody knew the length of. */
const nextPart = async (
  content: Content,
  pieces: Pieces | undefined,
  offset: number,
  { chunk, whole }: Sizes,
): Promise<Part | undefined> => {
  if (whole && pieces !== undefined) {
    const left = content.size === undefined ? undefined : content.size - offset
    const piece = await pieces.read(offset, Math.min(chunk ?? wholePieces, left ?? Number.POSITIVE_INFINITY))
    return piece.byteLength === 0 ? undefined : { content: bytesContent(piece), length: piece.byteLength }
  }
  if (content.size === undefined) return { content, offset, length: undefined }
  const left = content.size - offset
  const length = Math.min(left, chunk ?? left)
  return pieces === undefined ? { content, offset, length } : { content: pieces.part(offset, length), length }
}

/**
 * What leaves an upload where it was, or a piece further. 416 says that the registry is at another place than was thought. What
 * the transport tries again by itself (429, 503), or a source for the content it brings, was tried often enough.
 */
export const isInterruption = ({ code, status, side }: ClientError): boolean =>
  side !== 'source' &&
  (status === undefined ? code === 'network' || code === 'timeout' : [408, 416, 500, 502, 504].includes(status))

const badUpload = (own: Place, what: string): ClientError =>
  new ClientError('invalid-response', `${describePlace(own)}: the registry says that the upload ${what}.`)
