import type { Descriptor } from '@stowage/oci'
import type { ClientError } from '../errors.ts'

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
export interface EventQueue {
  push(event: CopyEvent): void
  /** No further events. Listeners that wait are told, with the error if there is one. */
  end(error?: unknown): void
  listen(): AsyncIterable<CopyEvent>
}

/**
 * Never waits for a listener, and holds no more than one progress for each blob however slow that one is. There is one listener;
 * a second one shares the events with it.
 */
export const createEventQueue = (): EventQueue => {
  const waiting: CopyEvent[] = []
  let wake: (() => void) | undefined
  let ended = false
  let failure: { readonly error: unknown } | undefined
  return {
    push(event) {
      const last = event.type === 'progress' ? waiting.findLastIndex((one) => isSameProgress(one, event)) : -1
      if (last === -1) waiting.push(event)
      else waiting[last] = event
      wake?.()
    },
    end(error) {
      ended = true
      if (error !== undefined) failure = { error }
      wake?.()
    },
    async *listen() {
      for (;;) {
        const event = waiting.shift()
        if (event !== undefined) yield event
        else if (failure !== undefined) throw failure.error
        else if (ended) return
        else {
          await new Promise<void>((resolve) => (wake = resolve))
          wake = undefined
        }
      }
    },
  }
}

const isSameProgress = (one: CopyEvent, event: CopyEvent & { type: 'progress' }): boolean =>
  one.type === 'progress' && one.descriptor.digest === event.descriptor.digest
