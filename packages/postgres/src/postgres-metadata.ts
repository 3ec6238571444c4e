import { setTimeout as sleep } from 'node:timers/promises'
import type { MetadataStore, Operation, WriteArguments, WriteName, WriteResult } from '@stowage/registry/metadata'
import {
  accountsOf,
  describeTags,
  findBlob,
  findManifest,
  findMountSource,
  findUpload,
  hasEvents,
  isDurable,
  listExpiredUploads,
  listGarbage,
  listReferrers,
  listRepositories,
  listTags,
  listTagsOf,
  MetadataError,
  readEvents,
  readManifest,
  repositoryExists,
  startWrite,
  statistics,
  Undone,
  upkeepOf,
  usage,
} from '@stowage/registry/metadata'
import { Pool } from 'pg'
import { createPostgresCompiler } from './compiler.ts'
import { createDriver } from './drive.ts'
import { explain, isWorthRepeating } from './errors.ts'
import { migrateDatabase } from './migrate-database.ts'
import { checkServer } from './server-settings.ts'
import { transaction } from './transaction.ts'

export type PostgresMetadataOptions = {
  /** PostgreSQL schema of the tables, made when it is missing. Without it, what the `search_path` says. */
  readonly schema?: string
} & (
  | {
      /** `postgresql://user:password@host/database`. The store opens connections of its own and ends them. */
      readonly connectionString: string
      /** How many connections at most; 10 unless told otherwise. */
      readonly maxConnections?: number
    }
  | {
      /** The host program's pool, which stays open when the store is disposed of. */
      readonly pool: Pool
    }
)

/** How many calls may wait for a connection. */
const longestQueue = 10_000
/** How often a transaction is tried that PostgreSQL refuses for the sake of another one. */
const tries = 5
/** Milliseconds to wait for a lock. */
const lockTimeout = 10_000

/**
 * The metadata in PostgreSQL, for registries of several processes.
 *
 * Rejects when the server cannot be reached, is set to lose acknowledged writes, or has tables of a newer version.
 */
export const postgresMetadata = async (options: PostgresMetadataOptions): Promise<MetadataStore> => {
  const { schema } = options
  const owned = 'pool' in options ? undefined : openPool(options.connectionString, options.maxConnections)
  const pool = 'pool' in options ? options.pool : owned
  if (pool === undefined) throw new TypeError('Either connectionString or pool must be given.')
  const compile = createPostgresCompiler(schema)
  try {
    await checkServer(pool)
    await migrateDatabase(pool, compile, schema)
  } catch (error) {
    await owned?.end()
    throw error
  }
  const drive = createDriver(compile, { prepared: true })
  let closed = false

  const refuse = (): void => {
    if (closed) throw new MetadataError('CLOSED', 'The metadata store has been closed.')
    if (pool.waitingCount >= longestQueue) {
      throw new MetadataError('OVERLOADED', `${longestQueue} calls are waiting for a connection to PostgreSQL.`)
    }
  }

  /** For operations of one statement, or whose statements need not see one state. */
  const read = async <Result>(operation: Operation<Result>): Promise<Result> => {
    refuse()
    try {
      return await drive(pool, operation)
    } catch (error) {
      throw explain(error)
    }
  }

  /** `start` makes the operation, anew for each try. */
  const transact = async <Result>(start: () => Operation<Result>, durable: boolean): Promise<Result> => {
    refuse()
    const attempt = async (number: number): Promise<Result> => {
      try {
        return await transaction(
          pool,
          { durable, lockTimeout },
          (client) => drive(client, start()),
          (result) => !(result instanceof Undone),
        )
      } catch (error) {
        if (number >= tries || !isWorthRepeating(error)) throw explain(error)
      }
      // At random, or those that met will meet again.
      await sleep(Math.random() * 10 * 2 ** number)
      return attempt(number + 1)
    }
    return attempt(1)
  }

  const write = async <Name extends WriteName>(
    name: Name,
    ...args: WriteArguments<Name>
  ): Promise<WriteResult<Name>> => {
    const result = await transact(() => startWrite(name, args), isDurable(name))
    // The result of the write of this name.
    return (result instanceof Undone ? result.result : result) as WriteResult<Name>
  }

  const store: MetadataStore = {
    kind: 'postgres',

    repositoryExists: (name) => read(repositoryExists(name)),
    listRepositories: (page) => read(listRepositories(page)),

    findManifest: (name, reference) => read(findManifest(name, reference)),
    readManifest: (name, digest) => read(readManifest(name, digest)),
    putManifest: (put, grant) => write('putManifest', put, grant),
    listTagsOf: (name, digest) => read(listTagsOf(name, digest)),
    deleteManifest: (target, grant) => write('deleteManifest', target, grant),
    deleteTag: (target, grant) => write('deleteTag', target, grant),
    listTags: (page) => read(listTags(page)),
    describeTags: (page) => read(describeTags(page)),
    listReferrers: (page) => read(listReferrers(page)),

    findBlob: (name, digest) => read(findBlob(name, digest)),
    // Most mounts that clients try find nothing: they need no transaction.
    mountBlob: async (mount, grant) =>
      (await read(findMountSource(mount))) === undefined ? undefined : write('mountBlob', mount, grant),
    unlinkBlob: (target, grant) => write('unlinkBlob', target, grant),
    listGarbage: (page) => read(listGarbage(page)),
    forgetGarbage: (keys) => write('forgetGarbage', keys),

    usage: (quota) => read(usage(quota)),

    createUpload: (upload, limits) => write('createUpload', upload, limits),
    findUpload: (name, id) => read(findUpload(name, id)),
    saveUpload: (id, progress) => write('saveUpload', id, progress),
    finishUpload: (finish, grant) => write('finishUpload', finish, grant),
    cancelUpload: (name, id) => write('cancelUpload', name, id),
    listExpiredUploads: (page) => read(listExpiredUploads(page)),
    expireUpload: (id, touchedBefore) => write('expireUpload', id, touchedBefore),

    enrollReceivers: (names) => write('enrollReceivers', names),
    // To hand out events it waits for the writers, so it looks first whether there are any.
    readEvents: async (receiver, limit) =>
      (await read(hasEvents(receiver))) ? transact(() => readEvents(receiver, limit), false) : [],
    acknowledgeEvents: (receiver, sequence) => write('acknowledgeEvents', receiver, sequence),
    recordPulls: (pulls) => write('recordPulls', pulls),

    accounts: accountsOf(write, read),
    upkeep: upkeepOf(write, read),

    statistics: () => read(statistics()),
    check: () => write('check', Date.now()),

    async [Symbol.asyncDispose]() {
      if (closed) return
      closed = true
      await owned?.end()
    },
  }
  return store
}

const openPool = (connectionString: string, max = 10): Pool => {
  const pool = new Pool({ connectionString, max, connectionTimeoutMillis: 10_000, application_name: 'stowage' })
  // The pool has thrown the idle connection away and opens another when one is needed.
  pool.on('error', () => {})
  return pool
}
