/**
 * Whether the wall clock may be believed when it says how old something is. A clock that was set forward makes what was pushed
 * a moment ago look days old; one that was wrong and was set right does the same to what was pushed before.
 */
export interface Clock {
  /** Compares the clock with the time that passed. To be called every minute: a jump there and back is else not seen. */
  look(): void
  /**
   * Why ages may be wrong; undefined when they may be believed. A clock is believed when it has gone steadily for as long as
   * `settle` in this process; before that, when it goes on from where it stood at the last run of a process before.
   *
   * @param lastRun When a run last believed the clock, by the clock of then; undefined: nobody knows.
   * @param settle Milliseconds.
   */
  doubt(lastRun: number | undefined, settle: number): string | undefined
}

export interface ClockOptions {
  /** The wall clock, milliseconds since the epoch. */
  readonly now: () => number
  /** How far the clock may be from where it should be. Milliseconds. */
  readonly tolerance: number
  /**
   * Milliseconds since whenever, that nobody can set. Default: of the process. Where it stands still while the machine sleeps,
   * sleep looks like a jump: rightly, as nobody could push meanwhile.
   */
  readonly monotonic?: () => number
}

/** Milliseconds. */
const minute = 60_000
const hour = 60 * minute

/** How long the clock must have been steady for a run that takes what was unused for `grace`. Milliseconds, as `grace`. */
export const settleFor = (grace: number): number => Math.min(hour, grace)

/** An hour; less when the grace is short, so that a jump nobody notices takes at most a quarter of it. Milliseconds. */
export const toleranceFor = (grace: number): number => Math.min(hour, Math.max(minute, grace / 4))

export const createClock = ({ now, tolerance, monotonic = () => performance.now() }: ClockOptions): Clock => {
  // Always compared with the beginning, so that many small jumps are one large one.
  let beginning = { wall: now(), steady: monotonic() }
  let jumped = false

  const look = (): void => {
    const wall = now()
    const steady = monotonic()
    if (Math.abs(wall - beginning.wall - (steady - beginning.steady)) <= tolerance) return
    beginning = { wall, steady }
    jumped = true
  }

  const doubt: Clock['doubt'] = (lastRun, settle) => {
    look()
    const steadyFor = monotonic() - beginning.steady
    if (steadyFor >= settle) return undefined
    const left = Math.ceil((settle - steadyFor) / minute)
    const wait = left === 1 ? 'a minute' : `${left} minutes`
    const remedy = `Wait until the clock has been steady for ${wait} more, or say that it may be trusted.`
    if (jumped) return `The clock jumped, so what looks old may be new. ${remedy}`
    if (lastRun === undefined)
      return `No run before this one says what the clock was, so what looks old may be new. ${remedy}`
    // This process may have written it itself since it began.
    if (lastRun >= beginning.wall - tolerance && lastRun <= now() + tolerance) return undefined
    return `The clock is far from where it was at the last run, so what looks old may be new. ${remedy}`
  }

  return { look, doubt }
}
