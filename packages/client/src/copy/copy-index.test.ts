import { createTestRegistry } from '@stowage/testkit'
import { digestOf, mediaTypes } from '@stowage/oci'
import { describe, expect, it } from 'vitest'
import { createClient } from '../client.ts'
import { defaultHash } from '../hash.ts'
import { createMemoryTarget } from '../memory/memory-target.ts'
import { platformIndex } from '../testing/contract/contract.ts'
import { startRig } from '../testing/misbehaving.ts'
import { putSample, sample, sampleImage, type SampleManifest } from '../testing/sample-images.ts'
import { copy } from './copy.ts'
import { createTargetKnowledge } from './knowledge.ts'

const sourceWith = async (manifest: SampleManifest) => {
  const source = createMemoryTarget('from')
  await putSample(source, manifest, 'v1')
  return { source, reference: 'v1' }
}

describe('an index', () => {
  it.each(['v1', 'v2'])('that is there sparse is made whole by a copy of all of it to %s', async (tag) => {
    await using rig = await startRig({ host: { concurrency: 4 } })
    const { index, images } = platformIndex('linux/amd64', 'linux/arm64')
    const from = await sourceWith(index)
    const target = rig.repository
    const sparse = { platforms: ['linux/amd64'], index: 'sparse' } as const
    await copy(from, { target, tags: ['v1'] }, sparse).result
    rig.server.forget()
    const result = await copy(from, { target, tags: [tag] }).result
    expect(result.manifests).toEqual(tag === 'v1' ? { copied: 1, existing: 2 } : { copied: 2, existing: 1 })
    for (const { descriptor } of images) expect(await target.hasManifest(descriptor)).toBe(true)
  })

  it('is made whole however deep the hole is', async () => {
    const { index, images } = platformIndex('linux/amd64', 'linux/arm64')
    const root: SampleManifest = {
      ...sample(
        mediaTypes.ociImageIndex,
        JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociImageIndex, manifests: [index.descriptor] }),
      ),
      blobs: [],
      manifests: [index],
    }
    const from = await sourceWith(root)
    const target = createMemoryTarget('to')
    await putSample(target, { ...root, manifests: [{ ...index, manifests: images.slice(1) }] }, 'v1')
    expect((await copy(from, { target, tags: ['v1'] }).result).manifests).toEqual({ copied: 1, existing: 3 })
  })

  it('that is kept sparse is not taken for whole by the next copy that shares its knowledge', async () => {
    const { index, images } = platformIndex('linux/amd64', 'linux/arm64')
    const from = await sourceWith(index)
    const target = createMemoryTarget('to')
    const knowledge = createTargetKnowledge()
    const to = { target, tags: ['v1'] }
    await copy(from, to, { platforms: ['linux/amd64'], index: 'sparse', knowledge }).result
    expect(knowledge.manifests).toEqual(new Set([images[0]?.descriptor.digest]))
    await copy(from, to, { knowledge }).result
    expect(knowledge.manifests.has(index.descriptor.digest)).toBe(true)
    for (const { descriptor } of images) expect(await target.hasManifest(descriptor)).toBe(true)
  })

  it('that is there and whole is not put again, and its children are asked for once', async () => {
    await using rig = await startRig({ host: { concurrency: 4 } })
    const { index } = platformIndex('linux/amd64', 'linux/arm64')
    const from = await sourceWith(index)
    const knowledge = createTargetKnowledge()
    const to = { target: rig.repository, tags: ['v1'] }
    await copy(from, to).result
    rig.server.forget()
    for (let time = 0; time < 3; time++) {
      expect((await copy(from, to, { knowledge }).result).manifests.copied).toBe(0)
    }
    expect(rig.server.requests.map(({ method }) => method)).toEqual(Array.from({ length: 5 }, () => 'HEAD'))
  })

  it('is kept as it is when only some of it is wanted and that is said', async () => {
    const { index } = platformIndex('linux/amd64', 'linux/arm64')
    const from = await sourceWith(index)
    const to = createMemoryTarget('to')
    const platforms = ['linux/arm64']
    const sparse = await copy(from, { target: to, tags: ['s'] }, { platforms, index: 'sparse' }).result
    expect(sparse.root).toEqual(index.descriptor)
    expect(sparse.manifests.copied).toBe(2)
    const rewritten = await copy(from, { target: to, tags: ['r'] }, { platforms, index: 'rewrite' }).result
    expect(rewritten.root.digest).not.toBe(index.descriptor.digest)
  })

  it('that is there has its children looked at for referrers, and is not put again', async () => {
    await using rig = await startRig()
    const { index } = platformIndex('linux/amd64', 'linux/arm64')
    const from = await sourceWith(index)
    const to = { target: rig.repository, tags: ['v1'] }
    await copy(from, to).result
    const [child] = index.manifests
    if (child === undefined) throw new Error('no child')
    const signature = sampleImage({ subject: child.descriptor, layers: ['sig'] })
    await putSample(from.source, signature)
    rig.server.forget()
    const result = await copy(from, to, { referrers: true }).result
    expect(result).toMatchObject({ manifests: { copied: 1, existing: 3 }, referrers: 1 })
    expect(rig.server.seen({ method: 'PUT', path: /manifests/ })).toHaveLength(1)
  })

  it('of which one platform is wanted gives its image, and no attestation that stands before it', async () => {
    const image = sampleImage({ layers: ['a'] })
    const attestation = sampleImage({ layers: ['about a'] })
    const about = { 'vnd.docker.reference.digest': image.descriptor.digest }
    const manifests = [
      { ...attestation.descriptor, platform: { os: 'unknown', architecture: 'unknown' }, annotations: about },
      { ...image.descriptor, platform: { os: 'linux', architecture: 'amd64' } },
    ]
    const value = { schemaVersion: 2, mediaType: mediaTypes.ociImageIndex, manifests }
    const bytes = sample(mediaTypes.ociImageIndex, JSON.stringify(value))
    const from = await sourceWith({ ...bytes, blobs: [], manifests: [attestation, image] })
    const target = createMemoryTarget('to')
    const one = await copy(from, { target, tags: ['one'] }, { platforms: ['linux/amd64'] }).result
    expect(one.root.digest).toBe(image.descriptor.digest)
    expect(await target.hasManifest(attestation.descriptor)).toBe(false)
    await copy(from, { target, tags: ['kept'] }, { platforms: ['linux/amd64'], index: 'rewrite' }).result
    expect(await target.hasManifest(attestation.descriptor)).toBe(true)
  })
})

describe('a target with a mirror', () => {
  it('is asked itself whether it has a tag', async () => {
    await using mirror = await createTestRegistry()
    await using registry = await createTestRegistry()
    const plain = { plainHttp: true }
    await using client = createClient({
      hosts: { [mirror.host]: plain, [registry.host]: { plainHttp: true, mirrors: [mirror.host] } },
    })
    await using direct = createClient({ hosts: { [registry.host]: plain } })
    const [old, moved] = [sampleImage({ layers: ['old'] }), sampleImage({ layers: ['moved'] })]
    await putSample(client.repository(`${mirror.host}/app`), old, 'v1')
    await putSample(direct.repository(`${registry.host}/app`), moved, 'v1')
    const target = client.repository(`${registry.host}/app`)
    // The mirror says that v1 is what is wanted.
    const result = await copy(await sourceWith(old), { target, tags: ['v1'] }).result
    expect(result.manifests).toEqual({ copied: 1, existing: 0 })
    expect((await direct.resolve(`${registry.host}/app:v1`)).digest).toBe(old.descriptor.digest)
  })
})

it('tags made of a digest are found for every algorithm', async () => {
  const source = createMemoryTarget('from')
  const image = sampleImage()
  const sha384 = digestOf(image.bytes, defaultHash, 'sha384')
  await putSample(source, { ...image, descriptor: { ...image.descriptor, digest: sha384 } }, 'v1')
  const signature = sampleImage({ layers: ['signature'] })
  const tags = [`${sha384.replace(':', '-')}.sig`, `${sha384.replace(':', '-').slice(0, 71)}.att`]
  await putSample(source, signature, ...tags)
  const target = createMemoryTarget('to')
  await copy({ source, reference: 'v1' }, { target, tags: ['v1'] }, { digestTags: true }).result
  for (const tag of tags) expect((await target.resolve(tag)).digest).toBe(signature.descriptor.digest)
})
