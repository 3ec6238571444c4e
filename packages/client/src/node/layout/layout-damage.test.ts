import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { digestEncoded, mediaTypes } from '@stowage/oci'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { bytesContent, type Content } from '../../content/content.ts'
import { collect } from '../../content/pages.ts'
import { putSample, type Sample, sample, sampleImage } from '../../testing/sample-images.ts'
import { openLayout } from './open-layout.ts'

let base: string
let root: string

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'stowage-layout-'))
  root = join(base, 'images')
})

afterEach(() => rmSync(base, { recursive: true }))

const create = () => openLayout(root, { create: true })
const pathOf = ({ descriptor }: Sample): string => join(root, 'blobs', 'sha256', digestEncoded(descriptor.digest))
const files = (directory = root): string[] =>
  readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1))
    .toSorted()

it('leaves no part of a blob behind whose content breaks off or is wrong', async () => {
  await using target = await create()
  const { descriptor, bytes } = sample('a/b', 'x'.repeat(1000))
  const seen: string[][] = []
  const content = (end: () => Uint8Array): Content => ({
    size: 1000,
    async *open() {
      yield bytes.subarray(0, 500)
      seen.push(files().filter((name) => name.startsWith('blobs')))
      yield end()
    },
  })
  const broken = content(() => {
    throw new Error('broke off')
  })
  await expect(target.putBlob(descriptor, broken)).rejects.toThrow('broke off')
  await expect(
    target.putBlob(
      descriptor,
      content(() => bytes.subarray(1)),
    ),
  ).rejects.toThrow('more than 1000')
  await target.putBlob(
    descriptor,
    content(() => bytes.subarray(500)),
  )
  expect(seen).toEqual([[], [], []])
  expect(files().filter((name) => !/^(index\.json|oci-layout)$/.test(name))).toEqual([
    pathOf({ descriptor, bytes }).slice(root.length + 1),
  ])
})

it('says which blob is missing, cut short or altered, and takes it again', async () => {
  await using writer = await create()
  const image = sampleImage({ layers: ['some layer'] })
  await putSample(writer, image, 'v1')
  await using target = await openLayout(root)
  const layer = image.blobs[1]
  if (layer === undefined) throw new Error('The sample has no layer.')
  const read = () => collect(target.getBlob(layer.descriptor))

  writeFileSync(pathOf(layer), 'SOME layer')
  await expect(read()).rejects.toMatchObject({ code: 'digest-mismatch' })
  expect(await target.putBlob(layer.descriptor, bytesContent(layer.bytes))).toBe('uploaded')
  await read()

  truncateSync(pathOf(layer), 4)
  await expect(read()).rejects.toMatchObject({
    code: 'digest-mismatch',
    subject: `${target.name}@${layer.descriptor.digest}`,
  })
  expect(await target.hasBlob(layer.descriptor)).toBe(false)
  rmSync(pathOf(layer))
  await expect(read()).rejects.toMatchObject({ code: 'not-found' })
  expect(await target.putBlob(layer.descriptor, bytesContent(layer.bytes))).toBe('uploaded')
  expect(await target.putBlob(layer.descriptor, bytesContent(layer.bytes))).toBe('existing')

  writeFileSync(
    pathOf(image),
    image.bytes.map((byte) => byte ^ 1),
  )
  await expect(target.getManifest(image.descriptor)).rejects.toMatchObject({ code: 'digest-mismatch' })
  await expect(collect(target.referrers(layer.descriptor.digest))).rejects.toMatchObject({ code: 'digest-mismatch' })
  await putSample(target, sampleImage({ layers: ['2'] }), 'v1')
  expect(await collect(target.tags())).toEqual(['v1'])
})

it('lets nothing in the directory lead out of it', async () => {
  await using writer = await create()
  const image = sampleImage()
  await putSample(writer, image, 'v1')
  const [config] = image.blobs
  if (config === undefined) throw new Error('The sample has no config.')
  const refused = { code: 'invalid-content' }

  renameSync(pathOf(config), join(base, 'elsewhere'))
  symlinkSync(join(base, 'elsewhere'), pathOf(config))
  let target = await openLayout(root)
  await expect(collect(target.getBlob(config.descriptor))).rejects.toMatchObject(refused)
  await expect(target.hasBlob(config.descriptor)).rejects.toMatchObject(refused)
  rmSync(pathOf(config))
  mkdirSync(pathOf(config))
  await expect(collect(target.getBlob(config.descriptor))).rejects.toMatchObject(refused)

  for (const directory of ['blobs/sha256', 'blobs']) {
    mkdirSync(join(base, 'outside', 'sha256'), { recursive: true })
    rmSync(join(root, directory), { recursive: true })
    symlinkSync(join(base, 'outside'), join(root, directory))
    target = await openLayout(root)
    await expect(collect(target.getBlob(config.descriptor))).rejects.toMatchObject(refused)
    await expect(target.putBlob(config.descriptor, bytesContent(config.bytes))).rejects.toMatchObject(refused)
    await expect(target.deleteManifest(image.descriptor.digest)).rejects.toMatchObject(refused)
    expect(files(join(base, 'outside'))).toEqual([])
    rmSync(join(root, directory))
    mkdirSync(join(root, directory))
  }

  renameSync(join(root, 'index.json'), join(base, 'index.json'))
  symlinkSync(join(base, 'index.json'), join(root, 'index.json'))
  await expect((await openLayout(root)).resolve('v1')).rejects.toMatchObject(refused)
})

it('reads no index that is too large to be one', async () => {
  await using target = await create()
  await target.finish()
  writeFileSync(join(root, 'index.json'), '')
  truncateSync(join(root, 'index.json'), 17 * 1024 * 1024)
  await expect(target.resolve('v1')).rejects.toMatchObject({ code: 'too-large' })
})

it('reads no manifest that says it is too large', async () => {
  await using target = await create()
  const huge = { ...sample(mediaTypes.ociImageManifest, 'x').descriptor, size: 5 * 1024 * 1024 }
  await expect(target.getManifest(huge)).rejects.toMatchObject({ code: 'too-large' })
})

it.runIf(process.getuid?.() !== 0)('says that it may not write', async () => {
  await using target = await create()
  await target.finish()
  chmodSync(root, 0o500)
  const put = putSample(target, sampleImage(), 'v1')
  await expect(put).rejects.toMatchObject({ code: 'denied' })
  chmodSync(root, 0o700)
})
