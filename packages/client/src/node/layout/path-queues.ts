import { createQueue, type Queue } from '../../layout/queue.ts'

interface Shared {
  readonly queue: Queue
  users: number
}

const queues = new Map<string, Shared>()

/**
 * Runs a task when no other task of this process has the path: two targets may have been opened on one directory. Other
 * processes are not kept away.
 *
 * @param path Without symbolic links on its way, so that one directory has one.
 */
export const inTurn = async <T>(path: string, task: () => Promise<T>): Promise<T> => {
  const shared = queues.get(path) ?? { queue: createQueue(), users: 0 }
  queues.set(path, shared)
  shared.users++
  try {
    return await shared.queue(task)
  } finally {
    shared.users--
    if (shared.users === 0) queues.delete(path)
  }
}
