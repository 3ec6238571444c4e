import { expect, it } from 'vitest'
import { openConnection } from '../sqlite/connection.ts'
import { migrateDatabase } from '../sqlite/migrate-database.ts'
import { initial } from './0001-initial.ts'
import { accounts } from './0002-accounts.ts'
import { upkeep } from './0003-upkeep.ts'

it('what was stored before is unused since it was linked, and untagged since it was pushed, if nothing uses it', () => {
  const connection = openConnection(':memory:')
  const { database } = connection
  migrateDatabase(connection, [initial, accounts])
  database.exec(`
    insert into repositories (id, name, created_at) values (1, 'a', 1), (2, 'b', 1);
    insert into blobs (digest, size, key, created_at) values
      ('layer', 5, 'k1', 1), ('alone', 3, 'k2', 1), ('child', 2, 'k3', 1), ('listed', 2, 'k4', 1);
    insert into repository_blobs (repository_id, digest, linked_at) values
      (1, 'layer', 11), (2, 'layer', 12), (1, 'alone', 13), (1, 'listed', 14), (2, 'listed', 15);
    insert into manifest_contents values ('m1', x'00'), ('m2', x'01');
    insert into manifests (repository_id, digest, media_type, size, kind, annotations_json, platforms_json, content_size,
      pushed_at, pushed_by) values
      (1, 'm1', 't', 1, 'image', '{}', '[]', 0, 21, 'alice'),
      (2, 'm1', 't', 1, 'image', '{}', '[]', 0, 22, 'alice'),
      (2, 'm2', 't', 1, 'index', '{}', '[]', 0, 23, 'alice');
    insert into manifest_references values
      (1, 'm1', 'layer', 'layer'), (1, 'm1', 'not here', 'config'), (2, 'm2', 'listed', 'manifest');
    insert into tags values (1, 'x', 'm1', 1), (1, 'y', 'm1', 1), (2, 'x', 'm2', 1);
  `)
  migrateDatabase(connection, [initial, accounts, upkeep])
  const rows = (sql: string): unknown[] =>
    database
      .prepare(sql)
      .all()
      .map((row) => Object.values(row))
  expect(rows('select repository_id, digest, unused_since from repository_blobs order by 1, 2')).toEqual([
    [1, 'alone', 13],
    [1, 'layer', null],
    [1, 'listed', 14],
    [2, 'layer', 12],
    [2, 'listed', null],
  ])
  expect(rows('select repository_id, digest, untagged_since from manifests order by 1, 2')).toEqual([
    [1, 'm1', null],
    [2, 'm1', 22],
    [2, 'm2', null],
  ])
  expect(rows('select distinct verified_at, corrupt_since from blobs')).toEqual([[null, null]])
  expect(rows('select distinct corrupt_since from manifests')).toEqual([[null]])
  connection.close()
})
