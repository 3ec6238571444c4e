import { randomBytes } from 'node:crypto'
import { open, rm, truncate, writeFile } from 'node:fs/promises'
import type { Logger } from '@stowage/registry'
import { sample } from '@stowage/testkit'
import { describe, expect, it } from 'vitest'
import { registryOnDisk, type RegistryOnDisk } from '../testing/registry-on-disk.ts'

const recorder = () => {
  const errors: unknown[] = []
  const nothing = (): void => {}
  const logger: Logger = {
    debug: nothing,
    info: nothing,
    warn: nothing,
    error: (facts: unknown) => void errors.push(facts),
  }
  return { logger, errors }
}

const flip = async (path: string, at: number): Promise<void> => {
  const file = await open(path, 'r+')
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, at)
  await file.write(Buffer.from([(buffer[0] ?? 0) ^ 1]), 0, 1, at)
  await file.close()
}

const zero = async (path: string): Promise<void> => {
  const file = await open(path, 'r+')
  await file.write(Buffer.alloc((await file.stat()).size), 0)
  await file.close()
}

/** Larger than what is kept of an open file, and than what is given at once. */
const large = randomBytes(700_000)

const damages = {
  'a flipped byte': { spoil: async (path: string) => flip(path, 345_678), problem: 'digest' },
  'zeroed bytes': { spoil: zero, problem: 'digest' },
  'a truncated file': { spoil: async (path: string) => truncate(path, 345_678), problem: 'size' },
  'a file that is too long': { spoil: async (path: string) => writeFile(path, 'x', { flag: 'a' }), problem: 'size' },
  'a file without bytes': { spoil: async (path: string) => truncate(path, 0), problem: 'size' },
  'a missing file': { spoil: async (path: string) => rm(path), problem: 'missing' },
} as const

const status = async ({ door }: RegistryOnDisk, method: string, path: string): Promise<number> =>
  (await door.send(method, path)).status

/** A manifest in both repositories that needs the blob. */
const imageOn = (digest: string, size: number) =>
  sample.image('spoiled', {
    layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar', digest, size }],
  })

const putAgain = async ({ door }: RegistryOnDisk, repository: string, image: ReturnType<typeof imageOn>) =>
  door.send('PUT', `/v2/${repository}/manifests/latest`, {
    body: image.manifest,
    headers: { 'content-type': image.mediaType },
  })

const pushed = async (registry: RegistryOnDisk): Promise<{ digest: string; image: ReturnType<typeof imageOn> }> => {
  const { door } = registry
  const digest = await sample.pushBlob(door, 'a', large)
  const image = imageOn(digest, large.byteLength)
  await sample.pushBlob(door, 'a', image.config.bytes)
  for (const blob of [digest, image.config.digest]) {
    expect(await status(registry, 'POST', `/v2/b/blobs/uploads/?mount=${blob}&from=a`)).toBe(201)
  }
  for (const repository of ['a', 'b']) expect((await putAgain(registry, repository, image)).status).toBe(201)
  return { digest, image }
}

const healsByPush = async (
  registry: RegistryOnDisk,
  digest: string,
  image: ReturnType<typeof imageOn>,
): Promise<void> => {
  const oldKey = registry.ask('select key from blobs where digest = ?', digest)?.['key']
  for (const repository of ['a', 'b']) {
    expect(await status(registry, 'HEAD', `/v2/${repository}/blobs/${digest}`)).toBe(404)
    expect(await status(registry, 'GET', `/v2/${repository}/blobs/${digest}`)).toBe(404)
    const refused = await putAgain(registry, repository, image)
    expect([refused.status, refused.text()]).toEqual([400, expect.stringContaining('MANIFEST_BLOB_UNKNOWN')])
  }
  expect(await status(registry, 'POST', `/v2/c/blobs/uploads/?mount=${digest}&from=a`)).toBe(202)
  // A push to one heals all.
  await sample.pushBlob(registry.door, 'b', large)
  for (const repository of ['a', 'b']) {
    const answer = await registry.door.send('GET', `/v2/${repository}/blobs/${digest}`)
    expect([answer.status, Buffer.compare(answer.bytes, large)]).toEqual([200, 0])
    expect((await putAgain(registry, repository, image)).status).toBe(201)
  }
  expect(registry.ask('select key from blob_garbage where key = ?', String(oldKey))).toBeDefined()
  expect((await registry.examine({ deep: true })).filter(({ severity }) => severity === 'problem')).toEqual([])
}

describe('a blob on the disk', () => {
  it.each(Object.entries(damages))('with %s is found by a scrub, and healed by a push', async (_, damage) => {
    const { logger, errors } = recorder()
    await using registry = await registryOnDisk({ logger })
    const { digest, image } = await pushed(registry)
    await registry.restart(async () => damage.spoil(registry.fileOf(digest)))
    expect((await registry.examine({ deep: true })).map(({ kind, subject }) => [kind, subject])).toEqual([
      [`blob-${damage.problem}`, digest],
    ])
    const report = await registry.door.registry.upkeep.scrub({ rate: 0 })
    expect(report).toMatchObject({ blobs: 2, manifests: 1, healed: 0, unreadable: 0, incomplete: false })
    expect(report.corrupt).toEqual([{ digest, kind: 'blob', problem: damage.problem }])
    expect(errors).toEqual([expect.objectContaining({ digest, problem: damage.problem })])
    // Once.
    expect((await registry.door.registry.upkeep.scrub({ rate: 0 })).corrupt).toEqual([])
    expect(errors).toHaveLength(1)
    expect((await registry.examine({ deep: true })).map(({ kind, severity }) => [kind, severity])).toEqual([
      ['blob-quarantined', 'note'],
    ])
    await healsByPush(registry, digest, image)
  })

  it.each(['a truncated file', 'a file without bytes', 'a missing file'] as const)(
    'with %s is found by the first pull',
    async (name) => {
      const { logger, errors } = recorder()
      await using registry = await registryOnDisk({ logger })
      const { digest, image } = await pushed(registry)
      await registry.restart(async () => damages[name].spoil(registry.fileOf(digest)))
      expect(await status(registry, 'HEAD', `/v2/a/blobs/${digest}`)).toBe(200)
      const answers = await Promise.all(
        Array.from({ length: 5 }, async () => status(registry, 'GET', `/v2/a/blobs/${digest}`)),
      )
      expect(new Set(answers)).toEqual(new Set([404]))
      expect(errors).toEqual([expect.objectContaining({ digest })])
      await healsByPush(registry, digest, image)
    },
  )

  it('that is a short config is found by the push of a manifest that needs it', async () => {
    await using registry = await registryOnDisk()
    const { image } = await pushed(registry)
    await registry.restart(async () => truncate(registry.fileOf(image.config.digest), 10))
    const refused = await putAgain(registry, 'a', image)
    expect([refused.status, refused.text()]).toEqual([400, expect.stringContaining(image.config.digest)])
    expect(await status(registry, 'HEAD', `/v2/b/blobs/${image.config.digest}`)).toBe(404)
    await sample.pushImage(registry.door, 'a', 'latest', image)
  })

  it('whose disk is not mounted is not taken for missing', async () => {
    await using registry = await registryOnDisk()
    const { digest } = await pushed(registry)
    await registry.restart(async () => {})
    const file = registry.fileOf(digest)
    await rm(file.slice(0, file.lastIndexOf('/')), { recursive: true })
    expect(await status(registry, 'GET', `/v2/a/blobs/${digest}`)).toBe(503)
    expect(await status(registry, 'HEAD', `/v2/a/blobs/${digest}`)).toBe(200)
    expect(await registry.door.registry.upkeep.scrub()).toMatchObject({ corrupt: [], unreadable: 1, incomplete: false })
    expect((await registry.examine()).map(({ kind }) => kind)).toEqual(['blob-unreadable'])
  })

  it('that was in quarantine and is right again comes back', async () => {
    await using registry = await registryOnDisk()
    const { digest } = await pushed(registry)
    const file = registry.fileOf(digest)
    await flip(file, 5)
    expect((await registry.door.registry.upkeep.scrub()).corrupt).toHaveLength(1)
    await flip(file, 5)
    expect(await status(registry, 'HEAD', `/v2/b/blobs/${digest}`)).toBe(404)
    expect(await registry.door.registry.upkeep.scrub()).toMatchObject({ corrupt: [], healed: 1 })
    expect(await status(registry, 'HEAD', `/v2/b/blobs/${digest}`)).toBe(200)
  })

  it('of sha512 is compared by that', async () => {
    await using registry = await registryOnDisk()
    const { createHash } = await import('node:crypto')
    const digest = `sha512:${createHash('sha512').update(large).digest('hex')}`
    const path = `/v2/a/blobs/uploads/?digest=${digest}`
    expect((await registry.door.send('POST', path, { body: large })).status).toBe(201)
    expect((await registry.door.registry.upkeep.scrub()).corrupt).toEqual([])
    await flip(registry.fileOf(digest), 5)
    expect((await registry.door.registry.upkeep.scrub()).corrupt).toEqual([{ digest, kind: 'blob', problem: 'digest' }])
  })
})

describe('a manifest in the database', () => {
  const spoil = async (registry: RegistryOnDisk, digest: string): Promise<void> =>
    registry.restart(() =>
      registry.edit(`update manifest_contents set bytes = cast('{}' as blob) where digest = ?`, digest),
    )

  const heals = async (registry: RegistryOnDisk, image: ReturnType<typeof imageOn>): Promise<void> => {
    for (const repository of ['a', 'b']) {
      for (const reference of ['latest', image.digest]) {
        expect(await status(registry, 'HEAD', `/v2/${repository}/manifests/${reference}`)).toBe(404)
        expect(await status(registry, 'GET', `/v2/${repository}/manifests/${reference}`)).toBe(404)
      }
    }
    expect((await registry.examine()).map(({ kind }) => kind)).toEqual(['manifest-quarantined', 'manifest-quarantined'])
    expect((await putAgain(registry, 'a', image)).status).toBe(201)
    for (const repository of ['a', 'b']) {
      const answer = await registry.door.send('GET', `/v2/${repository}/manifests/latest`)
      expect([answer.status, Buffer.compare(answer.bytes, image.manifest)]).toEqual([200, 0])
    }
    expect(await registry.examine({ deep: true })).toEqual([])
  }

  it('with wrong bytes is found by a scrub, and healed by a push', async () => {
    const { logger, errors } = recorder()
    await using registry = await registryOnDisk({ logger })
    const { image } = await pushed(registry)
    await spoil(registry, image.digest)
    expect((await registry.examine()).map(({ kind, subject }) => [kind, subject])).toEqual([
      ['manifest-digest', image.digest],
    ])
    const { corrupt } = await registry.door.registry.upkeep.scrub()
    expect(corrupt).toEqual([{ digest: image.digest, kind: 'manifest', problem: 'digest' }])
    expect(errors).toHaveLength(1)
    await heals(registry, image)
  })

  it('with wrong bytes is found by the first pull', async () => {
    const { logger, errors } = recorder()
    await using registry = await registryOnDisk({ logger })
    const { image } = await pushed(registry)
    await spoil(registry, image.digest)
    expect(await status(registry, 'GET', '/v2/a/manifests/latest')).toBe(404)
    expect(await status(registry, 'GET', '/v2/a/manifests/latest')).toBe(404)
    expect(errors).toEqual([expect.objectContaining({ digest: image.digest })])
    await heals(registry, image)
  })

  it('that is right again comes back', async () => {
    await using registry = await registryOnDisk()
    const { image } = await pushed(registry)
    await spoil(registry, image.digest)
    await registry.door.registry.upkeep.scrub()
    registry.edit('update manifest_contents set bytes = ? where digest = ?', image.manifest, image.digest)
    expect(await registry.door.registry.upkeep.scrub()).toMatchObject({ corrupt: [], healed: 1 })
    expect(await status(registry, 'GET', '/v2/b/manifests/latest')).toBe(200)
  })

  it('in quarantine can be deleted', async () => {
    await using registry = await registryOnDisk()
    const { image } = await pushed(registry)
    await spoil(registry, image.digest)
    await registry.door.registry.upkeep.scrub()
    for (const repository of ['a', 'b']) {
      expect(await status(registry, 'DELETE', `/v2/${repository}/manifests/${image.digest}`)).toBe(202)
    }
    expect(await registry.examine({ deep: true })).toEqual([])
  })
})
