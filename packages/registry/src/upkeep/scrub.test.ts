import { randomBytes, randomUUID } from 'node:crypto'
import { symlink, unlink, writeFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Digest } from '@stowage/oci'
import { sample } from '@stowage/testkit'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { BlobStore, InspectedBytes } from '../blobs/blob-store.ts'
import { memoryBlobs } from '../blobs/memory/memory-blobs.ts'
import { silentLogger } from '../logger.ts'
import type { MetadataStore } from '../metadata/metadata-store.ts'
import { sqliteMetadata } from '../metadata/sqlite/sqlite-metadata.ts'
import { registryOnDisk } from '../testing/registry-on-disk.ts'
import { createScrub } from './scrub.ts'
import type { ScrubReport, ScrubRun } from './upkeep.ts'

const grant = { actor: 'ann', action: 'push', repository: 'a', overwriteTags: true } as const

const failure = (code: string): Error => Object.assign(new Error(`${code}: the disk says no`), { code })

describe('a scrub', () => {
  let metadata: MetadataStore
  let store: BlobStore
  /** What the next looks at a key come to, and in what order keys are looked at. */
  let faults: Map<string, Error[]>
  let looked: string[]
  let beforeLook: (key: string) => Promise<void> | void
  let warnings: unknown[]
  let scrub: (run: ScrubRun) => Promise<ScrubReport>

  beforeEach(async () => {
    metadata = await sqliteMetadata({ path: ':memory:' })
    const memory = memoryBlobs()
    faults = new Map()
    looked = []
    warnings = []
    beforeLook = () => {}
    store = {
      ...memory,
      inspect: async (key) => {
        looked.push(key)
        await beforeLook(key)
        const found = await memory.inspect(key)
        const fault = faults.get(key)?.shift()
        return found && fault ? failing(found, fault) : found
      },
    }
    const logger = { ...silentLogger, warn: (facts: unknown) => void warnings.push(facts) }
    scrub = createScrub({ metadata, blobs: store, rate: 0, logger, now: () => 5000 })
  })
  afterEach(async () => {
    await store[Symbol.asyncDispose]()
    await metadata[Symbol.asyncDispose]()
  })

  const failing = (found: InspectedBytes, error: Error): InspectedBytes => ({
    ...found,
    async *read() {
      for await (const piece of found.read()) {
        yield piece.subarray(0, 1)
        throw error
      }
    },
  })

  const push = async (bytes: Uint8Array): Promise<{ readonly digest: Digest; readonly key: string }> => {
    const digest = sample.sha256(bytes)
    const upload = await store.openUpload(randomUUID())
    await upload.write([bytes])
    const key = await upload.commit(digest)
    await metadata.finishUpload({ repository: 'a', digest, size: bytes.byteLength, key, at: 1000 }, grant)
    return { digest, key }
  }

  const pushMany = async (count: number) => {
    const pushed = await Promise.all(Array.from({ length: count }, async (_, index) => push(Buffer.from(`${index}`))))
    return pushed.toSorted((one, other) => (one.digest < other.digest ? -1 : 1))
  }

  const stateOf = async (digest: Digest) => metadata.upkeep.storedBlob(digest)

  it('reads every blob in the order of digests, and remembers that they were right', async () => {
    const blobs = await pushMany(600)
    expect(await scrub({})).toEqual({
      blobs: 600,
      manifests: 0,
      corrupt: [],
      healed: 0,
      unreadable: 0,
      incomplete: false,
      bytes: Array.from({ length: 600 }, (_, index) => `${index}`.length).reduce((sum, length) => sum + length, 0),
    })
    expect(looked).toEqual(blobs.map(({ key }) => key))
    for (const { digest } of blobs) expect(await stateOf(digest)).toMatchObject({ verifiedAt: 5000 })
  })

  it('goes on where it was cut off, and begins again when it was through or is told to', async () => {
    const blobs = await pushMany(20)
    const stop = new AbortController()
    beforeLook = () => {
      if (looked.length === 8) stop.abort()
    }
    const first = await scrub({ signal: stop.signal })
    expect(first).toMatchObject({ incomplete: true })
    const done = looked
    expect(done).toEqual(blobs.slice(0, 8).map(({ key }) => key))
    // What was found right is remembered, too.
    expect(await stateOf(blobs[7]?.digest ?? ('' as Digest))).toMatchObject({ verifiedAt: 5000 })
    looked = []
    beforeLook = () => {}
    expect(await scrub({})).toMatchObject({ blobs: 12, incomplete: false })
    expect(looked).toEqual(blobs.slice(8).map(({ key }) => key))
    expect(await scrub({})).toMatchObject({ blobs: 20, incomplete: false })

    const again = new AbortController()
    looked = []
    beforeLook = () => {
      if (looked.length === 8) again.abort()
    }
    await scrub({ signal: again.signal })
    looked = []
    beforeLook = () => {}
    expect(await scrub({ fromStart: true })).toMatchObject({ blobs: 20, incomplete: false })
  })

  it('goes on among the manifests, too', async () => {
    await push(Buffer.from('blob'))
    for (let index = 0; index < 5; index += 1) {
      const bytes = Buffer.from(`{"index":${index}}`)
      await metadata.putManifest(
        {
          repository: 'a',
          digest: sample.sha256(bytes),
          mediaType: 'a/b',
          bytes,
          tags: [],
          references: [],
          at: 1,
          requiredBlobs: [],
          requiredManifests: [],
          facts: { kind: 'image', contentSize: 0, platforms: [], annotations: {} },
        },
        grant,
      )
    }
    const stop = new AbortController()
    const { listContents } = metadata.upkeep
    const cutting = {
      ...metadata,
      upkeep: {
        ...metadata.upkeep,
        listContents: async (page: Parameters<typeof listContents>[0]) => {
          if (page.last !== undefined) stop.abort()
          return listContents({ ...page, limit: 2 })
        },
      },
    }
    const options = { blobs: store, rate: 0, logger: silentLogger, now: () => 5000 }
    const cut = await createScrub({ metadata: cutting, ...options })({ signal: stop.signal })
    expect(cut).toMatchObject({ blobs: 1, manifests: 2, incomplete: true })
    expect(await scrub({})).toMatchObject({ blobs: 0, manifests: 3, incomplete: false })
    expect(await scrub({})).toMatchObject({ blobs: 1, manifests: 5, incomplete: false })
  })

  it.each(['', '{', '[]', '{"phase":"x"}', '{"phase":"blobs","last":"../etc"}'])(
    'begins at the beginning when the place that is remembered is %j',
    async (state) => {
      await pushMany(3)
      await metadata.upkeep.writeState('scrub', state)
      expect(await scrub({})).toMatchObject({ blobs: 3, incomplete: false })
    },
  )

  it('takes a disk that fails once for a disk that fails once', async () => {
    const { digest, key } = await push(Buffer.from('blob'))
    faults.set(key, [failure('EIO')])
    expect(await scrub({})).toMatchObject({ corrupt: [], unreadable: 0 })
    expect(await stateOf(digest)).toMatchObject({ verifiedAt: 5000 })
  })

  it('takes one that fails twice for bytes that are lost', async () => {
    const { digest, key } = await push(Buffer.from('blob'))
    faults.set(key, [failure('EIO'), failure('EIO')])
    expect(await scrub({})).toMatchObject({ corrupt: [{ digest, kind: 'blob', problem: 'unreadable' }] })
    expect(await stateOf(digest)).toMatchObject({ corruptSince: 5000 })
  })

  it('waits when there are too many open files, and takes nothing for corrupt', async () => {
    const { key } = await push(Buffer.from('blob'))
    faults.set(key, [failure('EMFILE'), failure('ENFILE')])
    expect(await scrub({})).toMatchObject({ corrupt: [], unreadable: 0, blobs: 1 })
    expect(looked).toHaveLength(3)
  })

  it.each(['EACCES', 'ENOMEM', 'UNAVAILABLE', 'EMFILE'])(
    'leaves a blob alone that cannot be read for %s',
    async (code) => {
      const { digest, key } = await push(Buffer.from('blob'))
      faults.set(
        key,
        Array.from({ length: 10 }, () => failure(code)),
      )
      expect(await scrub({})).toMatchObject({ corrupt: [], unreadable: 1, incomplete: false })
      expect(await stateOf(digest)).not.toHaveProperty('corruptSince')
      expect(await stateOf(digest)).not.toHaveProperty('verifiedAt')
      expect(warnings).toEqual([expect.objectContaining({ digest })])
    },
  )

  it('gives up when nothing can be read', async () => {
    for (const { key } of await pushMany(50)) faults.set(key, [failure('EACCES')])
    await expect(scrub({})).rejects.toThrow('The blobs cannot be read.')
    expect(looked).toHaveLength(20)
  })

  it('looks at the new bytes of a blob that was pushed again while it was read', async () => {
    const bytes = Buffer.from('blob')
    const old = await push(bytes)
    beforeLook = async (key) => {
      if (key !== old.key) return
      await push(bytes)
      await store.delete(old.key)
    }
    expect(await scrub({})).toMatchObject({ corrupt: [], blobs: 1 })
    expect(await stateOf(old.digest)).toMatchObject({ verifiedAt: 5000 })
    expect(looked).toHaveLength(2)
  })

  it('says nothing of a blob that was deleted while it was read', async () => {
    const { digest, key } = await push(Buffer.from('blob'))
    beforeLook = async () => {
      await metadata.unlinkBlob({ repository: 'a', digest, at: 1, evenIfUsed: false }, { ...grant, action: 'delete' })
      await store.delete(key)
    }
    expect(await scrub({})).toMatchObject({ corrupt: [], unreadable: 0 })
  })

  it('keeps to its rate, and others get their turn', async () => {
    await push(randomBytes(1024 * 1024))
    const ended: string[] = []
    const note = (what: string) => () => void ended.push(what)
    // A MiB at four a second is not read before a timer of half that time has had its turn.
    await Promise.all([scrub({ rate: 4 * 1024 * 1024 }).then(note('scrub')), sleep(80).then(note('timer'))])
    expect(ended).toEqual(['timer', 'scrub'])
  })

  it('ends at once when it is told to, also while it waits', async () => {
    await push(randomBytes(1024 * 1024))
    const stop = new AbortController()
    const ended = scrub({ rate: 1, signal: stop.signal })
    setTimeout(() => stop.abort(), 20)
    expect(await ended).toMatchObject({ incomplete: true })
  })
})

describe('a scrub of a registry on disk', () => {
  it('leaves the files that pulls hold open as they are', async () => {
    await using registry = await registryOnDisk()
    const bytes = randomBytes(400_000)
    const digest = await sample.pushBlob(registry.door, 'a', bytes)
    expect((await registry.door.send('GET', `/v2/a/blobs/${digest}`)).status).toBe(200)
    // More blobs than files stay open.
    for (let index = 0; index < 300; index += 1) await sample.pushBlob(registry.door, 'a', Buffer.from(`${index}`))
    expect((await registry.door.send('GET', `/v2/a/blobs/${digest}`)).status).toBe(200)
    const file = registry.fileOf(digest)
    expect(await registry.door.registry.upkeep.scrub({ rate: 0 })).toMatchObject({ blobs: 301, corrupt: [] })
    // Who holds it open reads on although its name is gone.
    await unlink(file)
    expect((await registry.door.send('GET', `/v2/a/blobs/${digest}`)).status).toBe(200)
    await writeFile(file, bytes, { mode: 0o600 })
  })

  it('is not led astray by a link', async () => {
    await using registry = await registryOnDisk()
    const bytes = randomBytes(400)
    const digest = await sample.pushBlob(registry.door, 'a', bytes)
    const file = registry.fileOf(digest)
    await unlink(file)
    await writeFile(`${registry.directory}/elsewhere`, bytes)
    await symlink(`${registry.directory}/elsewhere`, file)
    const { corrupt } = await registry.door.registry.upkeep.scrub()
    expect(corrupt).toEqual([{ digest, kind: 'blob', problem: 'missing' }])
  })
})
