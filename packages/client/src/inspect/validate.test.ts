import { gzipSync, zstdCompressSync } from 'node:zlib'
import { createTestRegistry } from '@stowage/testkit'
import { mediaTypes } from '@stowage/oci'
import { appendFile, cp, rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createClient } from '../client.ts'
import { bytesContent } from '../content/content.ts'
import { collect } from '../content/pages.ts'
import type { Source, Target } from '../content/ports.ts'
import { createMemoryTarget } from '../memory/memory-target.ts'
import { openLayout } from '../node/layout/open-layout.ts'
import { places } from '../testing/places.ts'
import {
  putSample,
  type Sample,
  sample,
  type SampleManifest,
  sampleImage,
  sampleIndex,
} from '../testing/sample-images.ts'
import { temporaryDirectory } from '../testing/temporary-directory.ts'
import type { Finding } from './finding.ts'
import { validate, type ValidateOptions } from './validate.ts'

const check = async (source: Source, reference = 'v1', options: ValidateOptions = {}): Promise<Finding[]> =>
  collect(validate(source, reference, options))

/** What is not good. */
const wrong = (findings: readonly Finding[]): string[] =>
  findings.flatMap((finding) =>
    finding.severity === 'ok' ? [] : [`${finding.severity} ${finding.code} ${finding.where}`],
  )

/** An image with real layers: the config says what is inside. */
const realImage = (
  layers: readonly { readonly type: string; readonly inside: string; readonly bytes: Uint8Array }[],
  { diffIds = layers.map(({ inside }) => sample('', inside).descriptor.digest), architecture = 'amd64' } = {},
): SampleManifest => {
  const rootfs = { type: 'layers', diff_ids: diffIds }
  const config = sample(mediaTypes.ociImageConfig, JSON.stringify({ os: 'linux', architecture, rootfs }))
  const parts = layers.map(({ type, bytes }) => sample(type, bytes))
  const manifest = sample(
    mediaTypes.ociImageManifest,
    JSON.stringify({
      schemaVersion: 2,
      mediaType: mediaTypes.ociImageManifest,
      config: config.descriptor,
      layers: parts.map(({ descriptor }) => descriptor),
    }),
  )
  return { ...manifest, blobs: [config, ...parts], manifests: [] }
}

const gzip = (inside: string) => ({ type: mediaTypes.ociLayerGzip, inside, bytes: gzipSync(inside) })
const zstd = (inside: string) => ({ type: mediaTypes.ociLayerZstd, inside, bytes: zstdCompressSync(inside) })
const plain = (inside: string) => ({ type: mediaTypes.ociLayer, inside, bytes: Buffer.from(inside) })

describe.each(places)('validate in $name', ({ open }) => {
  it('finds nothing wrong with what is right, and names every part once', async () => {
    await using place = await open()
    const amd64 = realImage([gzip('one'), zstd('two'), plain('three')])
    const arm64 = realImage([gzip('one')], { architecture: 'arm64' })
    await putSample(place.target, sampleIndex([amd64, arm64]), 'v1')
    await place.target.finish()
    for (const fast of [false, true]) {
      const findings = await check(place.target, 'v1', { fast })
      expect(wrong(findings)).toEqual([])
      expect(findings.map(({ role }) => role).toSorted()).toEqual(
        'config config layer layer layer manifest manifest manifest'.split(' '),
      )
    }
  })

  it('holds layers against the config', async () => {
    await using place = await open()
    const other = sample('', 'other').descriptor.digest
    const one = sample('', 'one').descriptor.digest
    await putSample(place.target, realImage([gzip('one'), gzip('two')], { diffIds: [one, other] }), 'other')
    await putSample(place.target, realImage([gzip('one'), gzip('two')], { diffIds: [one] }), 'few')
    const broken = { ...gzip('one'), bytes: gzipSync('one').subarray(0, 12) }
    await putSample(place.target, realImage([broken]), 'broken')
    await place.target.finish()
    expect(wrong(await check(place.target, 'other'))).toEqual(['problem inconsistent layers[1]'])
    expect(wrong(await check(place.target, 'other', { fast: true }))).toEqual([])
    expect(wrong(await check(place.target, 'few'))).toEqual(['problem inconsistent config'])
    expect(wrong(await check(place.target, 'broken'))).toEqual(['problem invalid layers[0]'])
  })

  it('notes a subject that is not there, and reads artifacts as they are', async () => {
    await using place = await open()
    const subject = sampleImage({ layers: ['gone'] })
    const referrer = sampleImage({
      layers: ['x'],
      artifactType: 'application/vnd.example',
      subject: subject.descriptor,
    })
    await putSample(place.target, referrer, 'v1')
    await place.target.finish()
    expect(wrong(await check(place.target))).toEqual(['note missing subject'])
    await putSample(place.target, subject, 'v0')
    expect(wrong(await check(place.target))).toEqual([])
  })

  it('throws when there is no such reference', async () => {
    await using place = await open()
    await expect(check(place.target, 'none')).rejects.toMatchObject({ code: 'not-found' })
  })
})

describe('validate', () => {
  it('finds what is missing, cut short and altered in a layout', async () => {
    await using directory = await temporaryDirectory()
    const made = await openLayout(join(directory.path, 'good'), { create: true })
    const image = realImage([gzip('one'), gzip('two'), gzip('three')])
    const index = sampleIndex([image, sampleImage({ layers: ['other'] })])
    await putSample(made, index, 'v1')
    await made.finish()
    const [, first, second, third] = image.blobs.map(({ descriptor }) => `blobs/${descriptor.digest.replace(':', '/')}`)
    const harm: [string, (path: string) => Promise<void>, string[], string[]][] = [
      [
        first ?? '',
        async (path) => rm(path),
        ['problem missing manifests[0] layers[0]'],
        ['problem missing manifests[0] layers[0]'],
      ],
      [
        second ?? '',
        async (path) => truncate(path, 5),
        ['problem damaged manifests[0] layers[1]'],
        ['problem missing manifests[0] layers[1]'],
      ],
      [
        third ?? '',
        async (path) => appendFile(path, 'x'),
        ['problem damaged manifests[0] layers[2]'],
        ['problem missing manifests[0] layers[2]'],
      ],
      [third ?? '', async (path) => writeFile(path, gzipSync('thr33')), ['problem damaged manifests[0] layers[2]'], []],
    ]
    for (const [file, spoil, expected, fast] of harm) {
      await rm(join(directory.path, 'bad'), { recursive: true, force: true })
      await cp(join(directory.path, 'good'), join(directory.path, 'bad'), { recursive: true })
      await spoil(join(directory.path, 'bad', file))
      const layout = await openLayout(join(directory.path, 'bad'))
      expect(wrong(await check(layout))).toEqual(expected)
      expect(wrong(await check(layout, 'v1', { fast: true }))).toEqual(fast)
    }
  })

  it('goes on below an index of which a child is missing or damaged', async () => {
    await using directory = await temporaryDirectory()
    const target = await openLayout(directory.path, { create: true })
    const images = ['one', 'two', 'three'].map((layer) => sampleImage({ layers: [layer] }))
    await putSample(target, sampleIndex(images), 'v1')
    const path = ({ descriptor }: SampleManifest): string =>
      join(directory.path, 'blobs', descriptor.digest.replace(':', '/'))
    const [one, two] = images as [SampleManifest, SampleManifest]
    await rm(path(one))
    await writeFile(path(two), '{}')
    const findings = await check(await openLayout(directory.path))
    expect(wrong(findings).toSorted()).toEqual(['problem damaged manifests[1]', 'problem missing manifests[0]'])
    expect(findings.filter(({ role, severity }) => role === 'layer' && severity === 'ok')).toHaveLength(1)
  })

  it('finds a blob that a registry has lost, and only what was asked for of an index', async () => {
    await using registry = await createTestRegistry({ manifests: { allowMissingBlobs: true } })
    await using client = createClient({ hosts: { [registry.host]: { plainHttp: true } } })
    const target = client.repository(`${registry.host}/app`)
    const children = ['amd64', 'arm64'].map((architecture) => {
      const platform = { os: 'linux', architecture }
      const image = sampleImage({ layers: [architecture], platform })
      return { ...image, descriptor: { ...image.descriptor, platform } }
    })
    const index = sampleIndex(children)
    const [amd64, arm64] = children as [SampleManifest, SampleManifest]
    await putSample(target, amd64)
    const config = arm64.blobs[0] as Sample
    await target.putBlob(config.descriptor, bytesContent(config.bytes))
    await target.putManifest(arm64.descriptor, arm64.bytes)
    await target.putManifest(index.descriptor, index.bytes, { tags: ['v1'] })
    for (const fast of [true, false]) {
      expect(wrong(await check(target, 'v1', { fast }))).toEqual(['problem missing linux/arm64 layers[0]'])
      const platforms = [{ os: 'linux', architecture: 'amd64' }]
      expect(wrong(await check(target, 'v1', { fast, platforms }))).toEqual([])
    }
    const none = check(target, 'v1', { platforms: [{ os: 'plan9', architecture: 'amd64' }] })
    await expect(none).rejects.toMatchObject({ code: 'not-found' })
  })

  it('tells of a config that is none, a platform that is another, and data that is not the blob', async () => {
    const target = createMemoryTarget()
    const config = sample(mediaTypes.ociImageConfig, '{"os":"linux"}')
    const layer = sample(mediaTypes.ociLayer, 'layer')
    const data = Buffer.from('other').toString('base64')
    const value = {
      schemaVersion: 2,
      mediaType: mediaTypes.ociImageManifest,
      config: config.descriptor,
      layers: [{ ...layer.descriptor, data }],
    }
    const manifest = sample(mediaTypes.ociImageManifest, JSON.stringify(value))
    await putSample(target, { ...manifest, blobs: [config, layer], manifests: [] }, 'config')
    expect(wrong(await check(target, 'config'))).toEqual(['problem invalid config', 'problem inconsistent layers[0]'])

    const arm = sampleImage()
    const platform = { os: 'linux', architecture: 'arm64' }
    await putSample(target, sampleIndex([{ ...arm, descriptor: { ...arm.descriptor, platform } }]), 'platform')
    expect(wrong(await check(target, 'platform'))).toEqual(['note inconsistent linux/arm64 config'])
  })

  it('lets a layer be elsewhere that may not be distributed', async () => {
    const target = createMemoryTarget()
    const inside = sample(mediaTypes.ociLayerNonDistributable, 'foreign')
    const image = realImage([{ type: mediaTypes.ociLayerNonDistributable, inside: 'foreign', bytes: inside.bytes }])
    const text = new TextDecoder()
      .decode(image.bytes)
      .replace('"size":7}', '"size":7,"urls":["https://example.com/x"]}')
    const manifest = sample(mediaTypes.ociImageManifest, text)
    await putSample(target, { ...manifest, blobs: image.blobs.slice(0, 1), manifests: [] }, 'v1')
    expect(wrong(await check(target))).toEqual(['note missing layers[0]'])
  })

  it('does not go on when nobody listens any more', async () => {
    const target = createMemoryTarget()
    await putSample(target, sampleImage({ layers: ['a', 'b'] }), 'v1')
    let reads = 0
    const counting: Target = { ...target, getBlob: (...args) => (reads++, target.getBlob(...args)) }
    for await (const finding of validate(counting, 'v1')) if (finding.role === 'manifest') break
    expect(reads).toBe(0)
    await expect(check(target, 'v1', { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'aborted' })
  })
})
