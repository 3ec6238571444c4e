import { expect, it } from 'vitest'
import { postgresMetadata } from './postgres-metadata.ts'
import { connectionString, newSchema, openPool } from './testing/server.ts'

it('a server that may lose acknowledged writes is refused', async () => {
  await using pool = openPool({ options: '-c synchronous_commit=off' })
  await expect(postgresMetadata({ pool, schema: newSchema() })).rejects.toThrow(
    /synchronous_commit = off.*Set it to on/,
  )
})

it('a database in another encoding is refused', async () => {
  await using admin = openPool()
  await admin.query(`create database latin encoding 'LATIN1' locale 'C' template template0`)
  const url = new URL(connectionString)
  url.pathname = '/latin'
  await expect(postgresMetadata({ connectionString: url.href })).rejects.toThrow(/LATIN1.*UTF8/)
})

it('a server that is not there is an error', async () => {
  const url = new URL(connectionString)
  url.searchParams.set('host', '/nonexistent')
  await expect(postgresMetadata({ connectionString: url.href })).rejects.toThrow(/ENOENT/)
})
