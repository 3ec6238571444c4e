import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { bytesContent } from '../../content/content.ts'
import { collect } from '../../content/pages.ts'
import { isClientError } from '../../errors.ts'
import { putSample, sample, sampleImage, sampleIndex } from '../../testing/sample-images.ts'
import { type SampleEntry, sampleTar } from '../../testing/sample-tar.ts'
import { describeTarget } from '../../testing/target-contract.ts'
import { blobPath } from './archive-blobs.ts'
import { openArchive } from './open-archive.ts'
import { openOciArchive } from './oci-archive.ts'

let base: string
let path: string

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'stowage-oci-archive-'))
  path = join(base, 'x.tar')
})

afterEach(() => rmSync(base, { recursive: true }))

describeTarget('an archive', {
  open: () => openOciArchive(path, { create: true }),
  reopen: () => openOciArchive(path),
  name: (tag) => tag,
  takesAll: true,
})

const create = () => openOciArchive(path, { create: true })
const names = async (): Promise<string[]> => {
  await using archive = await openArchive({ path, input: Readable.from([]), links: false })
  return [...(archive?.entries.keys() ?? [])]
}

it('writes an image layout: what says what it is first, then everything by name', async () => {
  const image = sampleImage()
  await using target = await create()
  await putSample(target, image, 'v1')
  await target.finish()
  const blobs = [image, ...image.blobs].map(({ descriptor }) => blobPath(descriptor.digest)).toSorted()
  expect(await names()).toEqual(['oci-layout', 'index.json', 'blobs', 'blobs/sha256', ...blobs])
  expect(target.name).toBe(`oci-archive:${path}`)
})

it('writes the same bytes for the same content', async () => {
  const images = [sampleImage({ layers: ['1'] }), sampleImage({ layers: ['2'], algorithm: 'sha512' })]
  const written: Buffer[] = []
  for (const order of [images, images.toReversed()]) {
    rmSync(path, { force: true })
    await using target = await create()
    for (const image of order)
      for (const { descriptor, bytes } of image.blobs) await target.putBlob(descriptor, bytesContent(bytes))
    for (const [at, image] of images.entries())
      await target.putManifest(image.descriptor, image.bytes, { tags: [`v${at}`] })
    await target.finish()
    written.push(readFileSync(path))
  }
  expect(written[0]?.equals(written[1] ?? Buffer.alloc(0))).toBe(true)
})

it('leaves nothing, and changes nothing, without finish', async () => {
  {
    await using target = await create()
    await putSample(target, sampleImage(), 'v1')
    expect(existsSync(path)).toBe(false)
  }
  expect(readdirSync(base)).toEqual([])
  {
    await using target = await create()
    await putSample(target, sampleImage(), 'v1')
    await target.finish()
  }
  const before = readFileSync(path)
  {
    await using target = await create()
    await putSample(target, sampleImage({ layers: ['2'] }), 'v1')
    await target.deleteTag('v1')
  }
  expect(readFileSync(path)).toEqual(before)
  expect(readdirSync(base)).toEqual(['x.tar'])
})

it('keeps what the archive had, its own files and those of others', async () => {
  const [one, two] = [sampleImage({ layers: ['1'] }), sampleImage({ layers: ['2'] })]
  {
    await using target = await create()
    await putSample(target, one, 'v1')
    await target.finish()
  }
  const end = 1024
  const foreign = sampleTar([{ name: 'notes/readme.txt', content: 'hello' }])
  writeFileSync(path, gzipSync(Buffer.concat([readFileSync(path).subarray(0, -end), foreign])))
  {
    await using target = await create()
    await putSample(target, two, 'v2')
    await target.finish()
    await target.finish()
  }
  await using target = await openOciArchive(path)
  expect(await collect(target.tags())).toEqual(['v1', 'v2'])
  expect(await target.getManifest(one.descriptor)).toEqual(Buffer.from(one.bytes))
  expect(await names()).toContain('notes/readme.txt')
})

it('forgets a manifest that was removed', async () => {
  const image = sampleImage()
  await using target = await create()
  await putSample(target, image, 'v1')
  await target.finish()
  await using later = await create()
  await later.deleteManifest(image.descriptor.digest)
  await later.finish()
  expect(await names()).not.toContain(blobPath(image.descriptor.digest))
})

it('mends a blob that is damaged in the archive', async () => {
  const image = sampleImage({ layers: ['some layer'] })
  const [, layer] = image.blobs
  if (layer === undefined) throw new Error('The sample has no layer.')
  await using target = await create()
  await putSample(target, image, 'v1')
  await target.finish()
  const bytes = readFileSync(path)
  bytes.write('SOME layer', bytes.indexOf('some layer'))
  writeFileSync(path, bytes)
  await using damaged = await create()
  await expect(collect(damaged.getBlob(layer.descriptor))).rejects.toMatchObject({ code: 'digest-mismatch' })
  expect(await damaged.putBlob(layer.descriptor, bytesContent(layer.bytes))).toBe('uploaded')
  await damaged.finish()
  await using mended = await openOciArchive(path)
  await collect(mended.getBlob(layer.descriptor))
})

it('does not overwrite what somebody else wrote since', async () => {
  await using target = await create()
  await using other = await create()
  await putSample(target, sampleImage({ layers: ['1'] }), 'v1')
  await putSample(other, sampleImage({ layers: ['2'] }), 'v2')
  await other.finish()
  await expect(target.finish()).rejects.toMatchObject({ code: 'exists' })
  await using archive = await openOciArchive(path)
  expect(await collect(archive.tags())).toEqual(['v2'])
})

it('replaces what a link leads to, not the link', async () => {
  mkdirSync(join(base, 'disk'))
  writeFileSync(join(base, 'disk', 'real.tar'), '')
  symlinkSync(join(base, 'disk', 'real.tar'), path)
  await using target = await create()
  await putSample(target, sampleImage(), 'v1')
  await target.finish()
  expect(readlinkSync(path)).toBe(join(base, 'disk', 'real.tar'))
  expect(lstatSync(join(base, 'disk', 'real.tar')).size).toBeGreaterThan(1024)
})

it('writes to a stream and reads from one', async () => {
  const image = sampleImage({ layers: ['x'.repeat(1_000_000)] })
  const output = new PassThrough()
  const written = collect<Uint8Array>(output)
  {
    await using target = await openOciArchive('-', { create: true, output })
    await putSample(target, image, 'v1')
    await target.finish()
    await target.finish()
  }
  output.end()
  const input = Readable.from([Buffer.concat(await written)])
  await using source = await openOciArchive('-', { input })
  expect(await source.resolve('v1')).toEqual(image.descriptor)
  for (const { descriptor } of image.blobs) await collect(source.getBlob(descriptor))
})

it('opens only what is an archive of a layout', async () => {
  await expect(openOciArchive(path)).rejects.toMatchObject({ code: 'not-found' })
  const layout = '{"imageLayoutVersion":"1.0.0"}'
  const wrong: readonly (readonly [SampleEntry[], string])[] = [
    [[{ name: 'a' }], 'has no file oci-layout'],
    [[{ name: 'oci-layout', content: layout }], 'has no file index.json'],
    [
      [
        { name: 'oci-layout', content: '{}' },
        { name: 'index.json', content: '{"manifests":[]}' },
      ],
      'is wrong',
    ],
    [
      [
        { name: 'oci-layout', content: layout },
        { name: 'index.json', content: '[]' },
      ],
      'is not an object',
    ],
    [
      [
        { name: 'oci-layout', type: '2', linkname: 'x' },
        { name: 'x', content: layout },
      ],
      'neither a file',
    ],
  ]
  for (const [entries, message] of wrong) {
    writeFileSync(path, sampleTar(entries))
    await expect(create()).rejects.toMatchObject({ code: 'invalid-content', message: expect.stringContaining(message) })
  }
  writeFileSync(path, sampleTar([{ name: 'manifest.json', content: '[]' }]))
  await expect(openOciArchive(path)).rejects.toMatchObject({ hint: expect.stringContaining('docker-archive:') })
  await expect(openOciArchive(path, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'aborted' })
  path = join(base, 'missing', 'x.tar')
  await using target = await create()
  const { descriptor, bytes } = sample('a/b', 'x')
  await expect(target.putBlob(descriptor, bytesContent(bytes))).rejects.toMatchObject({ code: 'not-found' })
})

it('is read or refused, whatever its files say', async () => {
  const image = sampleImage()
  const index = sampleIndex([image])
  const json = fc.oneof(
    fc.jsonValue().map((value) => JSON.stringify(value)),
    fc.constantFrom('', '{', 'null', '{"manifests":null}', '{"imageLayoutVersion":"1.0.0"}'),
    fc
      .array(
        fc.constantFrom(image.descriptor, index.descriptor, { ...image.descriptor, size: 1e15 }, { size: 1 }, null),
      )
      .map((manifests) => JSON.stringify({ manifests })),
  )
  await fc.assert(
    fc.asyncProperty(json, json, fc.boolean(), async (layout, list, isLayout) => {
      const content = isLayout ? '{"imageLayoutVersion":"1.0.0"}' : layout
      const files = [image, ...image.blobs, index].map(({ descriptor, bytes }) => ({
        name: blobPath(descriptor.digest),
        content: bytes,
      }))
      writeFileSync(path, sampleTar([{ name: 'oci-layout', content }, { name: 'index.json', content: list }, ...files]))
      try {
        await using source = await openOciArchive(path)
        await collect(source.tags())
        await collect(source.referrers(image.descriptor.digest))
        await source.getManifest(await source.resolve(''))
      } catch (error) {
        if (!isClientError(error)) throw error
      }
    }),
    { numRuns: 200 },
  )
})
