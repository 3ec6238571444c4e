import type * as fs from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { hashSync } from 'bcryptjs'
import { expect, it, vi } from 'vitest'
import { silentLogger } from '../../logger.ts'
import { openHtpasswdFile } from './htpasswd-file.ts'

/** FAT keeps times to two seconds, and Linux long kept them to a tick: the file system of a test may do better. */
const coarse = 2_000_000_000n

vi.mock('node:fs', async (importOriginal) => {
  const real = await importOriginal<typeof fs>()
  const statSync = (path: string): fs.BigIntStats => {
    const stat = real.statSync(path, { bigint: true })
    return Object.assign(stat, { mtimeNs: stat.mtimeNs / coarse, ctimeNs: stat.ctimeNs / coarse })
  }
  return { ...real, statSync }
})

it('a file that changes twice within one tick of its clock is read twice', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'stowage-htpasswd-'))
  try {
    const path = join(directory, 'htpasswd')
    const hash = hashSync('wonder', 4)
    let ahead = 0
    await writeFile(path, `alice:${hash}`)
    const file = openHtpasswdFile({ path, logger: silentLogger, now: () => Date.now() + ahead })
    for (const name of ['bob__', 'carol', 'dave_', 'erika', 'frank']) {
      await writeFile(path, `${name}:${hash}`)
      ahead = 1100
      expect([...file.read().hashes.keys()]).toEqual([name])
      ahead = 0
      // The clock was set back: it is looked at again.
      file.read()
    }
  } finally {
    await rm(directory, { recursive: true })
  }
})

it('lines whose cost is another one are named, once, and by their numbers alone', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'stowage-htpasswd-'))
  try {
    const path = join(directory, 'htpasswd')
    const warned: unknown[] = []
    const logger = { ...silentLogger, warn: (facts: object, message: string) => void warned.push([facts, message]) }
    await writeFile(path, `alice:${hashSync('a', 4)}\nbob:${hashSync('b', 4)}\n# new\ncarol:${hashSync('c', 5)}\n`)
    let ahead = 0
    const file = openHtpasswdFile({ path, logger, now: () => Date.now() + ahead })
    expect(warned).toEqual([[{ path, lines: [4], more: 0 }, expect.stringContaining('another cost')]])
    expect(JSON.stringify(warned)).not.toMatch(/carol|\$2/)
    ahead = 1100
    file.read()
    expect(warned).toHaveLength(1)
    await writeFile(path, `alice:${hashSync('a', 4)}\n`)
    ahead = 2200
    file.read()
    expect(warned).toHaveLength(1)
  } finally {
    await rm(directory, { recursive: true })
  }
})
