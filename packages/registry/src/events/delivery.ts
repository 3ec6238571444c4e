import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from '../logger.ts'
import type { MetadataStore } from '../metadata/metadata-store.ts'
import type { Hooks } from './hooks.ts'

export interface Delivery extends AsyncDisposable {
  /** Says that a change was committed: receivers that wait look again. */
  wake(): void
}

/** Events read at once for one receiver. */
const batch = 100
/** Longest pause between two tries of a receiver that fails, and between looks when nobody wakes us. Milliseconds. */
const longestPause = 30_000
/** How long the end waits for receivers that are at work. Milliseconds. */
const patience = 5000

/** Brings the outbox to its receivers, each at its own pace. */
export const createDelivery = (metadata: MetadataStore, hooks: Hooks, logger: Logger): Delivery => {
  const stop = new AbortController()
  const wakers = new Set<() => void>()
  let changes = 0

  /** Waits for a change after the one that was `seen`. */
  const woken = async (seen: number, milliseconds: number): Promise<void> => {
    if (changes !== seen) return
    const wake = Promise.withResolvers<void>()
    wakers.add(wake.resolve)
    const pause = new AbortController()
    try {
      await Promise.race([
        wake.promise,
        sleep(milliseconds, undefined, { signal: AbortSignal.any([stop.signal, pause.signal]), ref: false }).catch(
          () => {},
        ),
      ])
    } finally {
      pause.abort()
      wakers.delete(wake.resolve)
    }
  }

  const serve = async (name: string, receive: NonNullable<Hooks['receivers']>[string]): Promise<void> => {
    let failures = 0
    while (!stop.signal.aborted) {
      let delivered = 0
      // Before the look, or a change during the look would be slept through.
      const seen = changes
      try {
        // In order, one after the other.
        for (const event of await metadata.readEvents(name, batch)) {
          if (stop.signal.aborted) return
          await receive(event, stop.signal)
          await metadata.acknowledgeEvents(name, event.sequence)
          delivered += 1
        }
        failures = 0
        if (delivered === 0) await woken(seen, longestPause)
      } catch (error) {
        if (stop.signal.aborted) return
        failures += 1
        logger.warn({ receiver: name, failures, err: error }, 'an event receiver failed; the event will be sent again')
        await sleep(Math.min(100 * 2 ** failures, longestPause), undefined, { signal: stop.signal, ref: false }).catch(
          () => {},
        )
      }
    }
  }

  const running = Object.entries(hooks.receivers ?? {}).map(async ([name, receive]) => serve(name, receive))

  return {
    wake: () => {
      changes += 1
      for (const wake of wakers) wake()
    },
    [Symbol.asyncDispose]: async () => {
      stop.abort()
      for (const wake of wakers) wake()
      // A receiver that does not listen to its signal is left behind; the event comes again at the next start.
      await Promise.race([Promise.all(running), sleep(patience, undefined, { ref: false })])
    },
  }
}
