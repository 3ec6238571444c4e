import type { PoolClient } from 'pg'
import { expect, it } from 'vitest'
import { openPool } from './testing/server.ts'
import { transaction } from './transaction.ts'

const setting = (name: string) => async (client: PoolClient) =>
  (await client.query<Record<string, string>>(`show ${name}`)).rows[0]?.[name]

const always = (): boolean => true

it('a durable transaction waits for the disk, another does not', async () => {
  await using pool = openPool({ max: 1 })
  const read = setting('synchronous_commit')
  expect(await transaction(pool, { durable: true, lockTimeout: 0 }, read, always)).toBe('on')
  expect(await transaction(pool, { durable: false, lockTimeout: 0 }, read, always)).toBe('off')
  expect(await transaction(pool, { durable: true, lockTimeout: 0 }, read, always)).toBe('on')
})

it('a transaction does not wait for a lock for ever, nor hold its own when its client is gone', async () => {
  await using pool = openPool({ max: 1 })
  const read = async (client: PoolClient) => [
    await setting('lock_timeout')(client),
    await setting('idle_in_transaction_session_timeout')(client),
    await setting('transaction_isolation')(client),
  ]
  const found = await transaction(pool, { durable: true, lockTimeout: 7000 }, read, always)
  expect(found).toEqual(['7s', '30s', 'read committed'])
})

it('what is not kept, or fails, is rolled back, and the connection serves on', async () => {
  await using pool = openPool({ max: 1 })
  await pool.query('create table kept (number int)')
  const insert = (number: number) => async (client: PoolClient) => {
    await client.query('insert into kept values ($1)', [number])
    if (number === 3) throw new Error('three')
    return number
  }
  const options = { durable: true, lockTimeout: 0 }
  expect(await transaction(pool, options, insert(1), always)).toBe(1)
  expect(await transaction(pool, options, insert(2), () => false)).toBe(2)
  await expect(transaction(pool, options, insert(3), always)).rejects.toThrow('three')
  const swallow = async (client: PoolClient) => client.query('select 1/0').catch(() => 'swallowed')
  await expect(transaction(pool, options, swallow, always)).rejects.toThrow('rolled the transaction back')
  expect((await pool.query('select number from kept')).rows).toEqual([{ number: 1 }])
})
