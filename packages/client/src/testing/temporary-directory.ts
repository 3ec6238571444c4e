import { mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A directory of one test's own, gone with it. */
export interface TemporaryDirectory extends AsyncDisposable {
  readonly path: string
}

export const temporaryDirectory = async (): Promise<TemporaryDirectory> => {
  const path = await realpath(await mkdtemp(join(tmpdir(), 'stowage-test-')))
  return { path, [Symbol.asyncDispose]: async () => rm(path, { recursive: true, force: true }) }
}
