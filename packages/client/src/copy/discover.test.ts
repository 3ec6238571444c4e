import { mediaTypes, referrersTag } from '@stowage/oci'
import { createTestRegistry } from '@stowage/testkit'
import { describe, expect, it } from 'vitest'
import { createClient } from '../client.ts'
import { createMemoryTarget } from '../memory/memory-target.ts'
import { places } from '../testing/places.ts'
import { putSample, sample, type SampleManifest, sampleImage, sampleIndex } from '../testing/sample-images.ts'
import { discover, type ReferrerTree } from './discover.ts'

const about = ({ descriptor }: SampleManifest, type: string): SampleManifest =>
  sampleImage({
    layers: [type],
    subject: descriptor,
    artifactType: `application/vnd.example.${type}`,
    annotations: { type },
  })

/** Types only. */
const shape = ({ descriptor, referrers, children }: ReferrerTree): unknown => {
  const name = descriptor.artifactType?.replace(/.*\./, '') ?? 'image'
  const below = [...referrers.map(shape), ...(children ?? []).map(shape)]
  return below.length === 0 ? name : { [name]: below }
}

describe.each(places)('discover in $name', ({ open }) => {
  it('finds what refers to an image, and what refers to that', async () => {
    await using place = await open()
    const image = sampleImage()
    const sbom = about(image, 'sbom')
    const signature = about(sbom, 'signature')
    for (const manifest of [image, sbom, signature]) await putSample(place.target, manifest)
    const all = await discover(place.target, image.descriptor.digest)
    expect(shape(all)).toEqual({ image: [{ sbom: ['signature'] }] })
    expect(all.referrers[0]?.descriptor).toEqual({
      ...sbom.descriptor,
      artifactType: 'application/vnd.example.sbom',
      annotations: { type: 'sbom' },
    })
    expect(JSON.parse(JSON.stringify(all))).toEqual(all)
    expect(shape(await discover(place.target, image.descriptor.digest, { depth: 1 }))).toEqual({ image: ['sbom'] })
    expect(shape(await discover(place.target, image.descriptor.digest, { depth: 0 }))).toBe('image')
    const chosen = { artifactType: 'application/vnd.example.sbom' }
    expect(shape(await discover(place.target, image.descriptor.digest, chosen))).toEqual({
      image: [{ sbom: ['signature'] }],
    })
    const none = { artifactType: 'application/vnd.example.other' }
    expect(shape(await discover(place.target, image.descriptor.digest, none))).toBe('image')
  })
})

describe('discover', () => {
  it('looks at the manifests of an index when asked to', async () => {
    const target = createMemoryTarget()
    const [one, two] = [sampleImage({ layers: ['1'] }), sampleImage({ layers: ['2'] })]
    const index = sampleIndex([one, two])
    for (const manifest of [index, about(index, 'index'), about(two, 'sbom')]) await putSample(target, manifest)
    expect(shape(await discover(target, index.descriptor.digest))).toEqual({ image: ['index'] })
    const tree = await discover(target, index.descriptor.digest, { children: true })
    expect(shape(tree)).toEqual({ image: ['index', 'image', { image: ['sbom'] }] })
    expect(tree.children?.map(({ descriptor }) => descriptor.digest)).toEqual([
      one.descriptor.digest,
      two.descriptor.digest,
    ])
  })

  it('passes over what a list names that refers to something else, and shows what it cannot read', async () => {
    await using registry = await createTestRegistry()
    await using client = createClient({ hosts: { [registry.host]: { plainHttp: true, referrers: 'tag' } } })
    const target = client.repository(`${registry.host}/app`)
    const image = sampleImage()
    const [sbom, stranger] = [about(image, 'sbom'), sampleImage({ layers: ['stranger'] })]
    const gone = sample(mediaTypes.ociImageManifest, '{}').descriptor
    for (const manifest of [image, sbom, stranger]) await putSample(target, manifest)
    const list = sample(
      mediaTypes.ociImageIndex,
      JSON.stringify({
        schemaVersion: 2,
        mediaType: mediaTypes.ociImageIndex,
        // Without the types that belong there.
        manifests: [
          sbom.descriptor,
          stranger.descriptor,
          { ...gone, artifactType: 'application/vnd.example.gone' },
          image.descriptor,
        ],
      }),
    )
    const tag = referrersTag(image.descriptor.digest)
    await target.putManifest(list.descriptor, list.bytes, { tags: [tag] })
    expect(shape(await discover(target, image.descriptor.digest))).toEqual({ image: ['sbom', 'gone'] })
  })
})
