import { existsSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { temporaryDirectory } from '../testing/temporary-directory.ts'
import { prepareDataDirectory } from './data-directory.ts'

test('makes the directory and what leads to it, for its owner alone', async () => {
  await using directory = await temporaryDirectory()
  const path = join(directory.path, 'a/b/c')
  await prepareDataDirectory(path)
  await prepareDataDirectory(path)
  expect(existsSync(path)).toBe(true)
  expect(statSync(path).mode & 0o777).toBe(0o700)
})

test('says why a directory cannot be used', async () => {
  await using directory = await temporaryDirectory()
  const file = join(directory.path, 'file')
  writeFileSync(file, '')
  await expect(prepareDataDirectory(file)).rejects.toThrow(/file cannot be used: there is a file of this name/)
  await expect(prepareDataDirectory(join(file, 'x'))).rejects.toThrow(
    /there is a file of this name, or on the way to it/,
  )
  await expect(prepareDataDirectory(join(directory.path, 'x'.repeat(300)))).rejects.toThrow(/the path is too long/)
})

test.runIf(process.platform === 'linux')('a file system that refuses does not hang it', async () => {
  await expect(prepareDataDirectory('/proc/stowage/data')).rejects.toThrow(/no directory can be made there/)
})
