import { migrate } from '@stowage/registry/metadata'
import { escapeIdentifier, type Pool } from 'pg'
import type { Compile } from './compiler.ts'
import { createDriver } from './drive.ts'
import { transaction } from './transaction.ts'

/** Any number will do as long as nothing else in the database uses it. */
const migrationLock = 7_308_604_760

/** One transaction: replicas that start together wait for the first, and one that dies has changed nothing. */
export const migrateDatabase = async (pool: Pool, compile: Compile, schema: string | undefined): Promise<void> => {
  const drive = createDriver(compile, { prepared: false })
  await transaction(
    pool,
    { durable: true, lockTimeout: 0 },
    async (client) => {
      await client.query(`select pg_advisory_xact_lock(${migrationLock})`)
      if (schema !== undefined) {
        const name = escapeIdentifier(schema)
        await client.query(`create schema if not exists ${name}`)
        await client.query(`set local search_path to ${name}`)
      }
      await drive(client, migrate('postgres', Date.now()))
    },
    () => true,
  )
}
