import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, truncate, unlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type OpenDoor, sample, type SampleImage } from '@stowage/testkit'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { memoryBlobs } from '../blobs/memory/memory-blobs.ts'
import { sqliteMetadata } from '../metadata/sqlite/sqlite-metadata.ts'
import { createRegistry } from '../registry.ts'
import { examineDirectory, openDoor, registryOnDisk, type RegistryOnDisk } from '../testing/registry-on-disk.ts'
import { backUpDirectory } from './back-up-directory.ts'

const pulls = async (door: OpenDoor, repository: string, reference: string, image: SampleImage): Promise<boolean> => {
  const manifest = await door.send('GET', `/v2/${repository}/manifests/${reference}`)
  if (manifest.status !== 200 || Buffer.compare(manifest.bytes, image.manifest) !== 0) return false
  for (const { digest, bytes } of [image.config, image.layer]) {
    const blob = await door.send('GET', `/v2/${repository}/blobs/${digest}`)
    if (blob.status !== 200 || Buffer.compare(blob.bytes, bytes) !== 0) return false
  }
  return true
}

const problems = async (directory: string) =>
  (await examineDirectory(directory, { deep: true })).filter(({ severity }) => severity === 'problem')

describe('a backup of a data directory', () => {
  let base: string
  let target: string
  beforeEach(async () => {
    base = await mkdtemp(join(tmpdir(), 'stowage-backup-'))
    target = join(base, 'backup')
  })
  afterEach(async () => rm(base, { recursive: true, force: true }))

  const filled = async (): Promise<RegistryOnDisk> => {
    const registry = await registryOnDisk()
    await sample.pushImage(registry.door, 'a', 'one', sample.image('one'))
    return registry
  }

  it.each(['served', 'not served'])('of a registry that is %s has exactly what is needed', async (how) => {
    await using registry = await filled()
    // Garbage, an orphan and an upload, which it need not have.
    await sample.pushBlob(registry.door, 'a', sample.image('one').layer.bytes)
    await writeFile(join(registry.directory, 'uploads', '01234567-89ab-cdef-0123-456789abcdef'), 'x')
    const begun = await registry.door.send('POST', '/v2/a/blobs/uploads/')
    const report = await (how === 'served'
      ? registry.door.registry.backUpTo(target)
      : registry.restart(async () => void (await backUpDirectory(registry.directory, target))))
    if (report !== undefined) {
      const bytes = sample.image('one').layer.bytes.byteLength + sample.image('one').config.bytes.byteLength
      expect(report).toEqual({ blobs: 2, bytes, linked: 2, gone: 0, damaged: [] })
    }
    expect((await readdir(target)).toSorted()).toEqual(['blobs', 'registry.db'])
    expect(await examineDirectory(target, { deep: true })).toEqual([])
    await using restored = await openDoor({ storage: target })
    expect(await pulls(restored, 'a', 'one', sample.image('one'))).toBe(true)
    const upload = new URL(begun.header('location') ?? '', 'http://x').pathname
    expect((await restored.send('GET', upload)).status).toBe(404)
    // Two registries by now: what one deletes the other keeps.
    await restored.send('DELETE', `/v2/a/manifests/${sample.image('one').digest}`)
    expect(await pulls(registry.door, 'a', 'one', sample.image('one'))).toBe(true)
  })

  it('keeps others out', async () => {
    await using registry = await filled()
    await registry.door.registry.backUpTo(target)
    expect((await stat(target)).mode & 0o077).toBe(0)
    expect((await stat(join(target, 'registry.db'))).mode & 0o077).toBe(0)
  })

  // Where there is another file system; its files cannot be links.
  const otherDisk = '/dev/shm'
  it.skipIf(!existsSync(otherDisk))('on another file system has copies', async () => {
    const elsewhere = await mkdtemp(join(otherDisk, 'stowage-backup-'))
    try {
      await using registry = await filled()
      const report = await registry.door.registry.backUpTo(join(elsewhere, 'backup'))
      expect(report).toMatchObject({ blobs: 2, linked: 0, damaged: [] })
      expect(await examineDirectory(join(elsewhere, 'backup'), { deep: true })).toEqual([])
    } finally {
      await rm(elsewhere, { recursive: true })
    }
  })

  it('goes to a directory that is not there or is empty, outside of the registry, and replaces nothing', async () => {
    await using registry = await filled()
    const { backUpTo } = registry.door.registry
    await mkdir(target)
    await writeFile(join(target, 'mine'), 'mine')
    await expect(backUpTo(target)).rejects.toThrow(`${target} is not empty`)
    expect(await readdir(target)).toEqual(['mine'])
    await expect(backUpTo(join(base, 'nowhere', 'backup'))).rejects.toThrow('is not there')
    for (const inside of ['', 'backup', 'blobs/sha256/backup']) {
      await expect(backUpTo(join(registry.directory, inside))).rejects.toThrow('A backup belongs elsewhere')
    }
    await mkdir(join(registry.directory, 'empty'))
    await symlink(join(registry.directory, 'empty'), join(base, 'link'))
    await expect(backUpTo(join(base, 'link'))).rejects.toThrow('A backup belongs elsewhere')
    await rm(join(base, 'link'))
    await rm(join(target, 'mine'))
    await backUpTo(target)
    expect(await problems(target)).toEqual([])
    await expect(backUpTo(target)).rejects.toThrow('is not empty')
    await expect(backUpDirectory(join(base, 'nowhere'), join(base, 'x'))).rejects.toThrow('There is no database')
    expect(await readdir(base)).toEqual(['backup'])
  })

  it('that is cut off leaves nothing that looks like one', async () => {
    await using registry = await filled()
    const cut = registry.door.registry.backUpTo(target, { signal: AbortSignal.abort(new Error('enough')) })
    await expect(cut).rejects.toThrow('enough')
    expect(await readdir(base)).toEqual([])
    await mkdir(target)
    await expect(registry.door.registry.backUpTo(target, { signal: AbortSignal.abort() })).rejects.toThrow('abort')
    expect(await readdir(target)).toEqual([])
    // In the middle: one file is there, the other has gone.
    await unlink(registry.fileOf(sample.image('one').layer.digest))
    const now = (): number => {
      throw new Error('no time')
    }
    await expect(backUpDirectory(registry.directory, target, { now })).rejects.toThrow('no time')
    expect(await readdir(target)).toEqual([])
  })

  it('says what is damaged in the registry, and does not pass it on', async () => {
    await using registry = await filled()
    const { config, layer } = sample.image('one')
    await truncate(registry.fileOf(layer.digest), 3)
    await unlink(registry.fileOf(config.digest))
    const { damaged, blobs } = await registry.door.registry.backUpTo(target)
    expect(blobs).toBe(0)
    expect(damaged.map(({ digest, problem }) => [digest, problem])).toEqual(
      expect.arrayContaining([
        [layer.digest, 'size'],
        [config.digest, 'missing'],
      ]),
    )
    expect((await examineDirectory(target, { deep: true })).map(({ kind }) => kind)).toEqual([
      'blob-quarantined',
      'blob-quarantined',
    ])
    await using restored = await openDoor({ storage: target })
    expect((await restored.send('HEAD', `/v2/a/blobs/${layer.digest}`)).status).toBe(404)
    await sample.pushImage(restored, 'a', 'one', sample.image('one'))
    expect(await pulls(restored, 'a', 'one', sample.image('one'))).toBe(true)
  })

  it('of a blob that was pushed again or deleted after the database was copied has what can be had', async () => {
    let now = 1_700_000_000_000
    await using registry = await registryOnDisk({ now: () => now })
    const { door, directory } = registry
    const images = ['again', 'gone', 'kept'].map((name) => sample.image(name))
    const [again, gone, kept] = images
    if (again === undefined || gone === undefined || kept === undefined) throw new Error('There are three.')
    for (const image of images) await sample.pushImage(door, 'a', image.digest, image)
    // As if the copy had been made here.
    const old = await readFile(await copyOf(registry, base))
    await sample.pushImage(door, 'a', again.digest, again)
    await door.send('DELETE', `/v2/a/manifests/${gone.digest}`)
    for (const { digest } of [gone.config, gone.layer]) await door.send('DELETE', `/v2/a/blobs/${digest}`)
    now += 120_000
    expect((await door.registry.sweep()).deletedBlobs).toBe(4)

    await mkdir(target)
    await writeFile(join(target, 'registry.db'), old)
    const { backUpBlobs } = await import('./back-up-blobs.ts')
    const { openSqliteExamination } = await import('../metadata/sqlite/sqlite-examination.ts')
    using live = openSqliteExamination(join(directory, 'registry.db'))
    const report = await backUpBlobs({
      from: directory,
      to: target,
      database: join(target, 'registry.db'),
      live,
      now: () => now,
      signal: undefined,
    })
    expect(report).toMatchObject({ blobs: 4, gone: 2, damaged: [] })
    expect(await problems(target)).toEqual([])
    await using restored = await openDoor({ storage: target })
    expect(await pulls(restored, 'a', again.digest, again)).toBe(true)
    expect(await pulls(restored, 'a', kept.digest, kept)).toBe(true)
    expect((await restored.send('HEAD', `/v2/a/blobs/${gone.layer.digest}`)).status).toBe(404)
  })

  it('made while many push and delete and garbage goes at once has every image that was acknowledged before', async () => {
    let now = 1_700_000_000_000
    await using registry = await registryOnDisk({ now: () => now, upkeep: { garbage: { grace: 0 } } })
    const { door } = registry
    /** What each writer knows to be there. */
    const acknowledged = new Map<string, SampleImage>()
    const stop = new AbortController()
    const shared = sample.image('shared')
    const { bytes, digest } = shared.layer
    const layers = [{ mediaType: 'application/vnd.oci.image.layer.v1.tar', digest, size: bytes.byteLength }]
    /** One that stays, and whose layer gets another key all the time. */
    const keep = async (repository: string, tag: string): Promise<void> => {
      const image = { ...sample.image(`${repository} ${tag}`, { layers }), layer: shared.layer }
      await sample.pushImage(door, repository, tag, image)
      acknowledged.set(`${repository} ${tag}`, image)
    }

    const writer = async (number: number): Promise<void> => {
      const repository = `r${number}`
      for (let turn = 0; !stop.signal.aborted; turn += 1) {
        const image = turn % 4 === 3 ? shared : sample.image(`${number} ${turn % 6}`)
        const name = `${repository} t${turn % 6}`
        // Until it is acknowledged again nothing is promised of it.
        acknowledged.delete(name)
        try {
          if (turn % 5 === 4 && turn < 30) await keep(repository, `kept-${turn}`)
          await sample.pushImage(door, repository, `t${turn % 6}`, image)
        } catch {
          // With no grace a blob may go between its push and the manifest's; a client tries again.
          continue
        }
        acknowledged.set(name, image)
        if (turn % 3 !== 2) continue
        for (const [other, known] of acknowledged) {
          if (other.startsWith(`${repository} `) && known.digest === image.digest) acknowledged.delete(other)
        }
        await door.send('DELETE', `/v2/${repository}/manifests/${image.digest}`)
      }
    }
    const collector = async (): Promise<void> => {
      while (!stop.signal.aborted) {
        now += 61_000
        await door.registry.upkeep.collectGarbage({ grace: 0, trustClock: true })
        await door.registry.sweep()
      }
    }
    const workers = [...Array.from({ length: 8 }, async (_, number) => writer(number)), collector()]
    const backups: { readonly directory: string; readonly promised: readonly (readonly [string, SampleImage])[] }[] = []
    try {
      for (const [name, least] of [
        ['first', 8],
        ['second', 24],
      ] as const) {
        const kept = (): number => [...acknowledged.keys()].filter((place) => place.includes('kept')).length
        await expect.poll(kept, { timeout: 20_000 }).toBeGreaterThanOrEqual(least)
        const directory = join(base, name)
        const before = new Map(acknowledged)
        const report = await door.registry.backUpTo(directory)
        expect(report.damaged).toEqual([])
        // Neither deleted nor pushed anew since.
        const promised = [...before].filter(([place, image]) => acknowledged.get(place) === image)
        expect(promised.length).toBeGreaterThan(5)
        backups.push({ directory, promised })
      }
    } finally {
      stop.abort()
      await Promise.all(workers)
    }
    for (const { directory, promised } of backups) {
      expect(await problems(directory)).toEqual([])
      await using restored = await openDoor({ storage: directory })
      for (const [place, image] of promised) {
        const [repository = '', tag = ''] = place.split(' ')
        expect([place, await pulls(restored, repository, tag, image)]).toEqual([place, true])
      }
    }
  })
})

const copyOf = async ({ door }: RegistryOnDisk, base: string): Promise<string> => {
  const path = join(base, 'copy.db')
  await door.registry.backUp(path)
  return path
}

describe('a registry that is not in a directory', () => {
  it('backs up its database where that is SQLite, and says so where it cannot', async () => {
    const base = await mkdtemp(join(tmpdir(), 'stowage-backup-'))
    try {
      await using inMemory = await openDoor({ storage: ':memory:' })
      await sample.pushImage(inMemory, 'a', 'one', sample.image('one'))
      await expect(inMemory.registry.backUpTo(join(base, 'x'))).rejects.toMatchObject({ code: 'BACKUP_UNUSABLE' })
      await inMemory.registry.backUp(join(base, 'copy.db'))
      await using metadata = await sqliteMetadata({ path: join(base, 'copy.db') })
      expect(await metadata.listTags({ repository: 'a', limit: 10 })).toEqual(['one'])
      await expect(inMemory.registry.backUp(join(base, 'copy.db'))).rejects.toMatchObject({ code: 'EEXIST' })
      const { backUp: _, ...without } = await sqliteMetadata({ path: ':memory:' })
      await using other = await createRegistry({ storage: { metadata: without, blobs: memoryBlobs() } })
      await expect(other.backUp(join(base, 'y'))).rejects.toThrow('Use the tools of its database')
    } finally {
      await rm(base, { recursive: true })
    }
  })
})
