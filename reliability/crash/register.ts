/**
 * One thing of which only the last value counts, and the writes to it that nobody has looked at since. Times are ticks of one
 * counter that goes on with every event, so that "before" is never in doubt.
 */
export interface Register {
  /** What it was when it was last looked at with nothing under way, at `settledAt`. */
  settled: string
  settledAt: number
  writes: Write[]
}

export interface Write {
  readonly operation: number
  readonly value: string
  /** The write does nothing unless this is the value it finds: a manifest that is deleted takes along the tags that name it. */
  readonly onlyIf?: string
  readonly start: number
  /** Infinite while the answer is out, and for as long as the server may still be at it. */
  end: number
  /** `open` and `unknown`: it took effect between start and end, or never. */
  outcome: 'open' | 'acknowledged' | 'unknown'
}

export const createRegister = (settled: string): Register => ({ settled, settledAt: 0, writes: [] })

/**
 * Every value that who looks between the ticks `from` and `to` may be shown. It is never too small: writes whose order is not
 * known count in every order. It may be too large by values that only a closer look at the orders would rule out.
 */
export const possibleValues = (register: Register, from: number, to: number): Set<string> => {
  const { settled, settledAt, writes } = register
  const begun = writes.filter((write) => write.start <= to)
  const overwritten = (value: string, end: number, before: number): boolean =>
    begun.some(
      (later) =>
        later.outcome === 'acknowledged' &&
        later.start > end &&
        later.end <= before &&
        (later.onlyIf === undefined || later.onlyIf === value),
    )
  /** Whether `value` may have been there at some time between these. */
  const mayHold = (value: string, since: number, until: number): boolean =>
    (settled === value && !overwritten(value, settledAt, since)) ||
    begun.some(
      (write) =>
        write.onlyIf === undefined &&
        write.value === value &&
        write.start <= until &&
        !overwritten(value, write.end, since),
    )
  const values = new Set<string>()
  if (!overwritten(settled, settledAt, from)) values.add(settled)
  for (const write of begun) {
    if (overwritten(write.value, write.end, from)) continue
    if (write.onlyIf === undefined || mayHold(write.onlyIf, write.start, write.end)) values.add(write.value)
  }
  return values
}

/** Nothing was under way, and this is what it is. */
export const settle = (register: Register, value: string, at: number): void => {
  register.settled = value
  register.settledAt = at
  register.writes = []
}
