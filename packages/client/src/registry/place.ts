import type { HashFactory } from '@stowage/oci'
import type { CallOptions } from '../content/ports.ts'
import { ClientError, isClientError, withFacts } from '../errors.ts'
import type { Answer } from '../transport/answer.ts'
import { backoff, pause } from '../transport/retry.ts'
import type { Call } from '../transport/call.ts'
import type { Transport } from '../transport/transport.ts'
import { isLeftAlone, leaveAlone } from './sick-mirrors.ts'

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
  /** Mirrors in their order, and last `own`, the registry itself. */
  readonly readFrom: readonly Place[]
}

export const describePlace = ({ registry, name }: Place): string => `${registry}/${name}`

/** The parts of a call that come from the caller's options. */
export const callOptions = ({ signal, onRetry }: CallOptions): Pick<Call, 'signal' | 'onRetry'> => ({ signal, onRetry })

/**
 * The repository in its registry alone. Mirrors serve blobs and manifests by digest, and manifests by tag for reading. Tags and
 * referrers are always the registry's own: a mirror does not know what it has not been asked for yet.
 */
export const withoutMirrors = (context: RepositoryContext): RepositoryContext => ({
  ...context,
  readFrom: [context.own],
})

/**
 * Asks the mirrors, then the registry: whatever keeps a mirror from answering, and answering right, is a reason to ask the next
 * one, and to leave it alone for a while. The registry's own answer, or error, is the one that counts.
 */
export const readAny = async <T>(
  { transport, own, readFrom }: RepositoryContext,
  build: (place: Place) => Call,
  read: (answer: Answer, place: Place) => T | Promise<T>,
): Promise<T> => {
  for (const mirror of readFrom) {
    if (mirror === own || isLeftAlone(transport, mirror)) continue
    // Where there is somebody else to ask, nothing is tried again.
    const call = { ...build(mirror), attempts: 1 }
    try {
      return await askAndRead(transport, call, async (answer) => read(answer, mirror))
    } catch (error) {
      if (!isClientError(error) || error.code === 'aborted' || error.code === 'usage') throw error
      if (error.code === 'not-found') continue
      leaveAlone(transport, mirror, error)
      call.onRetry?.(error)
    }
  }
  return askAndRead(transport, build(own), async (answer) => read(answer, own))
}

/**
 * Asks, and reads the answer. One that breaks off in the middle is asked for again, as the transport does it when there is no
 * answer at all, and those times count as well: the host's `attempts` do not multiply.
 */
export const askAndRead = async <T>(
  transport: Transport,
  call: Call,
  read: (answer: Answer) => Promise<T>,
): Promise<T> => {
  const { attempts: most, maxDelay } = transport.host(call.registry)
  const { signal = never, subject, repeatable = true, attempts = most, onRetry } = call
  let sent = 0
  const again = (error: ClientError): void => {
    sent++
    onRetry?.(error)
  }
  for (;;) {
    const answer = await transport.call({ ...call, onRetry: again })
    try {
      return await read(answer)
    } catch (error) {
      if (!isClientError(error)) throw error
      const broke = error.status === undefined && (error.code === 'network' || error.code === 'timeout')
      if (!broke || !repeatable || sent + 1 >= attempts) throw withFacts(error, { subject })
      again(error)
      await pauseFor(backoff(sent + 1, maxDelay), signal)
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
