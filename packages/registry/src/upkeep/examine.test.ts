import { readFile, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { sample } from '@stowage/testkit'
import { describe, expect, it } from 'vitest'
import type { StoredBlob } from '../metadata/upkeep-store.ts'
import { registryOnDisk } from '../testing/registry-on-disk.ts'
import { cases, filled, image, nowhere } from '../testing/spoilt-registry.ts'
import { examine } from './examine.ts'
import { type FindingKind, findingKinds } from './finding.ts'
import { openForExamination } from './open-for-examination.ts'

describe('an examination', () => {
  it('finds nothing in a store that is whole, served or not', async () => {
    await using registry = await filled()
    expect(await registry.examine({ deep: true })).toEqual([])
    await registry.restart(async () => expect(await registry.examine({ deep: true })).toEqual([]))
  })

  it.each(Object.entries(cases))('finds %s', async (kind, { spoil, also = [], says }) => {
    await using registry = await filled()
    await spoil(registry)
    const found = await registry.examine({ deep: true })
    expect(new Set(found.map((one) => one.kind))).toEqual(new Set([kind, ...also]))
    const one = found.find((each) => each.kind === kind)
    expect(one?.message).toMatch(says)
    const { invariant, severity, remedy } = findingKinds[kind as FindingKind]
    expect(one).toMatchObject({ invariant, severity, remedy })
  })

  it.each([
    ['update repositories set stored_bytes = 0', 'usage-wrong'],
    ['update repository_blobs set unused_since = null', 'unused-wrong'],
    [`update manifests set artifact_type = 'a/b' where subject is not null`, 'manifest-facts'],
    [`update manifests set annotations_json = '{' where subject is null`, 'manifest-facts'],
    ['update manifests set size = 5 where subject is not null', 'manifest-facts'],
    [`delete from manifest_references where role = 'layer'`, 'manifest-facts'],
    [`update manifest_references set role = 'blob' where role = 'layer'`, 'manifest-facts'],
    [`update events set payload_json = '[' where sequence = 1`, 'event-unreadable'],
    ['delete from tags', 'untagged-wrong'],
  ] as const)('of what is spoilt by %s finds %s', async (sql, kind) => {
    await using registry = await filled()
    await sample.pushBlob(registry.door, 'b', Buffer.from('alone'))
    registry.edit(sql)
    expect((await registry.examine()).map((one) => one.kind)).toContain(kind)
  })

  it('counts what each actor brought', async () => {
    await using registry = await registryOnDisk({ access: { authenticate: () => ({ kind: 'user', name: 'ann' }) } })
    await sample.pushImage(registry.door, 'a', 'latest', image)
    expect(await registry.examine()).toEqual([])
    registry.edit('update actor_usage set stored_bytes = 7')
    expect(await registry.examine()).toMatchObject([
      { kind: 'usage-wrong', repository: 'a', subject: 'ann', message: expect.stringContaining('says 7 bytes') },
    ])
    registry.edit('delete from actor_usage')
    expect(await registry.examine()).toMatchObject([{ kind: 'usage-wrong', subject: 'ann' }])
  })

  it('does not ask for layers that may not be copied, nor for any where they may be missing', async () => {
    await using registry = await filled()
    const foreign = { mediaType: 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip', digest: nowhere, size: 1 }
    await sample.pushImage(registry.door, 'a', 'foreign', sample.image('foreign', { layers: [foreign] }))
    expect(await registry.examine()).toEqual([])
    registry.edit('delete from repository_blobs where digest = ?', image.layer.digest)
    const kinds = async (allowMissingBlobs: boolean) =>
      (await registry.examine({ allowMissingBlobs })).map(({ kind }) => kind)
    expect(await kinds(false)).toContain('reference-missing')
    expect(await kinds(true)).not.toContain('reference-missing')
  })

  it('without `deep` reads no blob', async () => {
    await using registry = await filled()
    await writeFile(registry.fileOf(image.layer.digest), 'x'.repeat(image.layer.bytes.byteLength))
    expect(await registry.examine()).toEqual([])
    expect(await registry.examine({ deep: true })).toMatchObject([{ kind: 'blob-digest' }])
  })

  it('says how far it has come, and ends when it is told to', async () => {
    await using registry = await filled()
    const progress: unknown[] = []
    await registry.examine({ deep: true, onProgress: (one) => progress.push(one) })
    expect(progress.at(-1)).toMatchObject({ blobs: 2, manifests: 3 })
    await expect(registry.examine({ signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow('enough')
  })

  it.each(['repositories', 'tags', 'manifest_contents'])('finds a damaged page of the table %s', async (table) => {
    await using registry = await filled()
    const root = Number(registry.ask('select rootpage from sqlite_master where name = ?', table)?.['rootpage'])
    await registry.restart(async () => {
      const path = join(registry.directory, 'registry.db')
      const bytes = await readFile(path)
      await writeFile(path, Buffer.from(bytes).fill(0xff, (root - 1) * 4096, (root - 1) * 4096 + 64))
      const found = await registry.examine()
      await writeFile(path, bytes)
      expect(found[0]).toMatchObject({ kind: 'database-damaged', subject: 'quick_check' })
    })
  })

  it('of a database without a whole page says what it is', async () => {
    await using registry = await filled()
    await registry.restart(async () => {
      const path = join(registry.directory, 'registry.db')
      const bytes = await readFile(path)
      await writeFile(path, Buffer.from(bytes).fill(0xff, 4096))
      await expect(registry.examine()).rejects.toThrow(/registry\.db is damaged/)
      await writeFile(path, 'no database')
      await expect(registry.examine()).rejects.toThrow(/registry\.db is damaged/)
      await writeFile(path, bytes)
    })
  })

  it('of a part that cannot be looked at says so, and goes on', async () => {
    await using registry = await filled()
    await unlink(registry.fileOf(image.layer.digest))
    await using storage = await openForExamination(registry.directory)
    const refused = async (): Promise<never> => Promise.reject(new Error('EACCES: permission denied'))
    const { metadata, blobs } = storage
    const broken = { ...metadata, upkeep: { ...metadata.upkeep, inspect: refused, listContents: refused } }
    const found = await Array.fromAsync(examine({ metadata: broken, blobs }))
    expect(found.map(({ kind, subject }) => [kind, subject])).toEqual([
      ['check-failed', 'the rows'],
      ['check-failed', 'the manifests'],
      ['blob-missing', image.layer.digest],
    ])
    expect(found[0]?.message).toContain('permission denied')
  })

  it('looks again at a file that seems wrong, as its blob may be another or none by then', async () => {
    await using registry = await filled()
    await using storage = await openForExamination(registry.directory)
    const { metadata, blobs } = storage
    const listed = await metadata.upkeep.listBlobs({ limit: 10 })
    // As if the page had been read before the blob was pushed again, and the other deleted.
    const stale = listed.map((blob) => ({ ...blob, key: blob.key.replace(/.{32}$/, '0'.repeat(32)) }))
    const before = {
      ...metadata,
      upkeep: {
        ...metadata.upkeep,
        listBlobs: async ({ last }: { readonly last?: string }) => (last === undefined ? stale : []),
        storedBlob: async (digest: StoredBlob['digest']) =>
          digest === image.layer.digest ? metadata.upkeep.storedBlob(digest) : undefined,
      },
    }
    expect(await Array.fromAsync(examine({ metadata: before, blobs, deep: true }))).toEqual([])
    await unlink(registry.fileOf(image.layer.digest))
    expect(await Array.fromAsync(examine({ metadata: before, blobs, deep: true }))).toMatchObject([
      { kind: 'blob-missing', subject: image.layer.digest },
    ])
  })

  it('takes no file for left over whose row came a moment after it', async () => {
    await using registry = await filled()
    await using storage = await openForExamination(registry.directory)
    const { metadata, blobs } = storage
    let asked = 0
    const knownKeys = async (keys: readonly string[]): Promise<string[]> => {
      asked += 1
      return asked === 1 ? [] : metadata.upkeep.knownKeys(keys)
    }
    const late = { ...metadata, upkeep: { ...metadata.upkeep, knownKeys } }
    expect(await Array.fromAsync(examine({ metadata: late, blobs }))).toEqual([])
  })

  it('finds an index that does not go with its table', async () => {
    await using registry = await filled()
    const path = join(registry.directory, 'registry.db')
    const rewrite = (columns: string): void => {
      using database = new DatabaseSync(path, { defensive: false })
      database.exec(`
        pragma writable_schema = on;
        update sqlite_master set sql = 'create index tags_by_digest on tags (${columns})' where name = 'tags_by_digest'`)
    }
    await registry.restart(async () => {
      rewrite('repository_id, name')
      const found = await registry.examine()
      rewrite('repository_id, digest')
      expect(found[0]).toMatchObject({ kind: 'database-damaged', subject: 'integrity_check' })
    })
  })
})
