import { escapeIdentifier } from 'pg'
import { expect, it } from 'vitest'
import { postgresMetadata } from './postgres-metadata.ts'
import { connectionString, newSchema, openPool, until } from './testing/server.ts'

const user = { id: 'u', name: 'alice', administrator: false, groups: [], createdAt: 1, passwordChangedAt: 1 }

const token = { id: 't', userId: 'u', user: 'alice', label: '', secretHash: '', createdAt: 1 }

it('all writers of accounts wait for each other at one row, so that no two can wait in a circle', async () => {
  await using admin = openPool()
  const schema = newSchema()
  await using store = await postgresMetadata({ connectionString, schema })
  const { accounts } = store
  await accounts.addUser(user, false)
  await accounts.addToken({ ...token, kind: 'personal' })

  const holder = await admin.connect()
  await holder.query(`begin; select version from ${escapeIdentifier(schema)}.access_version for update`)
  const waiting = [
    accounts.touchTokens([{ id: 't', at: 2 }]),
    accounts.addToken({ ...token, id: 'r', kind: 'refresh' }),
    accounts.changeUser('alice', { administrator: true }),
    accounts.addRule({ subject: { kind: 'anonymous' }, repositories: '*', actions: ['pull'], createdAt: 1 }),
  ]
  let done = 0
  for (const each of waiting) void each.then(() => (done += 1))
  // Who waits behind others at the same row is blocked by those too.
  const blocked = `select pid from pg_stat_activity where cardinality(pg_blocking_pids(pid)) > 0
    and position($1 in query) > 0 and query like '%access_version%'`
  const howMany = async () => (await admin.query(blocked, [escapeIdentifier(schema)])).rows.length
  await until(async () => done > 0 || (await howMany()) === waiting.length)
  expect(done).toBe(0)
  // Nobody who only reads waits.
  expect(await accounts.accessVersion()).toBe(3)
  await holder.query('commit')
  holder.release()
  await Promise.all(waiting)
  expect(await accounts.accessVersion()).toBe(5)
})
