import { DatabaseSync } from 'node:sqlite'
import { expect, it } from 'vitest'
import { explain, sqliteCode } from './error-code.ts'

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
