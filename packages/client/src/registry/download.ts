import type { Descriptor } from '@stowage/oci'
import type { CallOptions } from '../content/ports.ts'
import { verified } from '../content/verify.ts'
import { ClientError, isClientError } from '../errors.ts'
import type { Answer } from '../transport/answer.ts'
import { backoff } from '../transport/retry.ts'
import { pullScope } from '../transport/scopes.ts'
import type { Call } from '../transport/call.ts'
import { blobSubject } from './blobs.ts'
import { callOptions, pauseFor, type Place, readAny, type RepositoryContext } from './place.ts'
import { fromAnotherPlace, type Reading } from './right-bytes.ts'
import { leaveAlone } from './sick-mirrors.ts'

/** end-2, verified. */
export const readBlob = (
  context: RepositoryContext,
  descriptor: Descriptor,
  options: CallOptions = {},
): AsyncIterable<Uint8Array> =>
  fromAnotherPlace(context, options, (reading) =>
    verified(download(reading, descriptor, 0, options), {
      descriptor,
      hash: context.hash,
      subject: blobSubject(context.own, descriptor.digest),
    }),
  )

/** The bytes of a blob from an offset on, unverified. */
export const blobFrom = (
  context: RepositoryContext,
  descriptor: Pick<Descriptor, 'digest' | 'size'>,
  from: number,
  options: CallOptions = {},
): AsyncIterable<Uint8Array> =>
  fromAnotherPlace(context, options, (reading) => download(reading, descriptor, from, options))

/** Breaks after which a download was taken up again and got further, each time. More are an attack on patience. */
const mostBreaks = 1000
const never = new AbortController().signal

/**
 * When the connection breaks it is taken up again with `Range` where it broke; a registry that ignores the range is read from the
 * start, and what is known already is passed over. A mirror whose connection breaks is left alone, and the next place goes on.
 */
async function* download(
  { context, comesFrom }: Reading,
  { digest, size }: Pick<Descriptor, 'digest' | 'size'>,
  from: number,
  options: CallOptions,
): AsyncIterable<Uint8Array> {
  const { signal = never, onRetry } = options
  const { transport, own } = context
  const subject = blobSubject(own, digest)
  const { attempts, maxDelay } = transport.host(own.registry)
  if (!Number.isSafeInteger(from) || from < 0)
    throw new ClientError('usage', `A blob has no byte at ${from}.`, { subject })
  // A range that begins at the end is none, and registries refuse it.
  if (from > 0 && from === size) return
  let offset = from
  /** Requests to the registry that brought nothing, those that the transport repeated by itself included. */
  let fruitless = 0
  const again = (error: ClientError): void => {
    fruitless++
    onRetry?.(error)
  }
  for (let breaks = 0; ; breaks++) {
    const before = offset
    const { answer, place } = await ask(context, { digest, size }, subject, offset, { own: again, options })
    comesFrom(place)
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
    if (breaks >= mostBreaks) throw failure
    if (place !== own) {
      leaveAlone(transport, place, failure)
      onRetry?.(failure)
      continue
    }
    fruitless = offset === before ? fruitless + 1 : 0
    if (fruitless >= attempts) throw failure
    onRetry?.(failure)
    await pauseFor(fruitless === 0 ? 0 : backoff(fruitless + 1, maxDelay), signal)
  }
}

interface Asking {
  readonly options: CallOptions
  /** Called before the registry itself is asked again. */
  readonly own: (error: ClientError) => void
}

const ask = async (
  context: RepositoryContext,
  { digest, size }: Pick<Descriptor, 'digest' | 'size'>,
  subject: string,
  offset: number,
  { options, own }: Asking,
): Promise<{ readonly answer: Answer; readonly place: Place }> => {
  const build = (place: Place): Call => ({
    registry: place.registry,
    repository: place.name,
    scopes: [pullScope(place.name)],
    method: 'GET',
    target: `/v2/${place.name}/blobs/${digest}`,
    ...(offset === 0 ? {} : { headers: { range: `bytes=${offset}-` } }),
    expect: [200, 206],
    subject,
    ...callOptions(place === context.own ? { ...options, onRetry: own } : options),
  })
  try {
    return await readAny(context, build, async (answer, place) => ({
      answer: await requireRange(answer, offset, subject),
      place,
    }))
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
