import { chmod, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { putSample, sampleImage } from '../../testing/sample-images.ts'
import { temporaryDirectory } from '../../testing/temporary-directory.ts'
import { openOciArchive } from './oci-archive.ts'

it.skipIf(process.platform === 'win32')('lets nobody read the new archive who could not read the old one', async () => {
  await using directory = await temporaryDirectory()
  const path = join(directory.path, 'x.tar')
  for (const tag of ['v1', 'v2']) {
    await using target = await openOciArchive(path, { create: true })
    await putSample(target, sampleImage({ layers: [tag] }), tag)
    await target.finish()
    if (tag === 'v1') await chmod(path, 0o600)
  }
  expect((await stat(path)).mode & 0o777).toBe(0o600)
})
