import { digestOf, mediaTypes, parseDigest } from '@stowage/oci'
import { describe, expect, it } from 'vitest'
import { bytesContent, type Content } from '../content/content.ts'
import { collect } from '../content/pages.ts'
import type { Source, Target } from '../content/ports.ts'
import { readAll } from '../content/verify.ts'
import { defaultHash } from '../hash.ts'
import { describeIndexes } from './index-contract.ts'
import { putSample, sample, sampleImage } from './sample-images.ts'

export interface TargetContract {
  /** A new and empty place. */
  open(): Promise<Target>
  /** What reads back what a finished target has; the target itself when nothing else can. */
  reopen?(target: Target): Promise<Source>
  /** A name that is taken here. */
  name(tag: string): string
  /** Whether anything but images for one platform is taken. */
  readonly takesAll: boolean
}

const textOf = async (source: Source, { descriptor }: ReturnType<typeof sample>): Promise<string> =>
  new TextDecoder().decode(await readAll(source.getBlob(descriptor), 1e6, 'blob'))

/** What every place on this machine does alike. */
export const describeTarget = (what: string, contract: TargetContract): void => {
  const { name } = contract
  const reopened = async (target: Target): Promise<Source> => {
    await target.finish()
    return contract.reopen === undefined ? target : contract.reopen(target)
  }

  describe(`${what} as a target`, () => {
    it('gives back what was put, by tag and digest, at once and when it is opened again', async () => {
      await using target = await contract.open()
      const image = sampleImage({ layers: ['one', 'two'] })
      await putSample(target, image, name('v1'))
      await using again = await reopened(target)
      for (const source of [target, again]) {
        expect(await source.resolve(name('v1'))).toEqual(image.descriptor)
        expect(await source.resolve('v1')).toEqual(image.descriptor)
        expect(await source.resolve(image.descriptor.digest)).toEqual(image.descriptor)
        expect(Buffer.from(await source.getManifest(image.descriptor))).toEqual(Buffer.from(image.bytes))
        expect(await Promise.all(image.blobs.slice(1).map((blob) => textOf(source, blob)))).toEqual(['one', 'two'])
        expect(await source.hasManifest(image.descriptor)).toBe(true)
        expect(await Promise.all(image.blobs.map(({ descriptor }) => source.hasBlob(descriptor)))).toEqual([
          true,
          true,
          true,
        ])
      }
    })

    it('says that what is not there is not there', async () => {
      await using target = await contract.open()
      const { descriptor } = sample('a/b', 'nothing')
      expect(await target.hasBlob(descriptor)).toBe(false)
      expect(await target.hasManifest(descriptor)).toBe(false)
      const missing = [
        () => target.resolve('v1'),
        () => target.resolve(''),
        () => target.resolve(descriptor.digest),
        () => target.getManifest(descriptor),
        () => collect(target.getBlob(descriptor)),
        () => target.deleteTag('v1'),
        () => target.deleteManifest(descriptor.digest),
        () => target.tag(descriptor, name('v1')),
      ]
      for (const call of missing) await expect(call()).rejects.toMatchObject({ code: 'not-found' })
      expect(await collect(target.tags())).toEqual([])
      expect(await collect(target.referrers(descriptor.digest))).toEqual([])
    })

    it('stores no blob whose bytes are others, fewer or more than its descriptor says', async () => {
      await using target = await contract.open()
      const { descriptor } = sample('a/b', 'right')
      for (const wrong of ['wrong', 'righ', 'right!', '']) {
        const put = target.putBlob(descriptor, bytesContent(Buffer.from(wrong)))
        await expect(put).rejects.toMatchObject({ code: 'digest-mismatch' })
        expect(await target.hasBlob(descriptor)).toBe(false)
      }
    })

    it('stores nothing of content that breaks off', async () => {
      await using target = await contract.open()
      const { descriptor, bytes } = sample('a/b', 'right')
      const broken: Content = {
        size: 5,
        async *open() {
          yield bytes.subarray(0, 3)
          throw new Error('broke off')
        },
      }
      await expect(target.putBlob(descriptor, broken)).rejects.toThrow('broke off')
      expect(await target.hasBlob(descriptor)).toBe(false)
      expect(await target.putBlob(descriptor, bytesContent(bytes))).toBe('uploaded')
      expect(await target.putBlob(descriptor, bytesContent(Buffer.from('never read')))).toBe('existing')
    })

    it('stores no manifest whose bytes are others than its descriptor says, or that is none', async () => {
      await using target = await contract.open()
      const image = sampleImage()
      const other = Buffer.from(image.bytes.map((byte) => byte ^ 1))
      const put = target.putManifest(image.descriptor, other, { tags: [name('v1')] })
      await expect(put).rejects.toMatchObject({ code: 'digest-mismatch' })
      const none = sample(mediaTypes.ociImageManifest, '{"schemaVersion":2}')
      await expect(target.putManifest(none.descriptor, none.bytes)).rejects.toMatchObject({ code: 'invalid-content' })
      expect(await target.hasManifest(image.descriptor)).toBe(false)
      expect(await collect(target.tags())).toEqual([])
    })

    it('stores empty blobs', async () => {
      await using target = await contract.open()
      const empty = sample('a/b', '')
      expect(await target.putBlob(empty.descriptor, bytesContent(empty.bytes))).toBe('uploaded')
      expect(await textOf(target, empty)).toBe('')
    })

    it('tells of progress', async () => {
      await using target = await contract.open()
      const { descriptor, bytes } = sample('a/b', 'x'.repeat(1000))
      const content: Content = {
        size: 1000,
        async *open() {
          yield bytes.subarray(0, 400)
          yield bytes.subarray(400)
        },
      }
      const sent: number[] = []
      await target.putBlob(descriptor, content, { onProgress: (count) => sent.push(count) })
      expect(sent).toEqual([400, 1000])
    })

    it('moves tags, adds tags and removes tags', async () => {
      await using target = await contract.open()
      const [one, two] = [sampleImage({ layers: ['1'] }), sampleImage({ layers: ['2'] })]
      await putSample(target, one, name('a'), name('b'))
      await putSample(target, two, name('b'))
      await target.tag(one.descriptor, name('c'))
      expect(await collect(target.tags())).toEqual([name('a'), name('b'), name('c')])
      expect(await target.resolve(name('b'))).toEqual(two.descriptor)
      await target.deleteTag(name('b'))
      await expect(target.resolve(name('b'))).rejects.toMatchObject({ code: 'not-found' })
      expect(await target.resolve(two.descriptor.digest)).toEqual(two.descriptor)
      await using again = await reopened(target)
      expect(await collect(again.tags())).toEqual([name('a'), name('c')])
      expect(await again.resolve(two.descriptor.digest)).toEqual(two.descriptor)
      expect(await again.resolve(name('c'))).toEqual(one.descriptor)
    })

    it('removes a manifest with its tags', async () => {
      await using target = await contract.open()
      const image = sampleImage()
      await putSample(target, image, name('a'), name('b'))
      await target.deleteManifest(image.descriptor.digest)
      await using again = await reopened(target)
      for (const source of [target, again]) {
        expect(await collect(source.tags())).toEqual([])
        expect(await source.hasManifest(image.descriptor)).toBe(false)
        await expect(source.resolve(image.descriptor.digest)).rejects.toMatchObject({ code: 'not-found' })
      }
    })

    it('gives tags from a tag on, page by page', async () => {
      await using target = await contract.open()
      await putSample(target, sampleImage(), ...['d', 'b', 'a', 'c'].map(name))
      const pages = await collect(target.tags({ last: name('a'), pageSize: 2 }).pages())
      expect(pages).toEqual([
        { items: [name('b'), name('c')], more: true },
        { items: [name('d')], more: false },
      ])
    })

    it('takes no name that is neither a tag nor a reference with one', async () => {
      await using target = await contract.open()
      const image = sampleImage()
      for (const wrong of ['', 'a b', '../x', 'x'.repeat(129), 'a:b:c', `sha256:${'0'.repeat(64)}`, '\u001B[2J']) {
        await expect(target.putManifest(image.descriptor, image.bytes, { tags: [wrong] })).rejects.toMatchObject({
          code: 'usage',
        })
      }
      expect(await target.hasManifest(image.descriptor)).toBe(false)
    })

    it('finds the one image without a name', async () => {
      await using target = await contract.open()
      const image = sampleImage()
      await putSample(target, image)
      await using again = await reopened(target)
      expect(await again.resolve('')).toEqual(image.descriptor)
      expect(await again.resolve('latest')).toEqual(image.descriptor)
      await expect(again.resolve('v1')).rejects.toMatchObject({ code: 'not-found' })
    })

    it('stops when the signal says so', async () => {
      await using target = await contract.open()
      const image = sampleImage()
      await putSample(target, image, name('v1'))
      const [blob] = image.blobs
      if (blob === undefined) throw new Error('The sample has no blob.')
      const options = { signal: AbortSignal.abort() }
      const content = bytesContent(blob.bytes)
      const calls = [
        () => target.resolve('v1', options),
        () => target.getManifest(image.descriptor, options),
        () => target.hasBlob(blob.descriptor, options),
        () => target.hasManifest(image.descriptor, options),
        () => collect(target.getBlob(blob.descriptor, options)),
        () => collect(target.tags(options)),
        () => target.putBlob(blob.descriptor, content, options),
        () => target.putManifest(image.descriptor, image.bytes, options),
        () => target.tag(image.descriptor, name('v2'), options),
        () => target.deleteTag('v1', options),
        () => target.deleteManifest(image.descriptor.digest, options),
        () => target.finish(options),
      ]
      for (const call of calls) await expect(call()).rejects.toMatchObject({ code: 'aborted' })

      const stop = new AbortController()
      const { descriptor, bytes } = sample('a/b', 'x'.repeat(1000))
      const stopped: Content = {
        size: 1000,
        async *open() {
          yield bytes.subarray(0, 400)
          stop.abort()
          yield bytes.subarray(400)
        },
      }
      const put = target.putBlob(descriptor, stopped, { signal: stop.signal })
      await expect(put).rejects.toMatchObject({ code: 'aborted' })
      expect(await target.hasBlob(descriptor)).toBe(false)
    })

    it('knows sha512', async () => {
      await using target = await contract.open()
      const image = sampleImage({ algorithm: 'sha512' })
      await putSample(target, image, name('v1'))
      await using again = await reopened(target)
      expect(await again.resolve('v1')).toEqual(image.descriptor)
      expect(parseDigest(image.descriptor.digest)).toMatch(/^sha512:/)
      for (const blob of image.blobs) await textOf(again, blob)
      const bytes = await again.getManifest(image.descriptor)
      expect(digestOf(bytes, defaultHash, 'sha512')).toBe(image.descriptor.digest)
    })

    it('takes puts at the same time', async () => {
      await using target = await contract.open()
      const images = Array.from({ length: 20 }, (_, at) => sampleImage({ layers: ['shared', `own ${at}`] }))
      await Promise.all(images.map((image, at) => putSample(target, image, name(`v${at}`))))
      await using again = await reopened(target)
      expect(await collect(again.tags())).toHaveLength(20)
      for (const [at, image] of images.entries()) {
        expect(await again.resolve(name(`v${at}`))).toEqual(image.descriptor)
        for (const blob of image.blobs) await textOf(again, blob)
      }
    })

    if (contract.takesAll) describeIndexes(contract.open, reopened)
  })
}
