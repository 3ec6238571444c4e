import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, expect, it } from 'vitest'
import { openConnection } from './connection.ts'
import { applyPragmas, readPragma, setPragma } from './pragmas.ts'

const base = mkdtempSync(join(tmpdir(), 'stowage-pragmas-'))
afterAll(() => rmSync(base, { recursive: true }))

it('a database in a file has what durability rests on', () => {
  const { database, close } = openConnection(join(base, 'one.db'))
  const read = Object.fromEntries(
    ['journal_mode', 'synchronous', 'foreign_keys', 'busy_timeout', 'wal_autocheckpoint', 'mmap_size'].map((name) => [
      name,
      readPragma(database, name),
    ]),
  )
  close()
  expect(read).toEqual({
    journal_mode: 'wal',
    synchronous: 2,
    foreign_keys: 1,
    busy_timeout: 5000,
    wal_autocheckpoint: 1000,
    mmap_size: 0,
  })
})

it('a setting that SQLite does not take is an error that names it', () => {
  const database = new DatabaseSync(':memory:')
  // A database in memory has no log to write ahead, and says nothing when one is asked for.
  expect(() => setPragma(database, 'journal_mode', 'wal')).toThrow(/keeps journal_mode at memory where wal is needed/)
  expect(() => applyPragmas(database, { inMemory: false })).toThrow(/journal_mode/)
  expect(() => applyPragmas(database, { inMemory: true })).not.toThrow()
  database.close()
})

it('foreign keys hold', () => {
  const { database, close } = openConnection(':memory:')
  database.exec('create table a (id integer primary key); create table b (a integer references a (id))')
  expect(() => database.exec('insert into b values (1)')).toThrow(/FOREIGN KEY/)
  close()
})
