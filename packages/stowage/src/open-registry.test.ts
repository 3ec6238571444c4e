import { chmodSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { createRegistry } from '@stowage/registry'
import { expect, test } from 'vitest'
import { openRegistry } from './open-registry.ts'
import { temporaryDirectory } from './testing/temporary-directory.ts'

test('an option that cannot be used is a fault of the configuration', async () => {
  await using directory = await temporaryDirectory()
  const opened = openRegistry(directory.path, { storage: directory.path, accounts: { secret: 'short' } })
  await expect(opened).rejects.toMatchObject({ failure: 'configuration' })
})

test('a database of a newer version is one of the data, and says what to do', async () => {
  await using directory = await temporaryDirectory()
  const storage = directory.path
  await (await createRegistry({ storage }))[Symbol.asyncDispose]()
  const database = new DatabaseSync(join(storage, 'registry.db'))
  database.exec("insert into schema_migrations (name, applied_at) values ('9999-later', 1)")
  database.close()
  await expect(openRegistry(storage, { storage })).rejects.toMatchObject({
    failure: 'data',
    message: expect.stringMatching(/^The database was written by a newer version/) as string,
  })
})

test.skipIf(process.platform === 'win32')('so is a directory that others could tamper with', async () => {
  await using directory = await temporaryDirectory()
  chmodSync(directory.path, 0o777)
  await expect(openRegistry(directory.path, { storage: directory.path })).rejects.toMatchObject({ failure: 'data' })
})

test('what nobody expected stays a defect', async () => {
  await using directory = await temporaryDirectory()
  const broken = {
    storage: directory.path,
    now: () => {
      throw new Error('a defect')
    },
  }
  const opened = openRegistry(directory.path, {
    ...broken,
    accounts: { firstAdministrator: { name: 'ada', password: 'correct horse' } },
  })
  await expect(opened).rejects.not.toHaveProperty('failure')
  await expect(opened).rejects.toThrow('a defect')
})
