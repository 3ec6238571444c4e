import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { openConnection } from './connection.ts'
import { sqliteMetadata } from './sqlite-metadata.ts'

const directory = (): string => {
  const made = mkdtempSync(join(tmpdir(), 'stowage-connection-'))
  onTestFinished(() => rmSync(made, { recursive: true }))
  chmodSync(made, 0o755)
  return made
}

const modes = (...files: string[]): string[] => files.map((file) => (statSync(file).mode & 0o777).toString(8))

it.skipIf(process.platform === 'win32')('the database and what is beside it are their owner’s alone', async () => {
  const path = join(directory(), 'registry.db')
  await using store = await sqliteMetadata({ path })
  await store.createUpload({ id: 'a', repository: 'a', actor: 'a', startedAt: 1, touchedAt: 1 })
  await store.backUp(`${path}.backup`)
  expect(modes(path, `${path}-wal`, `${path}-shm`, `${path}.backup`)).toEqual(['600', '600', '600', '600'])
})

it.skipIf(process.platform === 'win32')('so is one of an older version, and what a crash left beside it', () => {
  const path = join(directory(), 'registry.db')
  const before = openConnection(path)
  before.database.exec('create table t (x)')
  // Of the first connection that there is, too.
  expect(modes(path, `${path}-wal`, `${path}-shm`)).toEqual(['600', '600', '600'])
  for (const end of ['', '-wal', '-shm']) chmodSync(path + end, 0o644)
  const after = openConnection(path)
  expect(modes(path, `${path}-wal`, `${path}-shm`)).toEqual(['600', '600', '600'])
  expect(after.database.prepare('select count(*) as n from t').get()).toEqual({ n: 0 })
  after.close()
  before.close()
})

it('a file that is no database stays what it is', () => {
  const path = join(directory(), 'registry.db')
  writeFileSync(path, 'something else that somebody keeps here')
  expect(() => openConnection(path)).toThrow(/not a database/)
})
