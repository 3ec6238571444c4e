/** Registries that do less than the specification, or do it in a way of their own. Each looks itself for what it is about. */
import { nothing } from './body-stream.ts'
import type { Behaviour, Call } from './call.ts'
import { type FailureBody, failure } from './fail.ts'
import { changing, errorReply, withHeader } from './reply.ts'

/** No referrers API: 404 there, and nothing is said about the subject of a manifest. Default: text, as docker-registry has it. */
export const withoutReferrersApi =
  (body: FailureBody = 'text'): Behaviour =>
  async (call, next) =>
    isReferrers(call) ? failure(404, { body }) : withoutSubjectHeader()(call, next)

/** The referrers API is there, and nobody says so when a manifest with a subject is put. */
export const withoutSubjectHeader = (): Behaviour => changing((answer) => withHeader(answer, 'oci-subject', undefined))

/** All referrers, whatever type was asked for, and no `OCI-Filters-Applied`. */
export const ignoreArtifactType = (): Behaviour => async (call, next) =>
  isReferrers(call) ? next(withoutQuery(call, ['artifactType'])) : next(call)

/** POST with a digest begins an upload, and what came with it is thrown away. */
export const withoutSinglePost = (): Behaviour => async (call, next) => {
  if (!isUploadStart(call) || !/[?&]digest=/.test(call.target)) return next(call)
  for await (const _ of call.body());
  const { 'content-length': _length, 'transfer-encoding': _encoding, ...headers } = call.headers
  return next({ ...withoutQuery(call, ['digest']), headers, body: nothing })
}

/** Nothing is ever mounted: 202 begins an upload, the others are errors. */
export const withoutMount =
  (status: 202 | 404 | 405 = 202): Behaviour =>
  async (call, next) => {
    if (!isUploadStart(call) || !/[?&]mount=/.test(call.target)) return next(call)
    if (status !== 202) return errorReply(status, 'UNSUPPORTED', 'There is no mounting here.')
    return next(withoutQuery(call, ['mount', 'from']))
  }

/** No PATCH: an upload is one PUT. */
export const withoutChunks = (): Behaviour => async (call, next) =>
  call.method === 'PATCH' ? errorReply(405, 'UNSUPPORTED', 'There are no chunks here.') : next(call)

/** A tag cannot be deleted, a digest can. docker-registry 2 says 400 and `DIGEST_INVALID`. */
export const withoutTagDeletion =
  (status = 405, code = 'UNSUPPORTED'): Behaviour =>
  async (call, next) =>
    call.method === 'DELETE' && /\/manifests\/[^/:]+$/.test(call.target)
      ? errorReply(status, code, 'Tags are not deleted here.')
      : next(call)

/** Nothing can be deleted, but for uploads. */
export const withoutDeletion = (): Behaviour => async (call, next) =>
  call.method === 'DELETE' && !call.target.includes('/blobs/uploads/')
    ? errorReply(405, 'UNSUPPORTED', 'Nothing is deleted here.')
    : next(call)

/** Uploads begin with `OCI-Chunk-Min-Length`. Smaller chunks are taken all the same: the test sees them in `requests`. */
export const chunkMinLength = (bytes: number): Behaviour =>
  changing((answer, call) =>
    isUploadStart(call) && answer.status === 202 ? withHeader(answer, 'oci-chunk-min-length', String(bytes)) : answer,
  )

/** 200 and the whole, whatever range was asked for. */
export const ignoreRange = (): Behaviour => async (call, next) => {
  const { range: _, ...headers } = call.headers
  return next({ ...call, headers })
}

/** Gives a range that begins so many bytes earlier than was asked, and says so. */
export const earlierRange =
  (bytes: number): Behaviour =>
  async (call, next) => {
    const { range } = call.headers
    const moved = range?.replace(/=(\d+)-/, (_, from: string) => `=${Math.max(Number(from) - bytes, 0)}-`)
    return next(moved === undefined ? call : { ...call, headers: { ...call.headers, range: moved } })
  }

const isReferrers = ({ target }: Call): boolean => /\/referrers\/[^/]+$/.test(target.split('?')[0] ?? '')

const isUploadStart = ({ method, target }: Call): boolean =>
  method === 'POST' && /\/blobs\/uploads\/?$/.test(target.split('?')[0] ?? '')

const withoutQuery = (call: Call, names: readonly string[]): Call => {
  const { pathname, searchParams } = new URL(call.target, call.urls.registry)
  for (const name of names) searchParams.delete(name)
  return { ...call, target: `${pathname}${searchParams.size === 0 ? '' : `?${searchParams.toString()}`}` }
}
