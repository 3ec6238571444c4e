import { escapeIdentifier } from 'pg'
import { expect, it } from 'vitest'
import { postgresMetadata } from './postgres-metadata.ts'
import { connectionString, manifest, newSchema, openPool, push, until } from './testing/server.ts'

/** Any number: the test's own lock, which stops the slow writer at its commit. */
const gate = 4711

it('an event is not handed out before one with a lower sequence that is still being written', async () => {
  await using admin = openPool()
  const schema = newSchema()
  const inSchema = escapeIdentifier(schema)
  await using store = await postgresMetadata({ connectionString, schema })
  await store.enrollReceivers(['one'])
  await admin.query(`
    create function ${inSchema}.wait() returns trigger language plpgsql as $$
      begin perform pg_advisory_xact_lock(${gate}); return null; end $$;
    create constraint trigger wait after insert on ${inSchema}.events deferrable initially deferred
      for each row when (new.actor = 'slow') execute function ${inSchema}.wait()`)
  const waiting = async (): Promise<number> => {
    const { rows } = await admin.query<{ count: number }>(
      // The test's own and that of the events; other stores wait for others meanwhile.
      `select count(*)::int as count from pg_locks where locktype = 'advisory' and not granted
        and (classid::bigint << 32) + objid::bigint in (${gate}, 7308604759)`,
    )
    return rows[0]?.count ?? 0
  }

  const keeper = await admin.connect()
  await keeper.query(`select pg_advisory_lock(${gate})`)
  const slow = store.putManifest(manifest('slow', 1), { ...push, actor: 'slow' })
  await until(async () => (await waiting()) === 1)
  await store.putManifest(manifest('fast', 2), push)

  let read = false
  const reading = store.readEvents('one', 10).finally(() => {
    read = true
  })
  await until(async () => read || (await waiting()) === 2)
  await keeper.query(`select pg_advisory_unlock(${gate})`)
  keeper.release()
  await slow
  expect((await reading).map((event) => event.repository)).toEqual(['slow', 'fast'])
})
