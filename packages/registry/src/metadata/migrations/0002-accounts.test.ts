import { expect, it } from 'vitest'
import { openConnection } from '../sqlite/connection.ts'
import { migrateDatabase } from '../sqlite/migrate-database.ts'
import { initial } from './0001-initial.ts'
import { accounts } from './0002-accounts.ts'

it('what was stored before is counted, and nobody is said to have brought its blobs', () => {
  const { database, drive, ...connection } = openConnection(':memory:')
  const before = { database, drive, ...connection }
  migrateDatabase(before, [initial])
  database.exec(`
    insert into repositories (id, name, created_at) values (1, 'a', 1), (2, 'b', 1), (3, 'empty', 1);
    insert into blobs values ('d1', 5000000000, 'k1', 1), ('d2', 3, 'k2', 1);
    insert into repository_blobs values (1, 'd1', 1), (2, 'd1', 1), (2, 'd2', 1);
    insert into manifest_contents values ('m1', x'00'), ('m2', x'00');
    insert into manifests (repository_id, digest, media_type, size, kind, annotations_json, platforms_json, content_size,
      pushed_at, pushed_by) values
      (1, 'm1', 't', 10, 'image', '{}', '[]', 0, 1, 'alice'),
      (2, 'm1', 't', 10, 'image', '{}', '[]', 0, 1, 'bob'),
      (2, 'm2', 't', 20, 'image', '{}', '[]', 0, 1, 'bob');
  `)
  migrateDatabase(before, [initial, accounts])
  const rows = (sql: string): unknown[] =>
    database
      .prepare(sql)
      .all()
      .map((row) => Object.values(row))
  expect(rows('select name, stored_bytes from repositories order by id')).toEqual([
    ['a', 5_000_000_010],
    ['b', 5_000_000_033],
    ['empty', 0],
  ])
  expect(
    rows('select actor, sum(stored_bytes) as stored_bytes from actor_usage group by actor order by actor'),
  ).toEqual([
    ['alice', 10],
    ['bob', 30],
  ])
  expect(rows('select distinct linked_by from repository_blobs')).toEqual([['']])
  expect(rows('select version from access_version')).toEqual([[1]])
  connection.close()
})
