import type { HashFactory } from '@stowage/oci'
import type { CallOptions } from '../content/ports.ts'
import { ClientError, isClientError, withFacts } from '../errors.ts'
import type { Answer } from '../transport/exchange.ts'
import { backoff, pause } from '../transport/retry.ts'
import type { Call, Transport } from '../transport/transport.ts'

/** A repository where it is: in its registry, or in a mirror of that under a name of its own. */
export interface Place {
  readonly registry: string
  readonly name: string
}

/** What everything about one repository needs. */
export interface RepositoryContext {
  readonly transport: Transport
  readonly hash: HashFactory
  readonly own: Place
  /** Mirrors in their order, and last the registry itself. */
  readonly readFrom: readonly Place[]
}

export const describePlace = ({ registry, name }: Place): string => `${registry}/${name}`

/** The parts of a call that come from the caller's options. */
export const callOptions = ({ signal, onRetry }: CallOptions): Pick<Call, 'signal' | 'onRetry'> => ({ signal, onRetry })

/**
 * Asks the mirrors, then the registry: whatever keeps a mirror from answering, and answering right, is a reason to ask the next
 * one. The registry's own answer, or error, is the one that counts.
 */
export const readAny = async <T>(
  { transport, readFrom }: RepositoryContext,
  build: (place: Place) => Call,
  read: (answer: Answer, place: Place) => T | Promise<T>,
): Promise<T> => {
  for (const [index, place] of readFrom.entries()) {
    const last = index === readFrom.length - 1
    try {
      // Where there is somebody else to ask, a connection that breaks is not tried again.
      const call = last ? build(place) : { ...build(place), repeatable: false }
      return await askAndRead(transport, call, async (answer) => read(answer, place))
    } catch (error) {
      if (last || isClientError(error, 'aborted') || isClientError(error, 'usage')) throw error
    }
  }
  throw new Error('A repository is in at least one place.')
}

/**
 * Asks, and reads the answer. One that breaks off in the middle is asked for again, as the transport does it when there is no
 * answer at all.
 */
export const askAndRead = async <T>(
  transport: Transport,
  call: Call,
  read: (answer: Answer) => Promise<T>,
): Promise<T> => {
  const { attempts, maxDelay } = transport.host(call.registry)
  const { signal = never, subject, repeatable = true, onRetry } = call
  for (let count = 1; ; count++) {
    const answer = await transport.call(call)
    try {
      return await read(answer)
    } catch (error) {
      if (!isClientError(error)) throw error
      const broke = error.status === undefined && (error.code === 'network' || error.code === 'timeout')
      if (!broke || !repeatable || count >= attempts) throw withFacts(error, { subject })
      onRetry?.(error)
      await pauseFor(backoff(count + 1, maxDelay), signal)
    }
  }
}

const never = new AbortController().signal

/** Waits, unless the caller says stop. @throws {ClientError} `aborted` */
export const pauseFor = async (milliseconds: number, signal: AbortSignal): Promise<void> => {
  try {
    await pause(milliseconds, signal)
  } catch (cause) {
    throw new ClientError('aborted', 'Stopped as asked.', { cause })
  }
}
