import { constants } from 'node:fs'
import type { FileOperations } from './file-operations.ts'

/** Makes the entries of directories durable: what was created, renamed or removed in them before the call. */
export interface DirectorySync extends AsyncDisposable {
  sync(directory: string): Promise<void>
}

interface Turn {
  running: Promise<void> | undefined
  /** Not begun yet, so that whoever comes now may still join. */
  next: Promise<void> | undefined
}

/**
 * One fsync serves all who wait for the same directory. An fsync that runs already does not count for a caller who comes
 * now: it may have passed the caller's entry by. So the caller joins the one that begins after it. When the one that runs
 * fails, they fail too: it may have tried to write their entries, and the system may call them clean now.
 *
 * Descriptors stay open: opening and closing a directory would cost two more trips through the thread pool per commit.
 *
 * @param onFailure Told of every fsync that failed.
 */
export const createDirectorySync = (
  files: FileOperations,
  onFailure: (error: unknown) => void = () => {},
): DirectorySync => {
  const turns = new Map<string, Turn>()
  const descriptors = new Map<string, Promise<number>>()

  const descriptor = (directory: string): Promise<number> => {
    let opened = descriptors.get(directory)
    if (opened === undefined) {
      opened = files.open(directory, constants.O_RDONLY)
      descriptors.set(directory, opened)
      opened.catch(() => descriptors.delete(directory))
    }
    return opened
  }

  const start = (directory: string, turn: Turn): Promise<void> => {
    turn.next = undefined
    turn.running = (async () => {
      try {
        const fd = await descriptor(directory)
        try {
          await files.sync(fd)
        } catch (error) {
          onFailure(error)
          // It may lead to a file system that is not mounted there any more.
          descriptors.delete(directory)
          await files.close(fd).catch(() => {})
          throw error
        }
      } finally {
        turn.running = undefined
        if (turn.next === undefined) turns.delete(directory)
      }
    })()
    return turn.running
  }

  const sync: DirectorySync['sync'] = (directory) => {
    // Windows cannot open a directory for this; NTFS journals its entries.
    if (process.platform === 'win32') return Promise.resolve()
    let turn = turns.get(directory)
    if (turn === undefined) {
      turn = { running: undefined, next: undefined }
      turns.set(directory, turn)
    }
    const waiting = turn
    if (turn.next !== undefined) return turn.next
    if (turn.running === undefined) return start(directory, turn)
    turn.next = turn.running.then(
      () => start(directory, waiting),
      (error: unknown) => {
        waiting.next = undefined
        turns.delete(directory)
        throw error
      },
    )
    return turn.next
  }

  return {
    sync,
    [Symbol.asyncDispose]: async () => {
      // A descriptor must not close under an fsync: its number may be another file's the next moment.
      await Promise.allSettled([...turns.values()].flatMap((turn) => [turn.running ?? [], turn.next ?? []].flat()))
      const open = [...descriptors.values()]
      descriptors.clear()
      await Promise.all(open.map(async (opened) => files.close(await opened)))
    },
  }
}
