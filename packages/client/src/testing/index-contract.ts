import { mediaTypes, referrersTag } from '@stowage/oci'
import { expect, it } from 'vitest'
import { collect } from '../content/pages.ts'
import type { Source, Target } from '../content/ports.ts'
import { putSample, sampleImage, sampleIndex } from './sample-images.ts'

/** What places do that take more than single images: indexes, and what refers to other manifests. */
export const describeIndexes = (open: () => Promise<Target>, reopened: (target: Target) => Promise<Source>): void => {
  it('keeps indexes, and lists what belongs to them under no name of its own', async () => {
    await using target = await open()
    const child = sampleImage({ platform: { os: 'linux', architecture: 'arm64' } })
    const index = sampleIndex([child])
    await putSample(target, index)
    await using again = await reopened(target)
    expect(await again.resolve('')).toEqual(index.descriptor)
    expect(await again.resolve(child.descriptor.digest)).toEqual(child.descriptor)
    await expect(target.deleteManifest(child.descriptor.digest)).rejects.toMatchObject({ code: 'unsupported' })
    expect(await target.hasManifest(child.descriptor)).toBe(true)
  })

  it('finds referrers, of any kind and at any depth', async () => {
    await using target = await open()
    const image = sampleImage()
    const options = { subject: image.descriptor, artifactType: 'application/x.sbom', annotations: { a: 'b' } }
    const sbom = sampleImage({ layers: ['sbom'], ...options })
    const signature = sampleImage({ layers: ['sig'], subject: sbom.descriptor })
    const attached = sampleIndex([sampleImage({ layers: ['x'] })], image.descriptor)
    await putSample(target, image, 'v1')
    for (const referrer of [sbom, signature, attached]) await putSample(target, referrer)
    await using again = await reopened(target)
    for (const source of [target, again]) {
      expect(await collect(source.referrers(image.descriptor.digest))).toEqual([
        { ...sbom.descriptor, artifactType: 'application/x.sbom', annotations: { a: 'b' } },
        attached.descriptor,
      ])
      const filter = { artifactType: 'application/x.sbom' }
      expect(await collect(source.referrers(image.descriptor.digest, filter))).toHaveLength(1)
      expect(await collect(source.referrers(sbom.descriptor.digest))).toEqual([
        { ...signature.descriptor, artifactType: mediaTypes.ociImageConfig },
      ])
      expect(await source.resolve('')).toEqual(image.descriptor)
    }
    await target.deleteManifest(sbom.descriptor.digest)
    expect(await collect(target.referrers(image.descriptor.digest))).toEqual([attached.descriptor])
  })

  it('finds referrers that an index under a digest tag lists', async () => {
    await using target = await open()
    const image = sampleImage()
    const old = sampleImage({ layers: ['old'] })
    const other = sampleImage({ layers: ['other'], subject: old.descriptor })
    const missing = sampleImage({ layers: ['missing'] })
    await putSample(target, image, 'v1')
    await putSample(target, old)
    await putSample(target, other)
    const list = sampleIndex([old, other, missing])
    await target.putManifest(list.descriptor, list.bytes, { tags: [referrersTag(image.descriptor.digest)] })
    expect(await collect(target.referrers(image.descriptor.digest))).toEqual([old.descriptor])
    expect(await target.resolve('')).toEqual(image.descriptor)
    await target.deleteManifest(old.descriptor.digest)
    expect(await collect(target.referrers(image.descriptor.digest))).toEqual([])
  })

  it('keeps what has a subject listed when its tag moves', async () => {
    await using target = await open()
    const image = sampleImage()
    const referrer = sampleImage({ layers: ['r'], subject: image.descriptor })
    await putSample(target, image, 'v1')
    await putSample(target, referrer, 'extra')
    await putSample(target, sampleImage({ layers: ['2'] }), 'extra')
    expect(await collect(target.referrers(image.descriptor.digest))).toHaveLength(1)
  })
}
