import { MetadataError } from '../metadata/metadata-error.ts'

export interface TouchOptions {
  /** How old the time may be before it is set anew, milliseconds: many questions in a row then cost one write. */
  readonly touchAfter: number
  readonly now: () => number
  /** Told of what is no fault of the machine. The question is answered all the same. */
  readonly onTouchFailure: (error: unknown) => void
}

/** Begins the time of something again that will go when nobody wants it, if that is due. */
export interface Touch {
  /**
   * @param since When its time began.
   * @returns whether a write was tried: then what was known of it before may be out of date.
   */
  (since: number, write: (at: number) => Promise<void>): Promise<boolean>
}

/** Milliseconds, as `grace`: how old the time of something may be at most that was asked for and may go after `grace`. */
export const touchAfter = (grace: number): number => Math.min(600_000, grace / 4)

export const createTouch = (options: TouchOptions): Touch => {
  return async (since, write) => {
    const at = options.now()
    if (at - since < options.touchAfter) return false
    try {
      await write(at)
    } catch (error) {
      // Full, locked, read-only: what can be read is still to be read, and a push will hear of it.
      if (!(error instanceof MetadataError)) options.onTouchFailure(error)
    }
    return true
  }
}

export const untouched: Touch = async () => false
