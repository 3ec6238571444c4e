import type { FileOperations } from './file-operations.ts'

/** What is left of the disk is kept for the database, or nothing is left at all. Nothing was written. */
export class NoRoomError extends Error {
  override readonly name = 'NoRoomError'
  /** As the system says it a little later. */
  readonly code = 'ENOSPC'

  constructor(free: number, kept: number) {
    super(
      `The file system of the blobs has ${free} bytes free, and ${kept} are kept for the database: a full disk on which nothing ` +
        'can be deleted would stay full. Delete something, or make it larger.',
    )
  }
}

/**
 * Keeps blobs from taking the last of a disk, which the database needs so that something can be deleted: a deletion is a
 * write, and the log of the database grows by some MiB before it begins again at its start.
 */
export interface Room {
  /**
   * To be awaited, if there is something to await, before so many bytes are written.
   *
   * @throws NoRoomError
   */
  take(bytes: number): Promise<void> | undefined
}

/** Free at least. A small disk keeps a tenth. */
const mostKept = 16 * 1024 * 1024

/** For so long what was free is believed, less what was written since. Milliseconds. */
const believed = 1000

/** @param keepFree Bytes; `undefined` for the default. */
export const createRoom = (
  files: FileOperations,
  directory: string,
  keepFree: number | undefined,
  clock: () => number = () => performance.now(),
): Room => {
  let left = 0
  let lookedAt = -Infinity
  let looking: Promise<void> | undefined
  let known = { free: 0, kept: 0 }

  const look = async (): Promise<void> => {
    const { free, total } = await files.room(directory)
    const kept = keepFree ?? Math.min(mostKept, Math.floor(total / 10))
    known = { free, kept }
    // Some file systems do not know their size.
    left = total === 0 ? Infinity : free - kept
    lookedAt = clock()
  }

  const lookAndTake = async (bytes: number): Promise<void> => {
    looking ??= look().finally(() => (looking = undefined))
    await looking
    if (left < bytes) throw new NoRoomError(known.free, known.kept)
    left -= bytes
  }

  return {
    take: (bytes) => {
      if (left < bytes || clock() - lookedAt >= believed) return lookAndTake(bytes)
      left -= bytes
      return undefined
    },
  }
}
