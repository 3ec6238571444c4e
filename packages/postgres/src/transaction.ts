import type { Pool, PoolClient } from 'pg'

export interface TransactionOptions {
  /** False: the commit need not be on the disk when this resolves. */
  readonly durable: boolean
  /** How long to wait for a lock, milliseconds; 0 for as long as it takes. */
  readonly lockTimeout: number
}

/**
 * Runs the work in a transaction and commits it, or rolls it back when `keep` says no or something is thrown.
 *
 * Read committed: each statement sees what was committed before it, which is what the locks of the operations count on.
 */
export const transaction = async <Result>(
  pool: Pool,
  { durable, lockTimeout }: TransactionOptions,
  work: (client: PoolClient) => Promise<Result>,
  keep: (result: Result) => boolean,
): Promise<Result> => {
  const client = await pool.connect()
  let broken: Error | undefined
  const onError = (error: Error): void => {
    broken = error
  }
  // A connection that dies between two statements says so by an event, which without a listener ends the process.
  client.on('error', onError)
  try {
    await client.query(
      'begin isolation level read committed;' +
        `set local lock_timeout = ${lockTimeout};` +
        // A replica that lost its network must not keep its locks for as long as TCP needs to notice.
        `set local idle_in_transaction_session_timeout = ${idleTimeout};${durable ? '' : 'set local synchronous_commit = off'}`,
    )
    const result = await work(client)
    if (!keep(result)) {
      await client.query('rollback')
      return result
    }
    const { command } = await client.query('commit')
    // The answer to the commit of a transaction that failed is no error, but this.
    if (command !== 'COMMIT') throw new Error('PostgreSQL rolled the transaction back instead of committing it.')
    return result
  } catch (error) {
    await client.query('rollback').catch(onError)
    throw error
  } finally {
    client.off('error', onError)
    client.release(broken)
  }
}

/** Milliseconds. */
const idleTimeout = 30_000
