import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { digestEncoded, mediaTypes } from '@stowage/oci'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { collect } from '../../content/pages.ts'
import { putSample, type Sample, sample, sampleImage, sampleIndex } from '../../testing/sample-images.ts'
import { describeTarget } from '../../testing/target-contract.ts'
import { openLayout } from './open-layout.ts'

let base: string
let root: string

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'stowage-layout-'))
  root = join(base, 'images')
})

afterEach(() => rmSync(base, { recursive: true }))

describeTarget('a layout', {
  open: () => openLayout(root, { create: true }),
  reopen: () => openLayout(root),
  name: (tag) => tag,
  takesAll: true,
})

const create = () => openLayout(root, { create: true })
const index = (): { manifests: unknown[] } => JSON.parse(readFileSync(join(root, 'index.json'), 'utf8'))
const pathOf = ({ descriptor }: Sample): string => join(root, 'blobs', 'sha256', digestEncoded(descriptor.digest))
const named = ({ descriptor }: Sample, name: string) => ({
  ...descriptor,
  annotations: { 'org.opencontainers.image.ref.name': name },
})
const files = (directory = root): string[] =>
  readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1))
    .toSorted()

it('writes what the specification says, and nothing else', async () => {
  await using target = await create()
  const image = sampleImage()
  await putSample(target, image, 'v1')
  await target.finish()
  expect(files()).toEqual(
    [
      'index.json',
      'oci-layout',
      ...[image, ...image.blobs].map((one) => pathOf(one).slice(root.length + 1)),
    ].toSorted(),
  )
  expect(JSON.parse(readFileSync(join(root, 'oci-layout'), 'utf8'))).toEqual({ imageLayoutVersion: '1.0.0' })
  expect(index()).toEqual({
    schemaVersion: 2,
    mediaType: mediaTypes.ociImageIndex,
    manifests: [named(image, 'v1')],
  })
  expect(readFileSync(pathOf(image))).toEqual(Buffer.from(image.bytes))
  expect(target.name).toBe(`ocidir:${root}`)
})

it('makes nothing before the first write, and nothing at all of content that never comes', async () => {
  await using target = await create()
  await expect(target.resolve('v1')).rejects.toMatchObject({ code: 'not-found' })
  expect(await target.hasBlob(sample('a/b', 'x').descriptor)).toBe(false)
  expect(existsSync(root)).toBe(false)
})

it('makes an empty layout of an empty directory, and of what a crash left', async () => {
  mkdirSync(root)
  writeFileSync(join(root, '.stowage-x'), 'half')
  writeFileSync(join(root, 'index.json'), '{"schemaVersion":2,"manifests":[]}')
  await using target = await create()
  await target.finish()
  expect(await collect((await openLayout(root)).tags())).toEqual([])
})

it('opens only what is a layout', async () => {
  await expect(openLayout(root)).rejects.toMatchObject({ code: 'not-found' })
  writeFileSync(root, 'a file')
  await expect(create()).rejects.toMatchObject({
    code: 'invalid-content',
    hint: `For a layout in a tar write oci-archive:${root}.`,
  })
  rmSync(root)
  mkdirSync(root)
  await expect(openLayout(root)).rejects.toMatchObject({ code: 'invalid-content' })
  writeFileSync(join(root, 'precious.txt'), 'x')
  await expect(create()).rejects.toMatchObject({ code: 'invalid-content' })
  writeFileSync(join(root, 'oci-layout'), '{"imageLayoutVersion":"2.0.0"}')
  await expect(create()).rejects.toThrow('imageLayoutVersion must be "1.0.0"')
  writeFileSync(join(root, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}')
  await expect((await openLayout(root)).resolve('')).rejects.toThrow('has no index.json')
  await expect(openLayout(root, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'aborted' })
})

it('reads what other programs write: names of podman, no media type, several tags', async () => {
  const image = sampleImage()
  await using writer = await create()
  await putSample(writer, image)
  writeFileSync(
    join(root, 'index.json'),
    JSON.stringify({ schemaVersion: 2, manifests: [named(image, 'docker.io/library/app:v1'), named(image, 'v2')] }),
  )
  await using target = await openLayout(root)
  for (const name of ['docker.io/library/app:v1', 'app:v1', 'v1', 'v2', '']) {
    expect(await target.resolve(name)).toEqual(image.descriptor)
  }
  expect(await collect(target.tags())).toEqual(['docker.io/library/app:v1', 'v2'])
})

it('sees what another program changed since', async () => {
  await using target = await create()
  const [one, two] = [sampleImage({ layers: ['1'] }), sampleImage({ layers: ['2'] })]
  await putSample(target, one, 'v1')
  await putSample(target, two)
  expect(await target.resolve('v1')).toEqual(one.descriptor)
  writeFileSync(join(root, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [named(two, 'v1')] }))
  expect(await target.resolve('v1')).toEqual(two.descriptor)
})

it('lets several targets of one process write to one directory, whatever path they know it by', async () => {
  symlinkSync(root, join(base, 'link'))
  const targets = await Promise.all([root, join(base, 'link'), root].map((path) => openLayout(path, { create: true })))
  // What stands in the place of the directory is a link to nothing at first.
  mkdirSync(root)
  const puts = Array.from({ length: 30 }, async (_, at) => {
    const target = targets[at % targets.length]
    if (target !== undefined) await putSample(target, sampleImage({ layers: ['shared', `${at}`] }), `v${at}`)
  })
  await Promise.all(puts)
  expect(await collect((await openLayout(root)).tags())).toHaveLength(30)
  expect(files().filter((name) => name.includes('.stowage-'))).toEqual([])
})

it('keeps the index whole while it is replaced', async () => {
  await using target = await create()
  await putSample(target, sampleImage(), 'v0')
  const tagging = { isDone: false }
  const reader = (async () => {
    for (let reads = 0; !tagging.isDone || reads < 10; reads++) {
      expect(index().manifests.length).toBeGreaterThan(0)
      await new Promise((resolve) => setImmediate(resolve))
    }
  })()
  for (let at = 1; at < 50; at++) await target.tag(sampleImage().descriptor, `v${at}`)
  tagging.isDone = true
  await reader
  expect(index().manifests).toHaveLength(50)
})

it('keeps the bytes of what a manifest named when it removes the manifest', async () => {
  await using target = await create()
  const image = sampleImage()
  await putSample(target, image, 'v1')
  await target.deleteManifest(image.descriptor.digest)
  expect(existsSync(pathOf(image))).toBe(false)
  expect(image.blobs.map((blob) => existsSync(pathOf(blob)))).toEqual([true, true])
})

it('forgets a referrer that is removed or lost, though index.json stays as it is, and finds it when it is back', async () => {
  await using writer = await create()
  const image = sampleImage()
  const referrer = sampleImage({ layers: ['r'], subject: image.descriptor })
  const list = sampleIndex([referrer])
  await putSample(writer, image)
  await putSample(writer, list)
  const tag = `sha256-${digestEncoded(image.descriptor.digest)}`
  writeFileSync(join(root, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [named(list, tag)] }))
  await using target = await openLayout(root)
  const count = async () => (await collect(target.referrers(image.descriptor.digest))).length
  expect(await count()).toBe(1)
  await target.deleteManifest(referrer.descriptor.digest)
  expect(await count()).toBe(0)
  await putSample(target, referrer)
  expect(await count()).toBe(1)

  rmSync(pathOf(referrer))
  writeFileSync(join(root, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [referrer.descriptor] }))
  await using later = await openLayout(root)
  expect(await collect(later.referrers(image.descriptor.digest))).toEqual([])
  await putSample(later, referrer)
  expect(await collect(later.referrers(image.descriptor.digest))).toHaveLength(1)
})

it('takes the names from a manifest that belongs to an index, and leaves its bytes', async () => {
  await using target = await create()
  const child = sampleImage()
  const parent = sampleIndex([child])
  await putSample(target, child, 'child')
  await putSample(target, parent, 'parent')
  await target.deleteManifest(child.descriptor.digest)
  expect(await collect(target.tags())).toEqual(['parent'])
  expect(await target.hasManifest(child.descriptor)).toBe(true)
})

it('lists without a name what was put without one, but nothing that belongs to an index', async () => {
  await using target = await create()
  const [one, two] = [sampleImage({ layers: ['1'] }), sampleImage({ layers: ['2'] })]
  await putSample(target, sampleIndex([one]), 'v1')
  await putSample(target, two)
  await target.finish()
  await using later = await openLayout(root)
  await putSample(later, one)
  await later.finish()
  expect(index().manifests).toEqual([named(sampleIndex([one]), 'v1'), two.descriptor])
})

it('makes files that others may read, as the umask says', async () => {
  await using target = await create()
  const image = sampleImage()
  await putSample(target, image, 'v1')
  const mode = 0o666 & ~process.umask()
  expect([pathOf(image), join(root, 'index.json')].map((path) => statSync(path).mode & 0o777)).toEqual([mode, mode])
})
