import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describeBlobStore, describeBlobStoreRestart } from '@stowage/testkit/contracts'
import { afterAll } from 'vitest'
import { fileSystemBlobs } from './file-system-blobs.ts'

const base = mkdtempSync(join(tmpdir(), 'stowage-blobs-'))
let count = 0

afterAll(() => rmSync(base, { recursive: true }))

const open = async () => {
  count += 1
  const root = join(base, String(count))
  return { store: await fileSystemBlobs({ root }), reopen: () => fileSystemBlobs({ root }) }
}

describeBlobStore('file-system', open)
describeBlobStoreRestart('file-system', open)
