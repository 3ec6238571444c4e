import { describeMetadataStore } from '@stowage/testkit/contracts'
import { escapeIdentifier } from 'pg'
import { describe, expect, it } from 'vitest'
import { postgresMetadata } from './postgres-metadata.ts'
import { connectionString, digest, manifest, newSchema, openPool, push, until } from './testing/server.ts'

describeMetadataStore('PostgreSQL', () => postgresMetadata({ connectionString, schema: newSchema() }))

describe('a store on PostgreSQL', () => {
  it('shares the pool of its host, and leaves it open', async () => {
    await using pool = openPool()
    const first = await postgresMetadata({ pool, schema: newSchema() })
    const second = await postgresMetadata({ pool, schema: newSchema() })
    await first.putManifest(manifest('a', 1), push)
    expect(await first.repositoryExists('a')).toBe(true)
    expect(await second.repositoryExists('a')).toBe(false)
    await first[Symbol.asyncDispose]()
    await expect(first.check()).rejects.toMatchObject({ code: 'CLOSED' })
    await second.check()
    // The host has its own ideas of types, and keeps them.
    expect((await pool.query('select 5::int8 as number')).rows).toEqual([{ number: '5' }])
  })

  it('finds its tables by the search path when no schema is named', async () => {
    await using admin = openPool()
    const schema = newSchema()
    await admin.query(`create schema ${escapeIdentifier(schema)}`)
    await using pool = openPool({ options: `-c search_path=${escapeIdentifier(schema).replaceAll(' ', '\\ ')}` })
    await using store = await postgresMetadata({ pool })
    await store.putManifest(manifest('a', 1), push)
    await using same = await postgresMetadata({ connectionString, schema })
    expect(await same.repositoryExists('a')).toBe(true)
  })

  it('tries again when PostgreSQL refuses a transaction for the sake of another, and not for ever', async () => {
    await using admin = openPool()
    const schema = newSchema()
    const inSchema = escapeIdentifier(schema)
    await using store = await postgresMetadata({ connectionString, schema })
    await admin.query(`
      create sequence ${inSchema}.tries;
      create function ${inSchema}.fail() returns trigger language plpgsql as $$
        begin
          if nextval('${inSchema}.tries') % 10 < tg_argv[0]::int then
            raise exception 'not now' using errcode = tg_argv[1];
          end if;
          return new;
        end $$;
      create trigger twice before insert on ${inSchema}.manifests for each row execute function ${inSchema}.fail('3', '40001');
      create trigger always before insert on ${inSchema}.blobs for each row execute function ${inSchema}.fail('10', '40P01')`)
    expect(await store.putManifest(manifest('a', 1), push)).toEqual({ outcome: 'stored', created: true })
    expect((await admin.query(`select last_value from ${inSchema}.tries`)).rows).toEqual([{ last_value: '3' }])

    const finish = { repository: 'b', digest: digest(1), size: 1, key: 'k', at: 1 }
    await expect(store.finishUpload(finish, push)).rejects.toMatchObject({ code: 'OVERLOADED' })
    expect((await admin.query(`select last_value from ${inSchema}.tries`)).rows).toEqual([{ last_value: '8' }])
    expect(await store.repositoryExists('b')).toBe(false)
  })

  it('lives through the loss of its connections', async () => {
    await using admin = openPool()
    await using pool = openPool()
    const schema = newSchema()
    await using store = await postgresMetadata({ pool, schema })
    await store.putManifest(manifest('a', 1), push)

    // One transaction waits for another's lock, and dies there.
    const holder = await admin.connect()
    await holder.query(`begin; select id from ${escapeIdentifier(schema)}.repositories where name = 'a' for update`)
    const waiting = store.putManifest(manifest('a', 2), push)
    const refused = expect(waiting).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    const blocked = `select pid from pg_stat_activity where $1 = any(pg_blocking_pids(pid))`
    const { rows } = await holder.query<{ pid: number }>('select pg_backend_pid() as pid')
    await until(async () => (await admin.query(blocked, [rows[0]?.pid])).rows.length > 0)
    await admin.query(`select pg_terminate_backend(pid) from (${blocked}) as blocked`, [rows[0]?.pid])
    await refused
    await holder.query('rollback')
    holder.release()

    expect(await store.findManifest('a', { digest: digest(2) })).toBeUndefined()
    expect(await store.putManifest(manifest('a', 2), push)).toMatchObject({ outcome: 'stored' })
  })

  it('says that it cannot write where the server only reads', async () => {
    await using pool = openPool({ options: '-c default_transaction_read_only=on' })
    const schema = newSchema()
    await using _ = await postgresMetadata({ connectionString, schema })
    await expect(postgresMetadata({ pool, schema })).rejects.toThrow(/read-only/)
  })
})
