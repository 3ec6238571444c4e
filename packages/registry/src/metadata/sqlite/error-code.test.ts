import { DatabaseSync } from 'node:sqlite'
import { expect, it } from 'vitest'
import { endsTrust, explain, sqliteCode } from './error-code.ts'

const errorOf = (sql: string): unknown => {
  const database = new DatabaseSync(':memory:')
  try {
    database.exec(sql)
    return undefined
  } catch (error) {
    return error
  } finally {
    database.close()
  }
}

it('the primary code of an error is found in the extended one', () => {
  const unique = errorOf('create table a (b unique); insert into a values (1), (1)')
  expect(unique).toMatchObject({ errcode: 2067 })
  expect(sqliteCode(unique)).toBe(19)
  expect(sqliteCode(new Error('mine'))).toBeUndefined()
})

it('faults of the machine get a name and keep their cause, others stay as they are', () => {
  const full = errorOf('pragma max_page_count = 2; create table a (b); insert into a values (zeroblob(100000))')
  expect(explain(full)).toMatchObject({ code: 'STORAGE_FULL', cause: full })
  // SQLITE_IOERR_FSYNC, which no test can make a good disk say.
  const failed = Object.assign(new Error('disk I/O error'), { errcode: 1034 })
  expect(explain(failed)).toMatchObject({ code: 'UNAVAILABLE', cause: failed })
  const syntax = errorOf('no SQL')
  expect(explain(syntax)).toBe(syntax)
})

it.each([
  ['SQLITE_IOERR_FSYNC', 1034, 'UNAVAILABLE', true],
  ['SQLITE_IOERR_WRITE', 778, 'UNAVAILABLE', true],
  ['SQLITE_READONLY_DBMOVED', 1032, 'UNAVAILABLE', true],
  ['SQLITE_CORRUPT', 11, 'UNAVAILABLE', true],
  ['SQLITE_NOTADB', 26, 'UNAVAILABLE', true],
  ['SQLITE_CANTOPEN', 14, 'UNAVAILABLE', true],
  // Of these the outcome is unknown too, but the disk did nothing wrong.
  ['SQLITE_NOMEM', 7, 'UNAVAILABLE', false],
  ['SQLITE_IOERR_NOMEM', 3082, 'UNAVAILABLE', false],
  ['SQLITE_IOERR_SHMSIZE', 4874, 'UNAVAILABLE', false],
  ['SQLITE_FULL', 13, 'STORAGE_FULL', false],
  ['SQLITE_BUSY', 5, 'OVERLOADED', false],
])('%s', (name, errcode, code, ends) => {
  const error = Object.assign(new Error(name), { errcode })
  expect(explain(error)).toMatchObject({ code, cause: error })
  expect(endsTrust(error)).toBe(ends)
})
