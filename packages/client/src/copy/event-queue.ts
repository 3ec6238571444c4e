/** Events on their way from whatever runs to whoever listens. */
export interface EventQueue<E> {
  push(event: E): void
  /** No further events. Listeners that wait are told, with the error if there is one. */
  end(error?: unknown): void
  listen(): AsyncIterable<E>
}

/** What a queue must know of its events. */
export interface QueueOptions<E> {
  /** An event takes the place of the one with the same key that still waits. Undefined for one that stands for itself. */
  readonly keyOf: (event: E) => string | undefined
  /** Where nobody listens, events of the least worth are dropped first, and of those the oldest. A small whole number. */
  readonly worthOf: (event: E) => number
}

/** Events that wait while nobody listens. */
export const mostUnheard = 4096

/**
 * Never waits for a listener, and holds no more than one event for each key however slow that one is. While nobody listens it
 * holds `mostUnheard` events at most. There is one listener; a second one shares the events with it.
 */
export const createQueueOf = <E>({ keyOf, worthOf }: QueueOptions<E>): EventQueue<E> => {
  let waiting: E[] = []
  /** What stands before it has been given. */
  let head = 0
  /** Where the event of a key stands. */
  let slots = new Map<string, number>()
  let listeners = 0
  const sleeping = new Set<() => void>()
  let ended = false
  let failure: { readonly error: unknown } | undefined
  const wake = (): void => {
    for (const each of sleeping) each()
    sleeping.clear()
  }
  const replace = (events: E[]): void => {
    waiting = events
    head = 0
    slots = new Map()
    for (const [at, event] of events.entries()) {
      const key = keyOf(event)
      if (key !== undefined) slots.set(key, at)
    }
  }
  /** A quarter at once, so that it is not done for every event. */
  const drop = (): void => {
    let events = waiting.slice(head)
    const worths = [...new Set(events.map(worthOf))].toSorted((one, other) => one - other)
    let excess = events.length - (mostUnheard / 4) * 3
    for (const worth of worths) {
      events = events.filter((event) => excess <= 0 || worthOf(event) !== worth || excess-- <= 0)
    }
    replace(events)
  }
  const take = (): E | undefined => {
    const event = waiting[head]
    if (event === undefined) return undefined
    const key = keyOf(event)
    if (key !== undefined) slots.delete(key)
    head++
    // What was given is let go of, now and then.
    if (head >= 1024 && head * 2 >= waiting.length) replace(waiting.slice(head))
    return event
  }
  return {
    push(event) {
      const key = keyOf(event)
      const slot = key === undefined ? undefined : slots.get(key)
      if (slot === undefined) {
        if (key !== undefined) slots.set(key, waiting.length)
        waiting.push(event)
      } else waiting[slot] = event
      if (listeners === 0 && waiting.length - head > mostUnheard) drop()
      wake()
    },
    end(error) {
      ended = true
      if (error !== undefined) failure = { error }
      wake()
    },
    async *listen() {
      listeners++
      try {
        for (;;) {
          const event = take()
          if (event !== undefined) yield event
          else if (failure !== undefined) throw failure.error
          else if (ended) return
          else await new Promise<void>((resolve) => sleeping.add(resolve))
        }
      } finally {
        listeners--
      }
    },
  }
}
