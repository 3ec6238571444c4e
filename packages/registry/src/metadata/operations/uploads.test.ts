import { expect, it } from 'vitest'
import { openConnection } from '../sqlite/connection.ts'
import { migrateDatabase } from '../sqlite/migrate-database.ts'
import { createUpload } from './uploads.ts'

it('begin with one statement while there is room, and its counts end with the rows of an index', () => {
  using connection = Object.assign(openConnection(':memory:'), {
    [Symbol.dispose]: () => connection.close(),
  })
  migrateDatabase(connection)
  const { database } = connection
  const asked: string[] = []
  const prepare = database.prepare.bind(database)
  database.prepare = (sql: string) => {
    asked.push(sql)
    return prepare(sql)
  }
  const row = { id: '1', repository: 'a', actor: 'ann', startedAt: 1, touchedAt: 1 }
  expect(connection.drive(createUpload(row, { ofActor: 10, ofAll: 100 }))).toEqual({ outcome: 'created' })
  expect(asked).toHaveLength(1)
  const plan = prepare(`explain query plan ${asked[0] ?? ''}`).all()
  const counts = plan.map(({ detail }) => String(detail)).filter((detail) => /^(SEARCH|SCAN) uploads/.test(detail))
  expect(counts).toEqual([
    'SEARCH uploads USING COVERING INDEX uploads_by_actor (actor=?)',
    expect.stringMatching(/^SCAN uploads USING COVERING INDEX /),
  ])
})
