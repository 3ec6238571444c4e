import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { cp, glob, mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { sample } from '@stowage/testkit'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createRegistry } from '../registry.ts'
import { examineDirectory, registryOnDisk, type RegistryOnDisk } from '../testing/registry-on-disk.ts'
import { examine } from './examine.ts'
import { openForExamination } from './open-for-examination.ts'

/** Every file with a digest of what is in it, and when it was changed. What is mapped into memory has no such time. */
const contentOf = async (directory: string): Promise<Record<string, string>> => {
  const found: Record<string, string> = {}
  for await (const name of glob('**', { cwd: directory })) {
    const path = join(directory, name)
    const facts = await stat(path)
    if (!facts.isFile()) {
      found[name] = 'directory'
      continue
    }
    const digest = createHash('sha256')
      .update(await readFile(path))
      .digest('hex')
    found[name] = name.endsWith('-shm') ? digest : `${digest} ${facts.mtimeMs}`
  }
  return found
}

describe('opening a directory to examine it', () => {
  let base: string
  let registry: RegistryOnDisk

  beforeEach(async () => {
    base = await mkdtemp(join(tmpdir(), 'stowage-examined-'))
    registry = await registryOnDisk()
    await sample.pushImage(registry.door, 'a', 'latest', sample.image('opened'))
  })
  afterEach(async () => {
    await registry[Symbol.asyncDispose]()
    await rm(base, { recursive: true, force: true })
  })

  it('makes and changes nothing where a server runs, and sees what it writes', async () => {
    // Who reads puts a mark there, in the memory of this process, which is the server's here.
    const { 'registry.db-shm': _, ...before } = await contentOf(registry.directory)
    expect(Object.keys(before)).toContain('registry.db-wal')
    await using storage = await openForExamination(registry.directory)
    expect(await Array.fromAsync(examine({ ...storage, deep: true }))).toEqual([])
    const { 'registry.db-shm': __, ...after } = await contentOf(registry.directory)
    expect(after).toEqual(before)
    expect(await storage.metadata.upkeep.listBlobs({ limit: 10 })).toHaveLength(2)
    await sample.pushBlob(registry.door, 'a', Buffer.from('later'))
    expect(await storage.metadata.upkeep.listBlobs({ limit: 10 })).toHaveLength(3)
  })

  it('makes and changes nothing where none runs', async () => {
    await registry.restart(async () => {
      const before = await contentOf(registry.directory)
      expect(Object.keys(before)).not.toContain('registry.db-wal')
      expect(await registry.examine({ deep: true })).toEqual([])
      expect(await contentOf(registry.directory)).toEqual(before)
    })
  })

  it('makes and changes nothing where one died, and sees what it had written', async () => {
    // What a killed process leaves: the log, not yet in the database.
    const died = join(base, 'died')
    await cp(registry.directory, died, { recursive: true, filter: (path) => !path.includes('lock.') })
    const before = await contentOf(died)
    expect(Object.keys(before)).toContain('registry.db-wal')
    await using storage = await openForExamination(died)
    expect(await storage.metadata.upkeep.listBlobs({ limit: 10 })).toHaveLength(2)
    expect(await Array.fromAsync(examine({ ...storage, deep: true }))).toEqual([])
    expect(await contentOf(died)).toEqual(before)
  })

  it('goes on with a server that starts meanwhile', async () => {
    await registry.restart(async () => {
      await using storage = await openForExamination(registry.directory)
      expect(await storage.metadata.upkeep.listBlobs({ limit: 10 })).toHaveLength(2)
      await using server = await createRegistry({ storage: registry.directory })
      const digest = sample.sha256(Buffer.from('new'))
      await server.fetch(new Request(`http://x/v2/a/blobs/uploads/?digest=${digest}`, { method: 'POST', body: 'new' }))
      expect(await storage.metadata.upkeep.listBlobs({ limit: 10 })).toHaveLength(3)
    })
  })

  it('lets a server in another process keep its directory, and stop', async () => {
    await registry.restart(async () => {
      const script = `
        import { createRegistry } from ${JSON.stringify(new URL('../index.ts', import.meta.url).href)}
        const registry = await createRegistry({ storage: ${JSON.stringify(registry.directory)} })
        process.stdout.write('ready')
        process.stdin.once('data', async () => { await registry[Symbol.asyncDispose](); process.exit(0) })`
      const child = spawn(process.execPath, ['-C', '@stowage/source', '--input-type=module-typescript', '-e', script], {
        stdio: ['pipe', 'pipe', 'inherit'],
      })
      try {
        await once(child.stdout, 'data')
        await using storage = await openForExamination(registry.directory)
        expect(await Array.fromAsync(examine({ ...storage, deep: true }))).toEqual([])
        await expect(createRegistry({ storage: registry.directory })).rejects.toThrow('is in use')
        const exit = once(child, 'exit')
        child.stdin.write('stop')
        expect(await exit).toEqual([0, null])
        expect(await storage.metadata.upkeep.listBlobs({ limit: 10 })).toHaveLength(2)
      } finally {
        child.kill('SIGKILL')
      }
    })
  })

  it('says what is wrong with one that cannot be examined', async () => {
    await expect(openForExamination(base)).rejects.toThrow(`There is no database at ${join(base, 'registry.db')}.`)
    new DatabaseSync(join(base, 'registry.db')).close()
    await expect(openForExamination(base)).rejects.toThrow('is not the database of a registry')
    registry.edit(`insert into schema_migrations (name, applied_at) values ('9999-future', 0)`)
    await expect(registry.examine()).rejects.toThrow(
      'by a newer version of Stowage: this one does not know its migration',
    )
    registry.edit(`delete from schema_migrations where name > '0002'`)
    await expect(registry.examine()).rejects.toThrow(
      /by an older version .* lacks the migration 0002-accounts, 0003-upkeep\. Make a backup/,
    )
    registry.edit(`insert into schema_migrations (name, applied_at) values ('0002-accounts', 0), ('0003-upkeep', 0)`)
  })

  it('finds no problem in a store that is pushed to, pulled from, deleted from and swept all the time', async () => {
    let now = 1_700_000_000_000
    await using busy = await registryOnDisk({ now: () => now })
    const stop = new AbortController()
    const writer = async (number: number): Promise<void> => {
      for (let turn = 0; !stop.signal.aborted; turn += 1) {
        const image = sample.image(`${number} ${turn % 5}`)
        await sample.pushImage(busy.door, `r${number % 3}`, `t${number}`, image)
        await busy.door.send('DELETE', `/v2/r${number % 3}/manifests/${image.digest}`)
        await busy.door.send('DELETE', `/v2/r${number % 3}/blobs/${image.layer.digest}`)
        now += 100_000
        if (turn % 3 === number % 3) await busy.door.registry.sweep()
      }
    }
    const writers = Array.from({ length: 6 }, async (_, number) => writer(number))
    try {
      for (let round = 0; round < 12; round += 1) {
        const found = await examineDirectory(busy.directory, { deep: round % 2 === 0 })
        expect(found.filter(({ severity }) => severity === 'problem')).toEqual([])
      }
    } finally {
      stop.abort()
      await Promise.all(writers)
    }
    expect((await busy.examine({ deep: true })).filter(({ severity }) => severity === 'problem')).toEqual([])
  })
})
