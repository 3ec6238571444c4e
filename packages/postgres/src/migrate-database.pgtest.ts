import { escapeIdentifier } from 'pg'
import { expect, it } from 'vitest'
import { postgresMetadata } from './postgres-metadata.ts'
import { connectionString, manifest, newSchema, openPool, push } from './testing/server.ts'

it('replicas that start together make one set of tables', async () => {
  const schema = newSchema()
  const stores = await Promise.all(Array.from({ length: 5 }, () => postgresMetadata({ connectionString, schema })))
  await Promise.all(stores.map((store, number) => store.putManifest(manifest('a', number), push)))
  expect(await stores[0]?.statistics()).toMatchObject({ repositories: 1, manifests: 5 })
  await Promise.all(stores.map((store) => store[Symbol.asyncDispose]()))
})

it('a database of a newer version is refused and left as it is', async () => {
  await using admin = openPool()
  const schema = newSchema()
  const history = `${escapeIdentifier(schema)}.schema_migrations`
  await (await postgresMetadata({ connectionString, schema }))[Symbol.asyncDispose]()
  const read = async () => (await admin.query(`select name from ${history} order by name`)).rows
  const known = await read()
  await admin.query(`insert into ${history} values ('9999-from-the-future', 0)`)
  await expect(postgresMetadata({ connectionString, schema })).rejects.toThrow(/newer version.*9999-from-the-future/)
  expect(await read()).toEqual([...known, { name: '9999-from-the-future' }])
})

it('a migration that fails leaves nothing', async () => {
  await using admin = openPool()
  const schema = newSchema()
  await admin.query(`create schema ${escapeIdentifier(schema)}`)
  // In the way of one of the last tables.
  await admin.query(`create view ${escapeIdentifier(schema)}.heartbeat as select 1 as id`)
  await expect(postgresMetadata({ connectionString, schema })).rejects.toThrow(/heartbeat.*already exists/)
  const tables = `select table_name from information_schema.tables where table_schema = $1`
  expect((await admin.query(tables, [schema])).rows).toEqual([{ table_name: 'heartbeat' }])
  await admin.query(`drop view ${escapeIdentifier(schema)}.heartbeat`)
  await using store = await postgresMetadata({ connectionString, schema })
  await store.check()
})
