/** After this long without a byte a holder is taken for dead and asked to let go. Milliseconds. */
const stalledAfter = 5000

export interface Hold extends Disposable {
  /** Aborts when somebody else needs the upload and this holder has stalled. */
  readonly signal: AbortSignal
  /** Called for every piece of body that comes: the holder is alive. */
  alive(): void
}

/**
 * One request at a time works on an upload. A second one waits; but a request whose connection died without a word would
 * hold the upload for ever, so a waiter asks a holder that has stalled to let go.
 */
export const createUploadLock = (now: () => number): { acquire(signal: AbortSignal): Promise<Hold> } => {
  let holder: { abort: AbortController; lastAlive: number; released: Promise<void> } | undefined

  const acquire = async (signal: AbortSignal): Promise<Hold> => {
    while (holder !== undefined) {
      signal.throwIfAborted()
      const current = holder
      const patience = current.lastAlive + stalledAfter - now()
      if (patience <= 0) current.abort.abort(new Error('Another request took over this upload.'))
      // oxlint-disable-next-line no-await-in-loop -- waiting in turn is the point
      await settledWithin(current.released, patience <= 0 ? 1000 : patience)
    }
    signal.throwIfAborted()
    const released = Promise.withResolvers<void>()
    const mine = { abort: new AbortController(), lastAlive: now(), released: released.promise }
    holder = mine
    return {
      signal: mine.abort.signal,
      alive: () => {
        mine.lastAlive = now()
      },
      [Symbol.dispose]: () => {
        if (holder === mine) holder = undefined
        released.resolve()
      },
    }
  }
  return { acquire }
}

const settledWithin = async (promise: Promise<void>, milliseconds: number): Promise<void> => {
  const timeout = Promise.withResolvers<void>()
  const timer = setTimeout(timeout.resolve, milliseconds)
  try {
    await Promise.race([promise, timeout.promise])
  } finally {
    clearTimeout(timer)
  }
}
