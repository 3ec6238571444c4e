import type { Digest } from '@stowage/oci'
import type { Content } from '../content/content.ts'
import type { CallOptions } from '../content/ports.ts'
import { type ClientError, isClientError } from '../errors.ts'
import type { Answer } from '../transport/answer.ts'
import { backoff } from '../transport/retry.ts'
import { hasBlob } from './blobs.ts'
import { pauseFor, type RepositoryContext } from './place.ts'
import { locationOf, minChunkOf } from './upload-location.ts'
import { createSession, pushing } from './upload-session.ts'
import { formatToken, parseToken, type UploadState } from './upload-token.ts'
import { isInterruption, writeContent, type WriteOptions } from './upload-writing.ts'

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
  commit(digest: Digest, options?: CommitOptions): Promise<void>
  /** Throws away what was sent. */
  cancel(options?: CallOptions): Promise<void>
}

/** How an upload is closed. */
export interface CommitOptions extends CallOptions {
  /** The whole blob, for an upload that has nothing yet: it goes with the closing request, which spares small ones a request. */
  readonly content?: Content
  /** The number of bytes of `content` that were sent. */
  readonly onProgress?: (sent: number) => void
}

/** Milliseconds for the cancelling of what nobody wants any more: it expires by itself, too. */
const patience = 5000
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
  })
}

/** Goes on with an upload that `token` is of: asks the registry how far it is. @throws {ClientError} `usage`, `not-found` */
export const resumeUpload = async (
  context: RepositoryContext,
  token: string,
  options: CallOptions = {},
): Promise<Upload> => {
  const upload = createUpload(context, parseToken(context.own, token))
  await upload.status(options)
  return upload
}

const createUpload = (context: RepositoryContext, begun: UploadState): Upload => {
  const { transport, own } = context
  const host = transport.host(own.registry)
  const session = createSession(context, begun)
  return {
    get offset() {
      return session.state.offset
    },
    get token() {
      return formatToken(own, session.state)
    },
    status: session.status,
    write: async (content, options = {}) => writeContent(context, session, content, options),
    async commit(digest, options = {}) {
      const { signal = never, onRetry } = options
      for (let count = 1; ; count++) {
        try {
          await session.close(digest, options)
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
      session.state.open = false
    },
    cancel: session.cancel,
    async [Symbol.asyncDispose]() {
      if (session.state.open) await session.cancel({ signal: AbortSignal.timeout(patience) }).catch(() => {})
    },
  }
}

/** Whether it may have been done all the same. */
const isUnclear = ({ code, status }: ClientError): boolean =>
  status === undefined ? code === 'network' || code === 'timeout' : status === 404 || status >= 500
