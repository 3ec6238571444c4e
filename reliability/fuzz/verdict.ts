import { digestOf } from '../image.ts'
import type { RawAnswer } from './answers.ts'
import type { Draft } from './draft.ts'

/**
 * "The error codes that registries may encounter" (distribution-spec, "Error Codes"), written down here once more: a code that
 * the registry has invented must not pass because the registry knows it. `UNKNOWN` is for its own faults, and so is not here.
 */
const codes: ReadonlySet<unknown> = new Set([
  'BLOB_UNKNOWN',
  'BLOB_UPLOAD_INVALID',
  'BLOB_UPLOAD_UNKNOWN',
  'DIGEST_INVALID',
  'MANIFEST_BLOB_UNKNOWN',
  'MANIFEST_INVALID',
  'MANIFEST_UNKNOWN',
  'NAME_INVALID',
  'NAME_UNKNOWN',
  'SIZE_INVALID',
  'UNAUTHORIZED',
  'DENIED',
  'UNSUPPORTED',
  'TOOMANYREQUESTS',
])

/** What is wrong with a body that should be errors in the format of the specification; undefined when nothing is. */
export const errorBodyProblem = (text: string): string | undefined => {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return `its errors are no JSON: ${JSON.stringify(text.slice(0, 200))}`
  }
  const errors = typeof value === 'object' && value !== null && 'errors' in value ? value.errors : undefined
  if (!Array.isArray(errors) || errors.length === 0) return `it has no errors: ${JSON.stringify(text.slice(0, 200))}`
  for (const error of errors as readonly unknown[]) {
    const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown }
    if (!codes.has(code)) return `its error has the code ${JSON.stringify(code)}, which the specification does not have`
    if (typeof message !== 'string' || message === '') return 'its error has no message'
  }
  return undefined
}

const challenge = /^(?:Basic realm="[^"]*"|Bearer realm="[^"]+",service="[^"]*",scope="[^"]*"(?:,error="[a-z_]+")?)$/
/** Of this server and nothing else, whatever was sent: a path of the API. */
const location = /^\/v2\/[a-z0-9._/-]+\/(?:manifests|blobs|blobs\/uploads)\/[a-z0-9:-]+$/
const next = /^<\/v2\/[\x21-\x7e]+>; rel="next"$/

/**
 * What is wrong with an answer; undefined when nothing is.
 *
 * No answer of 500 and above is right. 501 and 505 would be for methods and versions, which this server refuses with 405 and 400;
 * 503 for a machine that is overloaded and 507 for a full disk, which a few dozen connections and small bodies do not make.
 */
export const answerProblem = (answer: RawAnswer, request: Pick<Draft, 'method'> | undefined): string | undefined => {
  const { status, headers, body } = answer
  if (status >= 500) return `an answer ${status}: ${JSON.stringify(body.toString('latin1').slice(0, 300))}`
  const bare = request?.method.trim() === 'HEAD' || status === 304
  const ofRegistry = headers.has('docker-distribution-api-version')
  const place = headers.get('location')
  if (place !== undefined && !location.test(place))
    return `an answer ${status} with the Location ${JSON.stringify(place)}`
  const link = headers.get('link')
  if (link !== undefined && !next.test(link)) return `an answer ${status} with the Link ${JSON.stringify(link)}`
  if (status >= 300 && status < 400 && status !== 304) return `a redirect ${status}`
  if (status === 401 && !challenge.test(headers.get('www-authenticate') ?? ''))
    return `a 401 with the challenge ${JSON.stringify(headers.get('www-authenticate'))}`
  if (status === 405 && (headers.get('allow') ?? '') === '') return 'a 405 without Allow'
  if (status === 206 && !/^bytes \d+-\d+\/\d+$/.test(headers.get('content-range') ?? ''))
    return 'a 206 without its range'
  if (bare || !answer.whole) return undefined
  // What Node's parser refuses has no body, and the pages beside the API have their own.
  if (status >= 400 && (ofRegistry || headers.get('content-type') === 'application/json')) {
    const problem = errorBodyProblem(body.toString())
    return problem === undefined ? undefined : `an answer ${status}: ${problem}`
  }
  const digest = headers.get('docker-content-digest')
  if (status === 200 && digest?.startsWith('sha256:') === true && digestOf(body) !== digest)
    return `the ${body.byteLength} bytes of an answer 200 do not have its digest ${digest}`
  return undefined
}
