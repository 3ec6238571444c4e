import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { sqliteMetadata } from './sqlite-metadata.ts'

const base = mkdtempSync(join(tmpdir(), 'stowage-backup-'))
afterAll(() => rmSync(base, { recursive: true }))

const upload = (number: number) => ({
  id: `id-${number}`,
  repository: 'a',
  actor: 'alice',
  startedAt: 1,
  touchedAt: number,
  state: 'x'.repeat(5000),
})

it('a backup has everything that was written before it, while writes go on', async () => {
  await using store = await sqliteMetadata({ path: join(base, 'live.db') })
  await Promise.all(Array.from({ length: 500 }, (_, number) => store.createUpload(upload(number))))
  const copy = join(base, 'copy.db')
  const [, ...later] = await Promise.all([
    store.backUp(copy),
    ...Array.from({ length: 50 }, (_, number) => store.createUpload(upload(1000 + number))),
  ])
  expect(later).toHaveLength(50)
  await using restored = await sqliteMetadata({ path: copy })
  const rows = await restored.listExpiredUploads({ touchedBefore: 500, limit: 1000 })
  expect(rows.map((row) => row.id)).toEqual(Array.from({ length: 500 }, (_, number) => `id-${number}`))
  await restored.check()
})

it('a backup never replaces a file', async () => {
  await using store = await sqliteMetadata({ path: join(base, 'other.db') })
  const taken = join(base, 'taken')
  writeFileSync(taken, 'mine')
  await expect(store.backUp(taken)).rejects.toMatchObject({ code: 'EEXIST' })
  await expect(store.backUp(join(base, 'nowhere', 'copy.db'))).rejects.toMatchObject({ code: 'ENOENT' })
  expect(readdirSync(base)).toContain('taken')
})

it('a database in memory can be backed up too', async () => {
  await using store = await sqliteMetadata({ path: ':memory:' })
  await store.createUpload(upload(1))
  const copy = join(base, 'memory.db')
  await store.backUp(copy)
  await using restored = await sqliteMetadata({ path: copy })
  expect(await restored.findUpload('a', 'id-1')).toEqual(upload(1))
})
