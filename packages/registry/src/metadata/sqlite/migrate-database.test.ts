import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { migrations } from '../migrations/migrate.ts'
import type { Migration } from '../migrations/migration.ts'
import type { Operation, Query, Rows } from '../operation.ts'
import type { Connection } from './connection.ts'
import { openConnection } from './connection.ts'
import { migrateDatabase } from './migrate-database.ts'
import { sqliteMetadata } from './sqlite-metadata.ts'

const base = mkdtempSync(join(tmpdir(), 'stowage-migrations-'))
afterAll(() => rmSync(base, { recursive: true }))

const tables = (path: string): unknown[] => {
  const { database, close } = openConnection(path)
  const names = database.prepare("select name from sqlite_schema where type = 'table' order by name").all()
  close()
  return names.map((row) => row['name'])
}

const history = (connection: Connection): unknown[] =>
  connection.database
    .prepare('select name from schema_migrations order by name')
    .all()
    .map((row) => row['name'])

function* single(query: Query): Operation<Rows> {
  return yield query
}

it('a database gets every migration, once', () => {
  const connection = openConnection(':memory:')
  migrateDatabase(connection)
  migrateDatabase(connection)
  expect(history(connection)).toEqual(migrations.map(({ name }) => name))
  connection.close()
})

it('a process that dies in the middle leaves a database that the next start completes', async () => {
  const path = join(base, 'dying.db')
  const connection = openConnection(path)
  const states: string[] = []
  /** After each statement, keeps the files as a death would leave them. */
  const drive: Connection['drive'] = (operation) => {
    let step = operation.next([])
    while (step.done !== true) {
      const rows = connection.drive(single(step.value))
      const state = join(base, `state-${states.length}.db`)
      for (const end of ['', '-wal']) if (existsSync(path + end)) cpSync(path + end, state + end)
      states.push(state)
      step = operation.next(rows)
    }
    return step.value
  }
  // Small enough a cache that a large transaction writes to the log before it commits.
  connection.database.exec('pragma cache_size = 1')
  migrateDatabase({ ...connection, drive })
  connection.close()

  const steps = migrations.flatMap((migration) => migration.steps('sqlite'))
  expect(states.length).toBeGreaterThan(steps.length)
  const complete = tables(path)
  for (const state of states) {
    expect(tables(state)).toEqual([])
    await using store = await sqliteMetadata({ path: state })
    await store.check()
    expect(tables(state)).toEqual(complete)
  }
})

it('a migration that fails takes back the ones before it', () => {
  const path = join(base, 'failing.db')
  const connection = openConnection(path)
  const failing: Migration = { name: '9999-failing', steps: () => ['create table fine (id integer)', 'no SQL at all'] }
  expect(() => migrateDatabase(connection, [...migrations, failing])).toThrow(/syntax error/)
  connection.close()
  expect(tables(path)).toEqual([])
})

it('a later version adds what is missing, and the one before refuses what it does not know', async () => {
  const path = join(base, 'older.db')
  const old = await sqliteMetadata({ path })
  await old.createUpload({ id: 'id', repository: 'a', actor: 'alice', startedAt: 1, touchedAt: 1 })
  await old[Symbol.asyncDispose]()

  const connection = openConnection(path)
  const added: Migration = { name: '9999-added', steps: () => ['alter table uploads add column note text'] }
  migrateDatabase(connection, [...migrations, added])
  expect(connection.database.prepare('select id, note from uploads').all()).toEqual([{ id: 'id', note: null }])
  expect(history(connection)).toEqual([...migrations.map(({ name }) => name), '9999-added'])
  connection.close()

  await expect(sqliteMetadata({ path })).rejects.toThrow(/written by a newer version.*9999-added/)
})
