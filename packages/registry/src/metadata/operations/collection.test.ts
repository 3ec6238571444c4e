import type { Digest } from '@stowage/oci'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { Connection } from '../sqlite/connection.ts'
import { openConnection } from '../sqlite/connection.ts'
import { migrateDatabase } from '../sqlite/migrate-database.ts'
import { collectBlobs, touchBlob, touchManifest } from './collection.ts'
import { knownKeys } from './known-keys.ts'
import { markTagged, markUntagged } from './untagged.ts'
import { listUnusedBlobs } from './unused-blobs.ts'
import { markUnusedWithout, markUsed, touchLink } from './unused.ts'

let connection: Connection

beforeEach(() => {
  connection = openConnection(':memory:')
  migrateDatabase(connection)
  connection.database.exec(`
    insert into repositories (id, name, created_at) values (1, 'a', 1), (2, 'b', 1);
    insert into blobs (digest, size, key, created_at) values ('one', 5, 'k1', 1), ('two', 3, 'k2', 1), ('three', 2, 'k3', 1);
    insert into repository_blobs (repository_id, digest, linked_at, unused_since) values
      (1, 'one', 1, 5), (1, 'two', 1, 5), (1, 'three', 1, 50), (2, 'one', 1, 5);
    insert into manifest_contents values ('m', x'00');
    insert into manifests (repository_id, digest, media_type, size, kind, annotations_json, platforms_json, content_size,
      pushed_at, pushed_by) values (1, 'm', 't', 1, 'image', '{}', '[]', 0, 21, 'alice');
    insert into manifest_references values (1, 'm', 'one', 'layer'), (1, 'm', 'three', 'layer');
  `)
})
afterEach(() => connection.close())

const digests = ['one', 'two', 'three'] as unknown as Digest[]

it('mends a time that contradicts a manifest, and takes nothing that one uses', () => {
  expect(connection.drive(collectBlobs({ repository: 'a', digests, unusedBefore: 10, at: 20 }))).toEqual({
    links: ['two'],
    blobs: 1,
    bytes: 3,
  })
  const rows = connection.database
    .prepare('select repository_id, digest, unused_since from repository_blobs order by 1, 2')
    .all()
  expect(rows.map((row) => Object.values(row))).toEqual([
    [1, 'one', null],
    [1, 'three', null],
    [2, 'one', 5],
  ])
})

it('finds everything along an index, whatever else is stored', () => {
  const { database, drive } = connection
  const asked = new Map<string, string[]>()
  const prepare = database.prepare.bind(database)
  database.prepare = (text, ...more) => {
    const plan = prepare(`explain query plan ${text}`).all()
    asked.set(
      text,
      plan.map((row) => String(row['detail'])),
    )
    return prepare(text, ...more)
  }
  const [digest] = digests
  if (digest === undefined) throw new Error('There is no digest.')
  drive(listUnusedBlobs({ unusedBefore: 10, limit: 100 }))
  drive(touchBlob('a', digest, 1))
  drive(touchManifest('a', digest, 1))
  drive(touchLink(1, 'one', 1))
  drive(markUnusedWithout(1, 'm', 1))
  drive(markUntagged(1, ['m'], 1))
  drive(markTagged(1, 'm'))
  drive(knownKeys(['k1']))
  drive(collectBlobs({ repository: 'a', digests, unusedBefore: 10, at: 20 }))
  drive(markUsed(1, [{ digest: 'one' }]))
  expect(asked.size).toBeGreaterThan(12)
  const scans = [...asked].flatMap(([text, plan]) => plan.filter((step) => isScan(step)).map((step) => [step, text]))
  expect(scans).toEqual([])
})

/** A scan of a table that grows; lists that a statement brings with it are read from end to end. */
const isScan = (step: string): boolean =>
  step.startsWith('SCAN') && !step.startsWith('SCAN item VIRTUAL') && step !== 'SCAN event_receivers'
