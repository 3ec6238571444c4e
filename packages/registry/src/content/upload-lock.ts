/** After this long without a byte a holder is taken for dead and asked to let go. Milliseconds. */
export const stalledAfter = 5000

export interface Hold extends Disposable {
  /** Aborts when the holder is to let go: it has stalled and somebody else needs the upload, or the upload is over. */
  readonly signal: AbortSignal
  /** Called for every piece of body that comes: the holder is alive. */
  alive(): void
}

export interface UploadLock {
  /** Waits in turn. Rejects with the reason of `signal` when that aborts first. */
  acquire(signal: AbortSignal): Promise<Hold>
  /** The lock, if nobody has it. */
  tryAcquire(): Hold | undefined
  isHeld(): boolean
  /** Asks whoever has the lock to let go now. It is his until he does. */
  interrupt(): void
}

/**
 * One request at a time works on an upload. A second one waits; but a request whose connection died without a word would
 * hold the upload for ever, so a waiter asks a holder that has stalled to let go.
 */
export const createUploadLock = (now: () => number): UploadLock => {
  let holder: { abort: AbortController; lastAlive: number; released: Promise<void> } | undefined

  const take = (): Hold => {
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

  const interrupt = (): void =>
    holder?.abort.abort(new DOMException('Another request took over this upload.', 'AbortError'))

  const acquire = async (signal: AbortSignal): Promise<Hold> => {
    for (;;) {
      signal.throwIfAborted()
      const current = holder
      if (current === undefined) return take()
      // Never longer than a holder may stall, whatever a clock that was set back says.
      const patience = Math.min(current.lastAlive + stalledAfter - now(), stalledAfter)
      if (patience <= 0) interrupt()
      // Waiting in turn is the point.
      await settledWithin(current.released, patience <= 0 ? 1000 : patience, signal)
    }
  }
  return {
    acquire,
    tryAcquire: () => (holder === undefined ? take() : undefined),
    isHeld: () => holder !== undefined,
    interrupt,
  }
}

const settledWithin = async (promise: Promise<void>, milliseconds: number, signal: AbortSignal): Promise<void> => {
  const over = Promise.withResolvers<void>()
  const end = (): void => over.resolve()
  const timer = setTimeout(end, milliseconds)
  signal.addEventListener('abort', end, { once: true })
  try {
    await Promise.race([promise, over.promise])
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', end)
  }
}
