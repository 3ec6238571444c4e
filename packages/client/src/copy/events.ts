import type { Descriptor } from '@stowage/oci'
import type { ClientError } from '../errors.ts'

/** As what something is copied. */
export type CopyRole = 'manifest' | 'blob'

/** What became of a manifest or blob. */
export type CopyOutcome = 'copied' | 'existing' | 'mounted'

/** What a copy tells of itself while it runs. */
export type CopyEvent =
  /** Something that will have to be there: its size counts towards the whole. */
  | { readonly type: 'found'; readonly role: CopyRole; readonly descriptor: Descriptor }
  /** Bytes of a blob that were sent; the number falls when a part is sent again. */
  | { readonly type: 'progress'; readonly descriptor: Descriptor; readonly sent: number }
  | { readonly type: 'done'; readonly role: CopyRole; readonly descriptor: Descriptor; readonly outcome: CopyOutcome }
  /** Something is tried again. */
  | { readonly type: 'retry'; readonly descriptor: Descriptor | undefined; readonly error: ClientError }

/** Events on their way from a copy to whoever listens. */
export interface EventQueue<E = CopyEvent> {
  push(event: E): void
  /** No further events. Listeners that wait are told, with the error if there is one. */
  end(error?: unknown): void
  listen(): AsyncIterable<E>
}

/**
 * Never waits for a listener, and holds no more than one progress for each blob however slow that one is. There is one listener;
 * a second one shares the events with it.
 *
 * @param olderOf Finds what an event takes the place of; undefined for an event that nothing is like.
 */
export const createQueueOf = <E>(olderOf: (event: E) => ((one: E) => boolean) | undefined): EventQueue<E> => {
  const waiting: E[] = []
  const sleeping = new Set<() => void>()
  let ended = false
  let failure: { readonly error: unknown } | undefined
  const wake = (): void => {
    for (const each of sleeping) each()
    sleeping.clear()
  }
  return {
    push(event) {
      const isOlder = olderOf(event)
      const last = isOlder === undefined ? -1 : waiting.findLastIndex(isOlder)
      if (last === -1) waiting.push(event)
      else waiting[last] = event
      wake()
    },
    end(error) {
      ended = true
      if (error !== undefined) failure = { error }
      wake()
    },
    async *listen() {
      for (;;) {
        const event = waiting.shift()
        if (event !== undefined) yield event
        else if (failure !== undefined) throw failure.error
        else if (ended) return
        else await new Promise<void>((resolve) => sleeping.add(resolve))
      }
    },
  }
}

/** What an event of a copy takes the place of: progress of the same blob that nobody has heard of yet. */
export const olderProgress = (event: CopyEvent): ((one: CopyEvent) => boolean) | undefined => {
  if (event.type !== 'progress') return undefined
  const { digest } = event.descriptor
  return (one) => one.type === 'progress' && one.descriptor.digest === digest
}

export const createEventQueue = (): EventQueue => createQueueOf(olderProgress)
