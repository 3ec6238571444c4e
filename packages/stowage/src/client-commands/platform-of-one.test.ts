import { join } from 'node:path'
import { createTestRegistry } from '@stowage/testkit'
import { expect, test } from 'vitest'
import { runClientCommand as stowage } from '../testing/client-command.ts'
import { pushImage, sampleImage } from '../testing/sample-image.ts'
import { temporaryDirectory } from '../testing/temporary-directory.ts'

test.each([
  'digest REF',
  'inspect REF',
  'manifest get REF',
  'cp REF ocidir:OUT',
  'pull REF OUT.tar',
  'image pull REF OUT.tar',
])('%s --platform does not give an image of another platform', async (line) => {
  await using directory = await temporaryDirectory()
  await using registry = await createTestRegistry()
  await pushImage(registry.url, 'app', sampleImage('arm', 'arm64'), 'v1')
  const words = line.replace('REF', `${registry.host}/app:v1`).replace('OUT', join(directory.path, 'out')).split(' ')
  const other = await stowage([...words, '--platform', 'linux/amd64'])
  expect(other).toMatchObject({ code: 3, stdout: '' })
  expect(other.stderr).toMatch(/has nothing for linux\/amd64\.\n {2}It is one image, for linux\/arm64\./)
  expect(await stowage([...words, '--platform', 'linux/arm64/v8'])).toMatchObject({ code: 0 })
})
