import { MetadataError } from '../metadata-error.ts'
import { Undone } from '../operation.ts'
import type { WriteArguments, WriteName, WriteResult } from '../operations/writes.ts'
import { changesContent, isDurable, startWrite } from '../operations/writes.ts'
import type { Connection } from './connection.ts'
import { endsTrust, explain } from './error-code.ts'
import { setPragma, Synchronous } from './pragmas.ts'

export interface WriteQueue {
  /**
   * Runs the write in the next commit. Rejects with `OVERLOADED` when too much is waiting; with the error of the write
   * itself, which spoils no other write; with the error of the commit, together with all that shared it; or with
   * `WRITES_STOPPED` after a commit of unknown outcome.
   */
  readonly submit: <Name extends WriteName>(name: Name, ...args: WriteArguments<Name>) => Promise<WriteResult<Name>>
  /** Commits what is waiting and takes nothing more. */
  readonly close: () => void
  /** Since the queue was made. */
  readonly commits: number
}

export interface WriteQueueOptions {
  /** How many writes may wait. */
  readonly limit?: number
  /** How many writes share a commit at most: they run in one block of this thread. */
  readonly batch?: number
  /** Told after each try to commit, before any promise settles, whether it could have changed what is pulled. */
  readonly onCommit?: (changesContent: boolean) => void
}

/** A write is a name and plain arguments, so that the queue can feed another thread one day. */
interface Waiting {
  readonly name: WriteName
  readonly args: readonly unknown[]
  readonly resolve: (result: unknown) => void
  readonly reject: (reason: unknown) => void
}

/**
 * One lane for all writes, with group commit: whatever waits when the lane is free shares one transaction and one wait for
 * the disk, each write in a savepoint of its own. Promises settle after the commit.
 *
 * When the disk fails under a write, every later one is refused until the next start. What SQLite promises then: readers
 * see a commit only once the index of the log says so, and that is written last, so nobody sees what a failed commit left
 * in the log before the next start; at that start the log is read anew, and a commit whose frames are whole is there after
 * all. And what the system promises is less: after a failed fsync it may call pages clean that it never wrote, so that a
 * later commit, appended behind them, would be acknowledged and gone with them after a power cut. A full disk is another
 * matter: SQLite says so when a frame could not be written, and a log that ends in half a frame ends before it.
 */
export function createWriteQueue(connection: Connection, options: WriteQueueOptions = {}): WriteQueue {
  const { limit = 10_000, batch: batchLimit = 256, onCommit } = options
  let waiting: Waiting[] = []
  let scheduled: NodeJS.Immediate | undefined
  let closed = false
  let commits = 0
  /** Why no write is taken any more. */
  let stopped: MetadataError | undefined

  function schedule(): void {
    // After the sockets of this turn have been read: what they bring shares the commit.
    scheduled ??= setImmediate(() => {
      scheduled = undefined
      const batch = waiting.slice(0, batchLimit)
      waiting = waiting.slice(batchLimit)
      if (waiting.length > 0) schedule()
      commit(batch)
    })
  }

  function commit(batch: readonly Waiting[]): void {
    let settle: (() => void)[]
    try {
      if (stopped !== undefined) throw stopped
      settle = runBatch(connection, batch)
      commits += 1
    } catch (error) {
      const reason = explain(error)
      if (endsTrust(error)) {
        stopped = new MetadataError(
          'WRITES_STOPPED',
          'An earlier write to the database failed. Check the disk, and restart.',
          {
            cause: error,
          },
        )
      }
      settle = batch.map((write) => () => write.reject(reason))
    }
    // After a failed commit too: whether it happened is then unknown.
    onCommit?.(batch.some((write) => changesContent(write.name)))
    for (const each of settle) each()
  }

  return {
    submit(name, ...args) {
      if (closed) return Promise.reject(new MetadataError('CLOSED', 'The metadata store has been closed.'))
      if (stopped !== undefined) return Promise.reject(stopped)
      if (waiting.length >= limit) {
        return Promise.reject(new MetadataError('OVERLOADED', `${limit} writes are waiting for the disk already.`))
      }
      return new Promise((resolve, reject) => {
        // The result of the write of this name.
        waiting.push({ name, args, resolve: (result) => resolve(result as WriteResult<typeof name>), reject })
        schedule()
      })
    },
    close() {
      closed = true
      clearImmediate(scheduled)
      const rest = waiting
      waiting = []
      if (rest.length > 0) commit(rest)
    },
    get commits() {
      return commits
    },
  }
}

/**
 * Gives what is to be said to each writer; throws when the transaction as a whole failed.
 *
 * After a failed commit it is unknown whether the writes will be there after the next start: the log may have reached
 * the disk although SQLite was told otherwise. Until then they are not visible.
 */
function runBatch(connection: Connection, batch: readonly Waiting[]): (() => void)[] {
  const { database } = connection
  const alone = batch.length === 1
  setDurability(
    connection,
    batch.some((write) => isDurable(write.name)),
  )
  database.exec('begin immediate')
  try {
    const settle = batch.map((write) => {
      if (!alone) database.exec('savepoint write')
      const { undo, tell } = attempt(connection, write)
      if (!alone) database.exec(undo ? 'rollback to write; release write' : 'release write')
      else if (undo) database.exec('rollback')
      return tell
    })
    if (database.isTransaction) database.exec('commit')
    return settle
  } catch (error) {
    // After a failed disk a failed rollback says nothing new.
    if (database.isTransaction && endsTrust(error)) tryRollback(database)
    else if (database.isTransaction) database.exec('rollback')
    throw error
  }
}

function tryRollback(database: Connection['database']): void {
  try {
    database.exec('rollback')
  } catch {
    // Nothing is written through this connection any more.
  }
}

function attempt(connection: Connection, write: Waiting): { undo: boolean; tell: () => void } {
  try {
    const result = connection.drive(startWrite(write.name, write.args))
    return result instanceof Undone
      ? { undo: true, tell: () => write.resolve(result.result) }
      : { undo: false, tell: () => write.resolve(result) }
  } catch (error) {
    // A full or failing disk makes SQLite roll back everything, this write's neighbours too; or should.
    if (!connection.database.isTransaction || endsTrust(error)) throw error
    return { undo: true, tell: () => write.reject(explain(error)) }
  }
}

/**
 * A commit of nothing but writes that may be lost does not wait for the disk. The log stays in order: the next durable
 * commit takes them to the disk with it.
 */
function setDurability({ database }: Connection, durable: boolean): void {
  const wanted = durable ? Synchronous.full : Synchronous.normal
  if (known.get(database) === wanted) return
  // Not known while it changes: who cannot set it tries again.
  known.delete(database)
  setPragma(database, 'synchronous', wanted)
  known.set(database, wanted)
}

/** What `synchronous` is, as it was read back. The queue alone sets it, so it need not be asked for at every commit. */
const known = new WeakMap<Connection['database'], number>()
