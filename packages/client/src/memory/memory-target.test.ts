import { expect, it } from 'vitest'
import { bytesContent, type Content } from '../content/content.ts'
import { collect } from '../content/pages.ts'
import { javascriptHash } from '../hash.ts'
import { putSample, sample, sampleImage } from '../testing/sample-images.ts'
import { describeTarget } from '../testing/target-contract.ts'
import { createMemoryTarget } from './memory-target.ts'

describeTarget('memory', { open: async () => createMemoryTarget('test'), name: (tag) => tag, takesAll: true })

it('is called by its name', () => {
  expect(createMemoryTarget().name).toBe('memory')
  expect(createMemoryTarget('app').name).toBe('memory:app')
})

it('shares no bytes with who puts them and who gets them', async () => {
  const target = createMemoryTarget()
  const { descriptor, bytes } = sample('a/b', 'abc')
  const reused = Buffer.from(bytes)
  const content: Content = {
    size: 3,
    async *open() {
      yield reused
    },
  }
  await target.putBlob(descriptor, content)
  reused.fill(0)
  for (const piece of await collect(target.getBlob(descriptor))) piece.fill(0)
  expect(Buffer.concat(await collect(target.getBlob(descriptor))).toString()).toBe('abc')
})

it('verifies with the hash that it is given', async () => {
  const target = createMemoryTarget('app', { hash: javascriptHash })
  const image = sampleImage()
  await putSample(target, image, 'v1')
  expect(await target.resolve('v1')).toEqual(image.descriptor)
  const wrong = createMemoryTarget('app', { hash: () => ({ update: () => {}, hex: () => '0'.repeat(64) }) })
  const { descriptor, bytes } = sample('a/b', 'abc')
  await expect(wrong.putBlob(descriptor, bytesContent(bytes))).rejects.toMatchObject({ code: 'digest-mismatch' })
})

it('is empty once it is disposed of', async () => {
  const target = createMemoryTarget()
  const image = sampleImage()
  await putSample(target, image, 'v1')
  await target[Symbol.asyncDispose]()
  expect(await target.hasManifest(image.descriptor)).toBe(false)
  expect(await collect(target.tags())).toEqual([])
})
