import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { type Digest, digestOf, mediaTypes, parseManifest } from '@stowage/oci'
import fc from 'fast-check'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { collect } from '../../content/pages.ts'
import type { Source } from '../../content/ports.ts'
import { isClientError } from '../../errors.ts'
import { defaultHash } from '../../hash.ts'
import { putSample, sampleImage } from '../../testing/sample-images.ts'
import { legacyDockerArchive } from '../../testing/legacy-docker-archive.ts'
import { sampleTar } from '../../testing/sample-tar.ts'
import { blobPath } from './archive-blobs.ts'
import { openDockerArchive } from './docker-archive.ts'
import { openOciArchive } from './oci-archive.ts'

let base: string
let path: string

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'stowage-docker-archive-'))
  path = join(base, 'x.tar')
})

afterEach(() => rmSync(base, { recursive: true }))

const create = () => openDockerArchive(path, { create: true })
const hash = (bytes: string | Uint8Array): Digest => digestOf(Buffer.from(bytes), defaultHash)
const read = async (source: Source, digest: Digest, size: number): Promise<Buffer> =>
  Buffer.concat(await collect(source.getBlob({ mediaType: 'a/b', digest, size })))

it('understands what Docker wrote before version 25', async () => {
  const { entries, layers, configs } = legacyDockerArchive()
  writeFileSync(path, sampleTar(entries))
  await using source = await openDockerArchive(path)
  expect(source.name).toBe(`docker-archive:${path}`)
  expect(await collect(source.tags())).toEqual(['acme/app:v1', 'acme/app:v2'])
  const descriptor = await source.resolve('acme/app:v1')
  for (const name of ['docker.io/acme/app:v1', 'v1', 'v2', '', descriptor.digest]) {
    expect(await source.resolve(name)).toEqual(descriptor)
  }
  const manifest = JSON.parse(Buffer.from(await source.getManifest(descriptor)).toString())
  expect(manifest).toEqual({
    schemaVersion: 2,
    mediaType: mediaTypes.dockerManifest,
    config: {
      mediaType: mediaTypes.dockerImageConfig,
      size: Buffer.byteLength(configs[0] ?? ''),
      digest: hash(configs[0] ?? ''),
    },
    layers: layers.map((layer) => ({
      mediaType: mediaTypes.dockerLayer,
      size: layer.byteLength,
      digest: hash(layer),
    })),
  })
  for (const layer of layers) expect(await read(source, hash(layer), layer.byteLength)).toEqual(layer)
  expect((await read(source, manifest.config.digest, manifest.config.size)).toString()).toBe(configs[0])
})

it('gives an image the same manifest each time', async () => {
  const { entries } = legacyDockerArchive()
  writeFileSync(path, sampleTar(entries))
  await using one = await openDockerArchive(path)
  const descriptor = await one.resolve('v1')
  writeFileSync(path, gzipSync(sampleTar(entries.toReversed().toSorted((a) => (a.type === '2' ? 1 : -1)))))
  await using two = await openDockerArchive(path)
  expect(await two.resolve('v1')).toEqual(descriptor)
})

it('reads an image of very many names', async () => {
  const { entries, configs } = legacyDockerArchive()
  const names = Array.from({ length: 100_000 }, (_, at) => `a/b:${at}`)
  const [Config, Layers] = [`${hash(configs[0] ?? '').slice(7)}.json`, entries.slice(3, 5).map(({ name }) => name)]
  const manifest = JSON.stringify([{ Config, Layers, RepoTags: [...names, 'a/b:v1', 'docker.io/a/b:v1'] }])
  writeFileSync(path, sampleTar(entries.map((e) => (e.name === 'manifest.json' ? { ...e, content: manifest } : e))))
  await using source = await openDockerArchive(path)
  const tags = await collect(source.tags())
  expect(tags).toHaveLength(100_001)
  expect(tags).toContain('docker.io/a/b:v1')
})

it('keeps an image without tags apart', async () => {
  const { entries, layers } = legacyDockerArchive()
  writeFileSync(path, sampleTar(entries))
  await using target = await create()
  await target.deleteManifest((await target.resolve('v1')).digest)
  const descriptor = await target.resolve('')
  const manifest = parseManifest(await target.getManifest(descriptor))
  expect(manifest).toMatchObject({ layers: [{ digest: hash(layers[0] ?? '') }] })
})

const withLayer = (layer: Uint8Array, diffIds: readonly Digest[], layerName = 'l/layer.tar'): Buffer => {
  const config = JSON.stringify({ os: 'linux', architecture: 'amd64', rootfs: { type: 'layers', diff_ids: diffIds } })
  return sampleTar([
    { name: 'c.json', content: config },
    { name: layerName, content: layer },
    {
      name: 'manifest.json',
      content: JSON.stringify([{ Config: 'c.json', RepoTags: ['app:v1'], Layers: [layerName] }]),
    },
  ])
}
const tar = sampleTar([{ name: 'etc', type: '5' }])

it('tells compressed layers by their first bytes, and names them by all of them', async () => {
  for (const [layer, kind, type] of [
    [gzipSync(tar), mediaTypes.dockerManifest, mediaTypes.dockerLayerGzip],
    [zstdCompressSync(tar), mediaTypes.ociImageManifest, mediaTypes.ociLayerZstd],
  ] as const) {
    writeFileSync(path, withLayer(layer, [hash(tar)]))
    await using source = await openDockerArchive(path)
    const descriptor = await source.resolve('v1')
    expect(descriptor.mediaType).toBe(kind)
    const manifest = parseManifest(await source.getManifest(descriptor))
    expect(manifest).toMatchObject({ layers: [{ mediaType: type, digest: hash(layer), size: layer.byteLength }] })
    expect(await read(source, hash(layer), layer.byteLength)).toEqual(layer)
  }
})

it('finds out when it reads a layer that it is not the one of the config', async () => {
  writeFileSync(path, withLayer(tar, [hash('another')]))
  await using source = await openDockerArchive(path)
  await source.resolve('v1')
  await expect(read(source, hash('another'), tar.byteLength)).rejects.toMatchObject({ code: 'digest-mismatch' })
})

it('finds out when it reads a blob that it is not the one of its name', async () => {
  writeFileSync(path, withLayer(tar, [hash(tar)], blobPath(hash('another'))))
  await using source = await openDockerArchive(path)
  await source.resolve('v1')
  await expect(read(source, hash('another'), tar.byteLength)).rejects.toMatchObject({ code: 'digest-mismatch' })
})

it('reads layers of images whose config it does not understand', async () => {
  const manifest = JSON.stringify([{ Config: 'c.json', RepoTags: ['app:v1'], Layers: ['l'] }])
  writeFileSync(
    path,
    sampleTar([
      { name: 'c.json', content: '{}' },
      { name: 'l', content: tar },
      { name: 'manifest.json', content: manifest },
    ]),
  )
  await using source = await openDockerArchive(path)
  await source.resolve('v1')
  expect(await read(source, hash(tar), tar.byteLength)).toEqual(tar)
})

it.each([
  ['no such file', withLayer(tar, [hash(tar)]).fill('k', 1024, 1025), 'has no file l/layer.tar'],
  ['xz', withLayer(Buffer.from('fd377a585a0000', 'hex'), [hash(tar)]), 'xz or bzip2'],
  ['another number of layers', withLayer(tar, []), 'has 1 layers where'],
])('says what is wrong with an image: %s', async (what, bytes, message) => {
  if (what === 'no such file') {
    const manifest = JSON.stringify([{ Config: 'c.json', Layers: ['l/layer.tar'] }])
    bytes = sampleTar([
      { name: 'c.json', content: '{}' },
      { name: 'manifest.json', content: manifest },
    ])
  }
  writeFileSync(path, bytes)
  await using source = await openDockerArchive(path)
  await expect(source.resolve('v1')).rejects.toThrow(message)
})

it.each([
  ['no list', '{}', 'is not a list'],
  ['an entry that is none', '[1]', '[0] is not an object'],
  ['no config', '[{"Layers":[]}]', '[0].Config is no path'],
  ['a config that leads out', '[{"Config":"../x"}]', '[0].Config is no path'],
  ['a layer that leads out', '[{"Config":"x","Layers":["/etc/passwd"]}]', '[0].Layers[0] is no path'],
  ['tags that are none', '[{"Config":"x","RepoTags":[1]}]', '[0].RepoTags is not a list'],
])('refuses %s', async (_, content, message) => {
  writeFileSync(path, sampleTar([{ name: 'manifest.json', content }]))
  await expect(openDockerArchive(path)).rejects.toMatchObject({
    code: 'invalid-content',
    message: expect.stringContaining(message),
  })
})

it('opens only what is an archive of Docker', async () => {
  await expect(openDockerArchive(path)).rejects.toMatchObject({ code: 'not-found' })
  await using layout = await openOciArchive(path, { create: true })
  await putSample(layout, sampleImage(), 'v1')
  await layout.finish()
  await expect(openDockerArchive(path)).rejects.toMatchObject({
    code: 'invalid-content',
    hint: expect.stringContaining('oci-archive:'),
  })
})

it('is read or refused, whatever manifest.json and the config say', async () => {
  const text = fc.oneof(
    fc.jsonValue().map((value) => JSON.stringify(value)),
    fc
      .array(
        fc.record(
          {
            Config: fc.constantFrom('c.json', '../c.json', 'l', 'loop', 'missing', 7),
            RepoTags: fc.constantFrom(null, ['app:v1'], ['a b'], ['app'], 'x', ['\u001B[2J:x']),
            Layers: fc.constantFrom(null, [], ['l'], ['l', 'l'], ['loop'], ['missing'], ['/l'], [1]),
          },
          { requiredKeys: [] },
        ),
      )
      .map((value) => JSON.stringify(value)),
  )
  const config = fc.oneof(
    fc.jsonValue().map((value) => JSON.stringify(value)),
    fc.constantFrom(
      '{"os":"linux","architecture":"amd64","rootfs":{"type":"layers","diff_ids":[]}}',
      '{"rootfs":null}',
      '',
    ),
  )
  await fc.assert(
    fc.asyncProperty(text, config, async (manifest, content) => {
      writeFileSync(
        path,
        sampleTar([
          { name: 'manifest.json', content: manifest },
          { name: 'c.json', content },
          { name: 'l', content: tar },
          { name: 'loop', type: '2', linkname: 'loop' },
        ]),
      )
      try {
        await using source = await openDockerArchive(path)
        for (const tag of await collect(source.tags())) await source.getManifest(await source.resolve(tag))
        await source.resolve('')
      } catch (error) {
        if (!isClientError(error)) throw error
      }
    }),
    { numRuns: 200 },
  )
})
