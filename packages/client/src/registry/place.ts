import type { HashFactory } from '@stowage/oci'
import type { CallOptions } from '../content/ports.ts'
import { isClientError } from '../errors.ts'
import type { Answer } from '../transport/exchange.ts'
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
 * Asks the mirrors, then the registry: whatever keeps a mirror from answering is a reason to ask the next one. The registry's
 * own answer, or error, is the one that counts.
 */
export const readAny = async (
  { transport, readFrom }: RepositoryContext,
  build: (place: Place) => Call,
): Promise<{ readonly answer: Answer; readonly place: Place }> => {
  for (const [index, place] of readFrom.entries()) {
    try {
      return { answer: await transport.call(build(place)), place }
    } catch (error) {
      if (index === readFrom.length - 1 || isClientError(error, 'aborted') || isClientError(error, 'usage')) throw error
    }
  }
  throw new Error('A repository is in at least one place.')
}
