import { isDeepStrictEqual } from 'node:util'
import type { HttpAnswer, HttpClient } from '../http.ts'
import { digestOf } from '../image.ts'
import type { ManifestCase } from './manifest-case.ts'
import type { Reading } from './reference-decoder.ts'
import { errorBodyProblem } from './verdict.ts'

/** What a manifest was pushed to. */
export interface Place {
  readonly repository: string
  /** A tag, or nothing for the digest itself. */
  readonly tag: string | undefined
  /** Digests of blobs that are there. */
  readonly blobs: ReadonlySet<string>
}

interface ErrorBody {
  readonly errors: readonly { readonly code: string; readonly message: string; readonly detail?: unknown }[]
}

/** What is wrong with the answer to a manifest; undefined when nothing is. */
export const manifestProblem = async (
  client: HttpClient,
  { body }: ManifestCase,
  place: Place,
  answer: HttpAnswer,
  reading: Reading,
): Promise<string | undefined> => {
  const { status } = answer
  if (status === 201) return acceptedProblem(client, body, place, answer, reading)
  if (status >= 500 || status < 400) return `an answer ${status}: ${answer.body.toString().slice(0, 300)}`
  const problem = errorBodyProblem(answer.body.toString())
  if (problem !== undefined) return `an answer ${status}: ${problem}`
  // It was just looked at.
  const [error] = (JSON.parse(answer.body.toString()) as ErrorBody).errors
  if (error === undefined) return 'no error'
  switch (error.code) {
    case 'MANIFEST_BLOB_UNKNOWN':
      return missingProblem(place, error.detail, reading)
    case 'MANIFEST_INVALID':
      if (status === 413) return body.byteLength > maxSize ? undefined : `a 413 for ${body.byteLength} bytes`
      return refusedProblem(error, reading)
    default:
      return `the code ${error.code} for a manifest`
  }
}

const maxSize = 4 * 2 ** 20

const acceptedProblem = async (
  client: HttpClient,
  body: Buffer,
  { repository, tag, blobs }: Place,
  { headers }: HttpAnswer,
  reading: Reading,
): Promise<string | undefined> => {
  if (reading.reasons.length > 0) return `accepted although there is ${reading.reasons.join(', ')}`
  const missing = (reading.blobs ?? []).filter((digest) => digest === null || !blobs.has(digest))
  if (missing.length > 0) return `accepted although its blobs are missing: ${missing.join(', ')}`
  const digest = digestOf(body)
  if (headers['docker-content-digest'] !== digest)
    return `accepted under the digest ${String(headers['docker-content-digest'])}`
  if ((headers['oci-subject'] ?? null) !== (reading.subject ?? null))
    return `accepted with the subject ${String(headers['oci-subject'])}, which is ${reading.subject}`
  const served = await client.send('GET', `/v2/${repository}/manifests/${tag ?? digest}`)
  if (served.status !== 200 || !served.body.equals(body)) return `served with ${served.status}, or other bytes`
  // What it is called is what the last push of the same bytes said, which may be another one.
  if (served.headers['content-type'] !== reading.mediaType)
    return `served as ${String(served.headers['content-type'])}, which is ${reading.mediaType}`
  return reading.subject === undefined || reading.subject === null
    ? undefined
    : referrerProblem(client, repository, { ...reading, subject: reading.subject }, digest, body.byteLength)
}

const referrerProblem = async (
  client: HttpClient,
  repository: string,
  { subject, mediaType, artifactType, annotations }: Reading & { subject: string },
  digest: string,
  size: number,
): Promise<string | undefined> => {
  const answer = await client.send('GET', `/v2/${repository}/referrers/${subject}`)
  if (answer.status !== 200) return `the referrers of its subject were answered ${answer.status}`
  const { manifests } = JSON.parse(answer.body.toString()) as { manifests: readonly Record<string, unknown>[] }
  const found = manifests.find((descriptor) => descriptor['digest'] === digest)
  if (found === undefined) return 'it is not among the referrers of its subject'
  const wanted = {
    mediaType,
    digest,
    size,
    ...(artifactType === undefined || artifactType === null || artifactType === '' ? {} : { artifactType }),
    ...(Object.keys(annotations ?? {}).length === 0 ? {} : { annotations }),
  }
  return isDeepStrictEqual(found, wanted)
    ? undefined
    : `listed as a referrer as ${JSON.stringify(found).slice(0, 500)}, and is ${JSON.stringify(wanted).slice(0, 500)}`
}

const missingProblem = (
  { blobs }: Place,
  detail: unknown,
  { reasons, blobs: needed = [] }: Reading,
): string | undefined => {
  if (reasons.length > 0) return `its blobs were asked for although there is ${reasons.join(', ')}`
  const { blobs: said } = (detail ?? {}) as { blobs?: unknown }
  const missing = new Set(needed.filter((digest) => digest === null || !blobs.has(digest)))
  if (!Array.isArray(said)) return 'the missing blobs are not named'
  return isDeepStrictEqual(new Set(said), missing)
    ? undefined
    : `the missing blobs are said to be ${JSON.stringify(said)}, and are ${JSON.stringify([...missing])}`
}

/** What is no fault of one member: the document as a whole, and the header it came with. */
const ofTheWhole =
  /Content-Type|byte order mark|UTF-8|is not JSON|is empty|more text|deeper|has more than|too many|must be an object|kind of manifest/

const refusedProblem = (
  { message, detail }: { readonly message: string; readonly detail?: unknown },
  { reasons, limits }: Reading,
): string | undefined => {
  if (reasons.length === 0 && limits.length === 0) return `refused without a reason that the reference sees: ${message}`
  if (!Array.isArray(detail) || detail.length === 0) return `refused without details: ${message}`
  for (const problem of detail as readonly { path?: unknown; message?: unknown }[]) {
    if (typeof problem.path !== 'string' || typeof problem.message !== 'string')
      return `a detail without path or message: ${message}`
    if (problem.path === '' && !ofTheWhole.test(problem.message)) return `a problem of no field: ${problem.message}`
  }
  return undefined
}
