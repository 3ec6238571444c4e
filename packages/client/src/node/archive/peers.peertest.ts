import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { gzipSync } from 'node:zlib'
import { mediaTypes } from '@stowage/oci'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { collect } from '../../content/pages.ts'
import type { Source, Target } from '../../content/ports.ts'
import { putSample, type SampleManifest, sampleImage, sampleIndex } from '../../testing/sample-images.ts'
import { runProgram } from '../../testing/run-program.ts'
import { sampleTar } from '../../testing/sample-tar.ts'
import { openLayout } from '../layout/open-layout.ts'
import { openDockerArchive } from './docker-archive.ts'
import { openOciArchive } from './oci-archive.ts'
import { openArchive } from './open-archive.ts'

// What skopeo, podman and tar write, read by us, and what we write, read by them.

let base: string

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'stowage-peers-'))
})

afterEach(() => rmSync(base, { recursive: true }))

const layers = ['hello', 'world'].map((text) => sampleTar([{ name: text, content: text }]))
const packed = layers.map((layer) => gzipSync(layer))
/** What Docker and podman have: layers that are compressed. */
const image = sampleImage({ layers: packed, layerType: mediaTypes.ociLayerGzip, unpacked: layers })
const plain = sampleImage({ layers })
// skopeo compresses what is not, on the way into a layout.
const gzip = { layers: packed.slice(0, 1), layerType: mediaTypes.ociLayerGzip, unpacked: layers.slice(0, 1) }
const other = sampleImage({ ...gzip, annotations: { a: 'b' } })
const foreign = sampleImage({ ...gzip, platform: { os: 'linux', architecture: 's390x' } })

const skopeo = (...args: readonly string[]) => runProgram('skopeo', '--insecure-policy', '--tmpdir', base, ...args)
const podman = async (...args: readonly string[]) => {
  const store = ['--root', join(base, 'root'), '--runroot', join(base, 'run'), '--tmpdir', join(base, 'podman-tmp')]
  return (await runProgram('podman', ...store, '--storage-driver', 'vfs', ...args)).toString().trim()
}

const places = [
  { scheme: 'oci', path: 'layout', open: openLayout },
  { scheme: 'oci-archive', path: 'x.tar', open: openOciArchive },
] as const

const write = async (target: Target, content: SampleManifest, ...tags: readonly string[]): Promise<void> => {
  await using open = target
  await putSample(open, content, ...tags)
  await open.finish()
}

/** Reads all of an image; what is wrong with any byte is an error. */
const readAllOf = async (source: Source, { descriptor, blobs }: SampleManifest): Promise<void> => {
  expect(await source.getManifest(descriptor)).toBeDefined()
  for (const blob of blobs) await collect(source.getBlob(blob.descriptor))
}

describe.each(places)('$scheme and skopeo', ({ scheme, path, open }) => {
  it('reads what we write', async () => {
    await write(await open(join(base, path), { create: true }), image, 'v1')
    await skopeo('copy', `${scheme}:${join(base, path)}:v1`, `oci:${join(base, 'copy')}:v1`)
    await using copy = await openLayout(join(base, 'copy'))
    expect((await copy.resolve('v1')).digest).toBe(image.descriptor.digest)
    await readAllOf(copy, image)
  })

  it('reads an index that we write, without a name', async () => {
    const index = sampleIndex([image, foreign])
    await write(await open(join(base, path), { create: true }), index)
    await skopeo('copy', '--all', `${scheme}:${join(base, path)}`, `oci:${join(base, 'copy')}:v1`)
    await using copy = await openLayout(join(base, 'copy'))
    expect((await copy.resolve('v1')).digest).toBe(index.descriptor.digest)
    await readAllOf(copy, foreign)
  })

  it('writes what we read', async () => {
    await write(await openLayout(join(base, 'from'), { create: true }), image, 'v1')
    await skopeo('copy', `oci:${join(base, 'from')}:v1`, `${scheme}:${join(base, path)}:docker.io/library/app:v1`)
    await using source = await open(join(base, path))
    for (const name of ['v1', 'app:v1', 'docker.io/library/app:v1', '']) {
      expect((await source.resolve(name)).digest).toBe(image.descriptor.digest)
    }
    await readAllOf(source, image)
  })

  it('goes on with what skopeo wrote', async () => {
    await write(await openLayout(join(base, 'from'), { create: true }), image, 'v1')
    await skopeo('copy', `oci:${join(base, 'from')}:v1`, `${scheme}:${join(base, path)}:v1`)
    await write(await open(join(base, path), { create: true }), other, 'v2')
    await skopeo('copy', `${scheme}:${join(base, path)}:v1`, `oci:${join(base, 'one')}:v1`)
    await skopeo('copy', `${scheme}:${join(base, path)}:v2`, `oci:${join(base, 'two')}:v2`)
    await using two = await openLayout(join(base, 'two'))
    await readAllOf(two, other)
  })
})

it('writes one layout in turns with skopeo', async () => {
  const path = join(base, 'layout')
  await write(await openLayout(path, { create: true }), image, 'v1')
  await write(await openLayout(join(base, 'from'), { create: true }), other, 'x')
  await skopeo('copy', `oci:${join(base, 'from')}:x`, `oci:${path}:v2`)
  await write(await openLayout(path), foreign, 'v3')
  await using target = await openLayout(path)
  expect(await collect(target.tags())).toEqual(['v1', 'v2', 'v3'])
  for (const each of [image, other, foreign]) await readAllOf(target, each)
})

describe('docker-archive', () => {
  it.each([
    ['compressed', image],
    ['plain', plain],
  ] as const)('is read by skopeo: %s layers', async (_, content) => {
    const path = join(base, 'x.tar')
    await write(await openDockerArchive(path, { create: true }), content, 'acme/app:v1')
    await skopeo('copy', `docker-archive:${path}:acme/app:v1`, `dir:${join(base, 'copy')}`)
    const manifest = JSON.parse(readFileSync(join(base, 'copy', 'manifest.json'), 'utf8'))
    const unpacked = manifest.layers.map(({ digest }: { digest: string }) => digest)
    expect(unpacked).toEqual(plain.blobs.slice(1).map(({ descriptor }) => descriptor.digest))
    expect(manifest.config.digest).toBe(content.blobs[0]?.descriptor.digest)
  })

  it('is what skopeo writes', async () => {
    const path = join(base, 'x.tar')
    await write(await openLayout(join(base, 'from'), { create: true }), image, 'v1')
    await skopeo('copy', `oci:${join(base, 'from')}:v1`, `docker-archive:${path}:acme/app:v1`)
    await using source = await openDockerArchive(path)
    expect(await collect(source.tags())).toEqual(['docker.io/acme/app:v1'])
    const manifest = JSON.parse(Buffer.from(await source.getManifest(await source.resolve('acme/app:v1'))).toString())
    for (const descriptor of [manifest.config, ...manifest.layers]) await collect(source.getBlob(descriptor))
    expect(manifest.layers).toHaveLength(2)
  })

  it('goes on with what skopeo wrote', async () => {
    const path = join(base, 'x.tar')
    await write(await openLayout(join(base, 'from'), { create: true }), image, 'v1')
    await skopeo('copy', `oci:${join(base, 'from')}:v1`, `docker-archive:${path}:acme/app:v1`)
    await write(await openDockerArchive(path, { create: true }), foreign, 'acme/app:v2')
    await skopeo('copy', `docker-archive:${path}:acme/app:v1`, `dir:${join(base, 'copy')}`)
    await skopeo('copy', '--override-arch', 's390x', `docker-archive:${path}:acme/app:v2`, `dir:${join(base, 'copy2')}`)
  })

  it('is loaded by podman, layers and all', async () => {
    const path = join(base, 'x.tar')
    await write(await openDockerArchive(path, { create: true }), image, 'acme/app:v1')
    await podman('load', '--input', path)
    expect(await podman('image', 'inspect', '--format', '{{.RepoTags}}', 'acme/app:v1')).toContain('acme/app:v1')
    const diff = await podman('image', 'inspect', '--format', '{{.RootFS.Layers}}', 'acme/app:v1')
    for (const { descriptor } of plain.blobs.slice(1)) expect(diff).toContain(descriptor.digest)
  })

  it.each([
    ['docker-archive', openDockerArchive],
    ['oci-archive', openOciArchive],
  ] as const)('is what podman saves as %s', async (format, open) => {
    await write(await openOciArchive(join(base, 'x.tar'), { create: true }), image, 'docker.io/acme/app:v1')
    await podman('load', '--input', join(base, 'x.tar'))
    await podman('save', '--format', format, '--output', join(base, 'saved.tar'), 'docker.io/acme/app:v1')
    await using source = await open(join(base, 'saved.tar'))
    const manifest = JSON.parse(Buffer.from(await source.getManifest(await source.resolve('acme/app:v1'))).toString())
    for (const descriptor of [manifest.config, ...manifest.layers]) await collect(source.getBlob(descriptor))
  })
})

describe('tar', () => {
  it('lists what we write, and unpacks a layout from it', async () => {
    const path = join(base, 'x.tar')
    await write(await openOciArchive(path, { create: true }), sampleImage({ algorithm: 'sha512' }), 'v1')
    mkdirSync(join(base, 'layout'))
    await runProgram('tar', '-xf', path, '-C', join(base, 'layout'))
    await using source = await openLayout(join(base, 'layout'))
    await readAllOf(source, sampleImage({ algorithm: 'sha512' }))
  })

  it.each(['ustar', 'pax', 'gnu'])('writes what we read with --format=%s', async (format) => {
    const long = `${'n'.repeat(90)}/${'m'.repeat(90)}`
    mkdirSync(join(base, 'in', 'n'.repeat(90)), { recursive: true })
    writeFileSync(join(base, 'in', long), 'long')
    writeFileSync(join(base, 'in', 'short'), 'short')
    const path = join(base, 'x.tar.gz')
    await runProgram('tar', '--format', format, '-czf', path, '-C', join(base, 'in'), '.')
    await using archive = await openArchive({ path, input: Readable.from([]), links: false })
    expect(Buffer.from((await archive?.readSmall(long, 10)) ?? []).toString()).toBe('long')
    expect(Buffer.from((await archive?.readSmall('short', 10)) ?? []).toString()).toBe('short')
  })
})
