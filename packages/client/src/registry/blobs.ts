import type { Descriptor, Digest } from '@stowage/oci'
import type { CallOptions } from '../content/ports.ts'
import { verified } from '../content/verify.ts'
import { ClientError, isClientError, isNotFound } from '../errors.ts'
import type { Answer } from '../transport/exchange.ts'
import { backoff } from '../transport/retry.ts'
import { deleteScope, pullScope } from '../transport/scopes.ts'
import type { Call } from '../transport/transport.ts'
import { callOptions, describePlace, pauseFor, type Place, readAny, type RepositoryContext } from './place.ts'

export const blobSubject = (place: Place, digest: Digest): string => `${describePlace(place)}@${digest}`

/**
 * end-2 by HEAD, of the registry itself: what a mirror has says nothing of where a push goes. A blob of another length is none:
 * pushed again it may become whole.
 */
export const hasBlob = async (
  { transport, own }: RepositoryContext,
  { digest, size }: { readonly digest: Digest; readonly size?: number },
  options: CallOptions = {},
): Promise<boolean> => {
  try {
    const answer = await transport.call({
      registry: own.registry,
      repository: own.name,
      scopes: [pullScope(own.name)],
      method: 'HEAD',
      target: `/v2/${own.name}/blobs/${digest}`,
      expect: [200],
      subject: blobSubject(own, digest),
      ...callOptions(options),
    })
    await answer.discard()
    const length = answer.headers.get('content-length')
    return size === undefined || length === null || Number(length) === size
  } catch (error) {
    if (isNotFound(error)) return false
    throw error
  }
}

/** end-2, verified. */
export const readBlob = (
  context: RepositoryContext,
  descriptor: Descriptor,
  options: CallOptions = {},
): AsyncIterable<Uint8Array> =>
  verified(blobFrom(context, descriptor, 0, options), {
    descriptor,
    hash: context.hash,
    subject: blobSubject(context.own, descriptor.digest),
  })

/** Breaks after which a download was taken up again and got further, each time. More are an attack on patience. */
const mostBreaks = 1000
const never = new AbortController().signal

/**
 * The bytes of a blob from an offset on, unverified. When the connection breaks it is taken up again with `Range` where it broke;
 * a registry that ignores the range is read from the start, and what is known already is passed over.
 */
export async function* blobFrom(
  context: RepositoryContext,
  { digest, size }: Pick<Descriptor, 'digest' | 'size'>,
  from: number,
  options: CallOptions = {},
): AsyncIterable<Uint8Array> {
  const { signal = never, onRetry } = options
  const subject = blobSubject(context.own, digest)
  const { attempts, maxDelay } = context.transport.host(context.own.registry)
  if (!Number.isSafeInteger(from) || from < 0)
    throw new ClientError('usage', `A blob has no byte at ${from}.`, { subject })
  // A range that begins at the end is none, and registries refuse it.
  if (from > 0 && from === size) return
  let offset = from
  let fruitless = 0
  for (let breaks = 0; ; breaks++) {
    const before = offset
    // Until there is an answer, the transport tries as often as it may.
    const answer = await ask(context, { digest, size }, subject, offset, options)
    let failure: ClientError
    try {
      let passOver = answer.status === 206 ? 0 : offset
      for await (const chunk of answer.body) {
        const rest = chunk.subarray(passOver)
        passOver -= chunk.byteLength - rest.byteLength
        offset += rest.byteLength
        // Whoever sends more than the blob has is stopped here, not at the end of what may have none.
        if (offset > size) throw wrongSize(subject, size, 'sends more')
        if (rest.byteLength > 0) yield rest
      }
      if (offset === size) return
      failure = new ClientError('network', `${subject}: the answer ended after ${offset} of ${size} bytes.`, {
        subject,
      })
    } catch (error) {
      if (!isClientError(error, 'network') && !isClientError(error, 'timeout')) throw error
      failure = error
    }
    fruitless = offset === before ? fruitless + 1 : 0
    if (fruitless >= attempts || breaks >= mostBreaks) throw failure
    onRetry?.(failure)
    await pauseFor(fruitless === 0 ? 0 : backoff(fruitless + 1, maxDelay), signal)
  }
}

const ask = async (
  context: RepositoryContext,
  { digest, size }: Pick<Descriptor, 'digest' | 'size'>,
  subject: string,
  offset: number,
  options: CallOptions,
): Promise<Answer> => {
  const build = ({ registry, name }: Place): Call => ({
    registry,
    repository: name,
    scopes: [pullScope(name)],
    method: 'GET',
    target: `/v2/${name}/blobs/${digest}`,
    ...(offset === 0 ? {} : { headers: { range: `bytes=${offset}-` } }),
    expect: [200, 206],
    subject,
    ...callOptions(options),
  })
  try {
    return await readAny(context, build, async (answer) => requireRange(answer, offset, subject))
  } catch (error) {
    // "416" to a range that must be there: what is stored is shorter than its descriptor says.
    if (isClientError(error) && error.status === 416) throw wrongSize(subject, size, `has no more than ${offset}`)
    throw error
  }
}

/** @throws {ClientError} `invalid-response` for another part than was asked for */
const requireRange = async (answer: Answer, offset: number, subject: string): Promise<Answer> => {
  if (answer.status !== 206) return answer
  const range = answer.headers.get('content-range')
  const start = /^bytes +(\d+)-/i.exec(range ?? '')?.[1]
  if (offset > 0 && start !== undefined && Number(start) === offset) return answer
  await answer.discard()
  throw new ClientError(
    'invalid-response',
    `${subject}: the registry was asked for the bytes from ${offset} on and gave ${JSON.stringify(range)}.`,
    { subject },
  )
}

const wrongSize = (subject: string, size: number, what: string): ClientError =>
  new ClientError('digest-mismatch', `${subject} must have ${size} bytes, and the registry ${what}.`, {
    subject,
    hint: 'What is stored there is cut short or altered. Push it again from where it is whole.',
  })

/** end-10. */
export const deleteBlob = async (
  { transport, own }: RepositoryContext,
  digest: Digest,
  options: CallOptions = {},
): Promise<void> => {
  const answer = await transport.call({
    registry: own.registry,
    repository: own.name,
    scopes: [deleteScope(own.name)],
    method: 'DELETE',
    target: `/v2/${own.name}/blobs/${digest}`,
    expect: [200, 202, 204],
    subject: blobSubject(own, digest),
    ...callOptions(options),
  })
  await answer.discard()
}

/** A blob whose length nobody told: asked for, so that it can be verified. @throws {ClientError} `not-found` */
export const describeBlob = async (
  context: RepositoryContext,
  digest: Digest,
  options: CallOptions = {},
): Promise<Descriptor> => {
  const subject = blobSubject(context.own, digest)
  const build = ({ registry, name }: Place): Call => ({
    registry,
    repository: name,
    scopes: [pullScope(name)],
    method: 'HEAD',
    target: `/v2/${name}/blobs/${digest}`,
    expect: [200],
    subject,
    ...callOptions(options),
  })
  return readAny(context, build, async (answer) => {
    await answer.discard()
    const length = answer.headers.get('content-length')
    if (length === null || !/^\d{1,15}$/.test(length)) {
      throw new ClientError('invalid-response', `${subject}: the registry does not say how long the blob is.`, {
        subject,
      })
    }
    const mediaType = answer.headers.get('content-type') ?? 'application/octet-stream'
    return { mediaType, digest, size: Number(length) }
  })
}
