import { parseDigest } from '@stowage/oci'
import { expect, it, vi } from 'vitest'
import { openConnection } from '../sqlite/connection.ts'
import { migrateDatabase } from '../sqlite/migrate-database.ts'
import { immutableTagAbove } from './immutable-tags.ts'

const digest = parseDigest(`sha256:${'0'.repeat(64)}`)
const grant = { actor: 'ann', action: 'delete', repository: 'a', overwriteTags: true } as const

it('are looked for along what needs the digest, not among all that a repository has', () => {
  using connection = Object.assign(openConnection(':memory:'), {
    [Symbol.dispose]: () => connection.close(),
  })
  migrateDatabase(connection)
  const prepare = vi.spyOn(connection.database, 'prepare')
  connection.drive(immutableTagAbove(1, { manifest: digest }, { ...grant, immutableTags: ['v*'] }))
  const [sql] = prepare.mock.calls[0] ?? []
  prepare.mockRestore()
  // Nothing but digests: with anything else in a row a mesh of indexes would be gone through once for each way.
  expect(sql).toMatch(/^with recursive "above"\("digest"\) as/)
  const plan = connection.database.prepare(`explain query plan ${sql ?? ''}`).all()
  const searches = plan.map(({ detail }) => String(detail)).filter((detail) => /^(SEARCH|SCAN) [mbrt] /.test(detail))
  expect(searches).toHaveLength(4)
  for (const search of searches) expect(search).toMatch(/^SEARCH . USING .*\(repository_id=\? AND digest=\?\)$/)
})

it('are not looked for where there are none', () => {
  expect(immutableTagAbove(1, { manifest: digest }, grant).next([])).toEqual({ done: true, value: undefined })
  const none = { ...grant, immutableTags: [] }
  expect(immutableTagAbove(1, { manifest: digest }, none).next([])).toEqual({ done: true, value: undefined })
})
