import { mediaTypes, parseManifest } from '@stowage/oci'
import { describe, expect, it } from 'vitest'
import { bytesContent } from '../content/content.ts'
import { collect } from '../content/pages.ts'
import { readAll } from '../content/verify.ts'
import { createMemoryTarget } from '../memory/memory-target.ts'
import { places } from '../testing/places.ts'
import { putSample, sampleImage, sampleIndex } from '../testing/sample-images.ts'
import { packArtifact } from './pack-artifact.ts'
import { pullArtifact, type PulledFile } from './pull-artifact.ts'
import { attach, pushArtifact } from './push-artifact.ts'

const artifactType = 'application/vnd.example.report.v1'

const textOf = async ({ open }: PulledFile): Promise<string> =>
  new TextDecoder().decode(await readAll(open(), 1e6, 'file'))

describe.each(places)('an artifact in $name', ({ open }) => {
  it('is pulled as it was pushed', async () => {
    await using place = await open()
    const job = pushArtifact(place.target, {
      artifactType,
      files: [
        { title: 'a.txt', content: 'one', mediaType: 'text/plain', annotations: { 'com.example.a': 'b' } },
        { title: 'sub/b.json', content: new Blob(['{"b":1}']) },
        { content: new TextEncoder().encode('no title') },
      ],
      annotations: { 'com.example.made': 'here' },
      tags: ['v1'],
    })
    const events = await collect(job)
    const { root } = await job.result
    await place.target.finish()
    expect(events.filter(({ type }) => type === 'done')).toHaveLength(5)
    const pulled = await pullArtifact(place.target, 'v1')
    expect(pulled).toMatchObject({
      descriptor: { digest: root.digest },
      artifactType,
      annotations: { 'com.example.made': 'here' },
    })
    expect(pulled.files.map(({ title, descriptor: { mediaType } }) => [title, mediaType])).toEqual([
      ['a.txt', 'text/plain'],
      ['sub/b.json', mediaTypes.ociLayer],
      [undefined, mediaTypes.ociLayer],
    ])
    expect(await Promise.all(pulled.files.map(textOf))).toEqual(['one', '{"b":1}', 'no title'])
    expect(pulled.files[0]?.descriptor.annotations).toMatchObject({ 'com.example.a': 'b' })
  })

  it('is found by what it is attached to, and sent once', async () => {
    await using place = await open()
    const image = sampleImage()
    await putSample(place.target, image, 'app')
    const options = { artifactType, files: [{ title: 'sbom.json', content: '{"sbom":1}' }], annotations: { a: 'b' } }
    const { root } = await attach(place.target, image.descriptor, options).result
    const again = await attach(place.target, image.descriptor, options).result
    expect(again.root).toEqual(root)
    expect(again).toMatchObject({ manifests: { copied: 0, existing: 1 }, bytes: 0 })
    expect(await collect(place.target.referrers(image.descriptor.digest))).toEqual([
      { ...root, artifactType, annotations: { a: 'b' } },
    ])
  })

  it('of nothing but annotations has the empty layer, which is no file', async () => {
    await using place = await open()
    await pushArtifact(place.target, { artifactType, annotations: { a: 'b' }, tags: ['v1'] }).result
    const { files, manifest } = await pullArtifact(place.target, 'v1')
    expect(files).toEqual([])
    expect(manifest).toMatchObject({ layers: [{ mediaType: mediaTypes.ociEmpty, size: 2, data: 'e30=' }] })
  })
})

describe('packArtifact', () => {
  it('makes the same bytes of the same input, in the order that oras writes them', async () => {
    const pack = async (annotations: Record<string, string>) =>
      packArtifact({ artifactType, files: [{ title: 'a', content: 'x', annotations }], annotations })
    const one = await pack({ b: '2', a: '1' })
    expect((await pack({ a: '1', b: '2' })).descriptor).toEqual(one.descriptor)
    expect(new TextDecoder().decode(one.bytes)).toBe(
      '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","artifactType":"application/vnd.example.report.v1",' +
        '"config":{"mediaType":"application/vnd.oci.empty.v1+json","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2,"data":"e30="},' +
        '"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":"sha256:2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881","size":1,' +
        '"annotations":{"a":"1","b":"2","org.opencontainers.image.title":"a"}}],"annotations":{"a":"1","b":"2"}}',
    )
  })

  it('names the subject by what it is alone', async () => {
    const { descriptor } = sampleImage({ platform: { os: 'linux', architecture: 'arm64' } })
    const subject = { ...descriptor, platform: { os: 'linux', architecture: 'arm64' }, annotations: { a: 'b' } }
    const { bytes } = await packArtifact({ artifactType, subject })
    expect(parseManifest(bytes).subject).toEqual(descriptor)
  })

  it('takes a config in place of an artifact type', async () => {
    const config = { content: '{"a":1}', mediaType: 'application/vnd.example.config.v1+json', annotations: { a: 'b' } }
    const { bytes } = await packArtifact({ config })
    const manifest = parseManifest(bytes)
    expect(manifest).toMatchObject({
      kind: 'image',
      config: { mediaType: config.mediaType, size: 7, annotations: { a: 'b' } },
    })
    expect(manifest.artifactType).toBeUndefined()
  })

  it.each([
    ['no type', {}],
    ['an empty config without type', { config: { content: '{}', mediaType: mediaTypes.ociEmpty } }],
    ['a type that is no media type', { artifactType: 'report' }],
    ['a layer type that is none', { artifactType, files: [{ content: 'x', mediaType: 'text' }] }],
    [
      'two files of one title',
      {
        artifactType,
        files: [
          { title: 'a', content: 'x' },
          { title: 'a', content: 'y' },
        ],
      },
    ],
    ['an empty title', { artifactType, files: [{ title: '', content: 'x' }] }],
  ])('refuses %s', async (_, options) => {
    await expect(packArtifact(options)).rejects.toMatchObject({ code: 'usage' })
  })

  it('does not push a file that was changed since it was hashed', async () => {
    let reads = 0
    const content = {
      size: 1,
      async *open() {
        yield new TextEncoder().encode(String(reads++))
      },
    }
    const target = createMemoryTarget()
    const job = pushArtifact(target, { artifactType, files: [{ title: 'a.txt', content }], tags: ['v1'] })
    await expect(job.result).rejects.toMatchObject({
      code: 'digest-mismatch',
      message: expect.stringContaining('a.txt') as unknown,
    })
    await expect(target.resolve('v1')).rejects.toMatchObject({ code: 'not-found' })
  })

  it('stops when told to', async () => {
    const files = [{ content: bytesContent(new Uint8Array(10)) }]
    await expect(packArtifact({ artifactType, files }, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'aborted',
    })
  })
})

describe('pullArtifact', () => {
  it('takes the manifest for a platform, or the only one', async () => {
    const target = createMemoryTarget()
    const images = ['amd64', 'arm64'].map((architecture) => {
      const platform = { os: 'linux', architecture }
      const image = sampleImage({ layers: [architecture], platform })
      return { ...image, descriptor: { ...image.descriptor, platform } }
    })
    await putSample(target, sampleIndex(images), 'several')
    await putSample(target, sampleIndex(images.slice(0, 1)), 'single')
    const several = pullArtifact(target, 'several')
    await expect(several).rejects.toMatchObject({
      code: 'usage',
      hint: expect.stringContaining('linux/amd64, linux/arm64') as unknown,
    })
    const chosen = await pullArtifact(target, 'several', { platform: { os: 'linux', architecture: 'arm64' } })
    expect(chosen.descriptor.digest).toBe(images[1]?.descriptor.digest)
    expect((await pullArtifact(target, 'single')).descriptor.digest).toBe(images[0]?.descriptor.digest)
  })
})
