import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { gzipSync } from 'node:zlib'
import { type Digest, digestOf, mediaTypes } from '@stowage/oci'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { collect } from '../../content/pages.ts'
import type { Source } from '../../content/ports.ts'
import { defaultHash } from '../../hash.ts'
import { putSample, sample, sampleImage, sampleIndex } from '../../testing/sample-images.ts'
import { legacyDockerArchive } from '../../testing/legacy-docker-archive.ts'
import { sampleTar } from '../../testing/sample-tar.ts'
import { describeTarget } from '../../testing/target-contract.ts'
import { blobPath } from './archive-blobs.ts'
import { openDockerArchive } from './docker-archive.ts'
import { openOciArchive } from './oci-archive.ts'
import { openArchive } from './open-archive.ts'

let base: string
let path: string

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'stowage-docker-archive-'))
  path = join(base, 'x.tar')
})

afterEach(() => rmSync(base, { recursive: true }))

describeTarget('an archive of Docker', {
  open: () => openDockerArchive(path, { create: true }),
  reopen: () => openDockerArchive(path),
  name: (tag) => `acme/app:${tag}`,
  takesAll: false,
})

const create = () => openDockerArchive(path, { create: true })
const hash = (bytes: string | Uint8Array): Digest => digestOf(Buffer.from(bytes), defaultHash)
const manifestJson = async (): Promise<unknown> => {
  await using archive = await openArchive({ path, input: Readable.from([]), links: true })
  return JSON.parse(Buffer.from((await archive?.readSmall('manifest.json', 1e6)) ?? []).toString())
}
const read = async (source: Source, digest: Digest, size: number): Promise<Buffer> =>
  Buffer.concat(await collect(source.getBlob({ mediaType: 'a/b', digest, size })))

it('writes what docker load reads, which is an image layout as well', async () => {
  const image = sampleImage({ layers: ['one', 'two'] })
  await using target = await create()
  await putSample(target, image, 'app:v1', 'ghcr.io/acme/app:v2')
  await target.finish()
  const [config, ...layers] = image.blobs.map(({ descriptor }) => blobPath(descriptor.digest))
  expect(await manifestJson()).toEqual([
    { Config: config, RepoTags: ['app:v1', 'ghcr.io/acme/app:v2'], Layers: layers },
  ])
  await using layout = await openOciArchive(path)
  expect(await layout.resolve('ghcr.io/acme/app:v2')).toEqual(image.descriptor)
  expect(await collect(layout.tags())).toEqual(['v1', 'v2'])
})

it('keeps the bytes of layers and manifests', async () => {
  const packed = gzipSync('layer')
  const image = sampleImage({ layers: [packed], layerType: mediaTypes.ociLayerGzip, annotations: { a: 'b' } })
  await using target = await create()
  await putSample(target, image, 'app:v1')
  await target.finish()
  await using source = await openDockerArchive(path)
  expect(await source.resolve('v1')).toEqual(image.descriptor)
  expect(Buffer.from(await source.getManifest(image.descriptor))).toEqual(Buffer.from(image.bytes))
  expect(await read(source, hash(packed), packed.byteLength)).toEqual(packed)
})

it('makes a manifest of its own where the layout in the archive is damaged, or says something else', async () => {
  const image = sampleImage()
  await using target = await create()
  await putSample(target, image, 'app:v1')
  await target.finish()
  const whole = readFileSync(path)
  for (const [from, to] of [
    [
      '"schemaVersion":2,"mediaType":"application/vnd.oci.image.index',
      '"schemaVersion";2,"mediaType":"application/vnd.oci.image.index',
    ],
    [Buffer.from(image.bytes).toString(), Buffer.from(image.bytes).toString().toUpperCase()],
  ] as const) {
    const bytes = Buffer.from(whole)
    bytes.write(to, bytes.indexOf(from))
    writeFileSync(path, bytes)
    await using source = await openDockerArchive(path)
    expect((await source.resolve('app:v1')).mediaType).toBe(mediaTypes.dockerManifest)
  }
})

it('takes no index and no artifact, and says where they can go', async () => {
  await using target = await create()
  const image = sampleImage()
  await putSample(target, image)
  const index = sampleIndex([image])
  await expect(target.putManifest(index.descriptor, index.bytes)).rejects.toMatchObject({
    code: 'unsupported',
    hint: expect.stringContaining('platforms'),
  })
  const config = sample(mediaTypes.ociEmpty, '{}')
  const artifact = sample(
    mediaTypes.ociImageManifest,
    JSON.stringify({
      schemaVersion: 2,
      mediaType: mediaTypes.ociImageManifest,
      config: config.descriptor,
      layers: [],
    }),
  )
  await expect(target.putManifest(artifact.descriptor, artifact.bytes)).rejects.toMatchObject({
    code: 'unsupported',
    hint: expect.stringContaining('oci-archive:'),
  })
})

it('wants a repository with each tag', async () => {
  await using target = await create()
  const image = sampleImage()
  await expect(target.putManifest(image.descriptor, image.bytes, { tags: ['v1'] })).rejects.toMatchObject({
    code: 'usage',
    hint: 'Write it as in acme/app:v1.',
  })
})

it('does not write an image whose layer is not there', async () => {
  await using target = await create()
  const image = sampleImage()
  await target.putManifest(image.descriptor, image.bytes, { tags: ['app:v1'] })
  await expect(target.finish()).rejects.toMatchObject({ code: 'not-found' })
  await target[Symbol.asyncDispose]()
  expect(readdirSync(base)).toEqual([])
})

it('keeps the images that an archive had', async () => {
  const { entries, layers } = legacyDockerArchive()
  writeFileSync(path, sampleTar(entries))
  const image = sampleImage()
  await using before = await openDockerArchive(path)
  const old = await before.resolve('v1')
  {
    await using target = await create()
    await putSample(target, image, 'acme/app:v2', 'acme/app:v3')
    await target.finish()
  }
  await using source = await openDockerArchive(path)
  expect(await collect(source.tags())).toEqual(['acme/app:v1', 'acme/app:v2', 'acme/app:v3'])
  expect(await source.resolve('acme/app:v1')).toEqual(old)
  expect(await source.resolve('acme/app:v2')).toEqual(image.descriptor)
  for (const layer of layers) expect(await read(source, hash(layer), layer.byteLength)).toEqual(layer)
  expect(await manifestJson()).toMatchObject([
    { RepoTags: ['acme/app:v1'] },
    { RepoTags: null },
    { RepoTags: ['acme/app:v2', 'acme/app:v3'] },
  ])
})

it('writes to a stream and reads from one', async () => {
  const image = sampleImage()
  const output = new PassThrough()
  const written = collect<Uint8Array>(output)
  await using target = await openDockerArchive('-', { create: true, output })
  await putSample(target, image, 'app:v1')
  await target.finish()
  output.end()
  await using source = await openDockerArchive('-', { input: Readable.from([Buffer.concat(await written)]) })
  expect(await source.resolve('app:v1')).toEqual(image.descriptor)
})
