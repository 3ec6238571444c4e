import { errorCode } from './file-operations.ts'

/** The disk failed to make something durable, and has not been seen to work since. Nothing was written. */
export class DiskDistrustedError extends Error {
  override readonly name = 'DiskDistrustedError'
  /** As a store says that it cannot be used for now. */
  readonly code = 'UNAVAILABLE'

  constructor(cause: unknown) {
    super(
      'Writing to the disk of the blobs failed, so nothing is written until a trial write succeeds; blobs can be read. ' +
        'Check the disk and the kernel log. There is no need to restart.',
      { cause },
    )
  }
}

/**
 * Whether the disk can be trusted with what is written next.
 *
 * After a failed fsync the system may have dropped the pages that it could not write and call them clean, and a directory's or
 * a journal's are shared by many: a later fsync that succeeds would say nothing of them. So everything that is under way
 * fails, and nothing is written until new bytes in a new file were made durable, name and all.
 */
export interface Trust {
  /**
   * To be awaited, if there is something to await, before anything is written. Whoever comes first when a trial is due makes
   * it; the others are not kept waiting.
   *
   * @throws DiskDistrustedError
   */
  require(): Promise<void> | undefined
  /** How often an fsync failed so far. */
  readonly losses: number
  /**
   * To be asked when everything is written, before it is said to be durable.
   *
   * @param losses What `losses` was before anything of it was written. A disk that was tried and found to work since says
   * nothing of what was under way when it did not.
   * @throws DiskDistrustedError
   */
  confirm(losses: number): void
  /** An fsync failed. */
  lost(error: unknown): void
  /** Makes a trial now, or shares the one under way. Rejects with why the disk does not work. */
  check(): Promise<void>
}

/** Between two trials that requests make. Milliseconds. */
const between = 1000

/**
 * @param tryDisk Writes a new file and makes it durable. A fsync of its that fails comes to `lost` like any other.
 * @param clock Milliseconds that only grow.
 */
export const createTrust = (tryDisk: () => Promise<void>, clock: () => number = () => performance.now()): Trust => {
  /** The failure since which no trial succeeded: an object of its own for each. */
  let doubt: { readonly cause: unknown } | undefined
  let lastCause: unknown
  let losses = 0
  let triedAt = -Infinity
  let trial: Promise<void> | undefined

  const run = async (): Promise<void> => {
    triedAt = clock()
    const before = doubt
    await tryDisk()
    // What failed while the trial ran it may have missed.
    if (doubt === before) doubt = undefined
    else throw new DiskDistrustedError(lastCause)
  }

  const check = (): Promise<void> => {
    trial ??= run().finally(() => (trial = undefined))
    return trial
  }

  const required = async (): Promise<void> => {
    if (trial !== undefined || clock() - triedAt < between) throw new DiskDistrustedError(lastCause)
    try {
      await check()
    } catch (error) {
      throw error instanceof DiskDistrustedError ? error : new DiskDistrustedError(error)
    }
  }

  return {
    require: () => (doubt === undefined ? undefined : required()),
    get losses() {
      return losses
    },
    confirm: (before) => {
      if (doubt !== undefined || losses !== before) throw new DiskDistrustedError(lastCause)
    },
    lost: (error) => {
      const code = errorCode(error)
      // No page was lost for want of room: the upload fails, and with room the next one does not.
      if (code === 'ENOSPC' || code === 'EDQUOT') return
      losses += 1
      lastCause = error
      doubt = { cause: error }
    },
    check: async () => {
      try {
        await check()
      } catch (error) {
        throw doubt === undefined || error instanceof DiskDistrustedError ? error : new DiskDistrustedError(error)
      }
    },
  }
}
