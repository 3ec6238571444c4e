import { describe, expect, it } from 'vitest'
import { createMemoryTarget } from '../memory/memory-target.ts'
import { places } from '../testing/places.ts'
import { putSample, type SampleManifest, sampleImage, sampleIndex } from '../testing/sample-images.ts'
import { usage } from './usage.ts'

const forPlatform = (architecture: string, ...layers: string[]): SampleManifest => {
  const platform = { os: 'linux', architecture }
  const image = sampleImage({ layers, platform })
  return { ...image, descriptor: { ...image.descriptor, platform } }
}

const bytesOf = (...manifests: SampleManifest[]): number => {
  const parts = manifests.flatMap((manifest) => [manifest, ...manifest.blobs])
  const byDigest = new Map(parts.map(({ descriptor: { digest, size } }) => [digest, size]))
  return [...byDigest.values()].reduce((sum, size) => sum + size, 0)
}

describe.each(places)('usage in $name', ({ open }) => {
  it('counts what images share once, and says what is theirs alone', async () => {
    await using place = await open()
    const base = 'base'.repeat(100)
    const [one, two] = [sampleImage({ layers: [base, 'one'] }), sampleImage({ layers: [base, 'second'] })]
    await putSample(place.target, one, 'one', 'same')
    await putSample(place.target, two, 'two')
    await place.target.finish()
    const request = (reference: string) => ({ source: place.target, reference })

    const alone = await usage([request('one')])
    expect(alone).toMatchObject({ total: bytesOf(one), apparent: bytesOf(one), manifests: 1, blobs: 3 })
    expect(alone.images).toMatchObject([
      { name: 'one', bytes: bytesOf(one), unique: bytesOf(one), shared: 0, missing: [] },
    ])

    const both = await usage([request('one'), request('two')])
    expect(both).toMatchObject({
      total: bytesOf(one, two),
      apparent: bytesOf(one) + bytesOf(two),
      manifests: 2,
      blobs: 5,
    })
    expect(both.images.map(({ shared, bytes, unique }) => [shared, bytes - unique])).toEqual([
      [400, 400],
      [400, 400],
    ])

    const three = await usage([request('one'), request('same'), { ...request('two'), name: 'other' }])
    expect(three.images.map(({ name, unique }) => [name, unique])).toEqual([
      ['one', 0],
      ['same', 0],
      ['other', bytesOf(two) - 400],
    ])
    expect(three.total).toBe(both.total)
  })
})

describe('usage', () => {
  it('says of the platforms of an index what each has', async () => {
    const target = createMemoryTarget()
    const [amd64, arm64] = [forPlatform('amd64', 'both', 'amd'), forPlatform('arm64', 'both', 'arm!')]
    const index = sampleIndex([amd64, arm64])
    await putSample(target, index, 'v1')
    const { images, total } = await usage([{ source: target, reference: 'v1' }])
    expect(total).toBe(bytesOf(index, amd64, arm64))
    expect(images[0]?.platforms.map(({ platform, bytes, shared }) => [platform, bytes, shared])).toEqual([
      ['linux/amd64', bytesOf(amd64), 4],
      ['linux/arm64', bytesOf(arm64), 4],
    ])
    const platforms = [{ os: 'linux', architecture: 'arm64' }]
    const chosen = await usage([{ source: target, reference: 'v1' }], { platforms })
    expect(chosen.total).toBe(bytesOf(index, arm64))
  })

  it('tells what an index names and has not, and throws when there is nothing', async () => {
    const target = createMemoryTarget()
    const [here, gone] = [sampleImage({ layers: ['here'] }), sampleImage({ layers: ['gone'] })]
    const index = sampleIndex([here, gone])
    await putSample(target, here)
    await target.putManifest(index.descriptor, index.bytes, { tags: ['v1'] })
    const { images, total } = await usage([{ source: target, reference: 'v1' }])
    expect(images[0]?.missing).toEqual([gone.descriptor])
    expect(total).toBe(bytesOf(index, here))
    await expect(usage([{ source: target, reference: 'none' }])).rejects.toMatchObject({ code: 'not-found' })
  })
})
