import { describe, expect, it } from 'vitest'
import { collect } from '../../content/pages.ts'
import { parsePlatform } from '../../platform.ts'
import { putSample, sampleImage } from '../sample-images.ts'
import { allReject, type Contract, platformIndex, text } from './contract.ts'
import { fresh } from './fresh.ts'

/** Manifests and their tags. */
export const manifestContract = (contract: Contract): void => {
  describe('manifests', () => {
    it('come back byte for byte, by tag and by digest', async () => {
      const repository = contract.repository()
      const image = sampleImage({ layers: ['one', 'two'] })
      await putSample(repository, image, 'v1', 'v2')
      for (const reference of ['v1', 'v2', image.descriptor.digest]) {
        expect(await repository.resolve(reference)).toEqual(image.descriptor)
        const { descriptor, bytes } = await repository.readManifest(reference)
        expect(descriptor).toEqual(image.descriptor)
        expect(Buffer.compare(bytes, image.bytes)).toBe(0)
      }
      expect(Buffer.compare(await repository.getManifest(image.descriptor), image.bytes)).toBe(0)
      expect(await repository.hasManifest(image.descriptor)).toBe(true)
      expect(await contract.client().resolve(`${contract.place().registry}/${repository.repository.name}:v1`)).toEqual(
        image.descriptor,
      )
    })

    it('that are not there are not found', async () => {
      const repository = contract.repository()
      const image = sampleImage({ layers: [fresh(10)] })
      expect(await repository.hasManifest(image.descriptor)).toBe(false)
      await allReject(
        [
          repository.resolve('v1'),
          repository.readManifest(image.descriptor.digest),
          repository.getManifest(image.descriptor),
          repository.tag(image.descriptor, 'v1'),
          repository.deleteTag('v1'),
        ],
        { code: 'not-found', status: 404 },
      )
    })

    it('are not what their descriptor does not say', async () => {
      const repository = contract.repository()
      const image = sampleImage()
      await putSample(repository, image, 'v1')
      const longer = { ...image.descriptor, size: image.descriptor.size + 1 }
      await expect(repository.getManifest(longer)).rejects.toMatchObject({ code: 'digest-mismatch' })
      for (const [descriptor, bytes] of [
        [longer, image.bytes],
        [image.descriptor, Buffer.concat([image.bytes, Buffer.from(' ')])],
      ] as const) {
        await expect(repository.putManifest(descriptor, bytes)).rejects.toMatchObject({ code: 'digest-mismatch' })
      }
    })

    it.each(['', 'a b', '../x', 'x'.repeat(129), 'sha256:abc', '\u001b[2J'])('are not called %j', async (reference) => {
      const repository = contract.repository()
      const { descriptor, bytes } = sampleImage()
      await allReject(
        [
          repository.resolve(reference),
          repository.putManifest(descriptor, bytes, { tags: [reference] }),
          repository.deleteTag(reference),
        ],
        { code: 'usage' },
      )
    })

    it('get further tags, and lose them', async () => {
      const repository = contract.repository()
      const [one, two] = [sampleImage({ layers: ['1'] }), sampleImage({ layers: ['2'] })]
      await putSample(repository, one, 'a')
      await putSample(repository, two, 'b')
      await repository.tag(one.descriptor, 'c')
      await repository.tag(one.descriptor, 'b')
      expect((await collect(repository.tags())).toSorted()).toEqual(['a', 'b', 'c'])
      expect(await repository.resolve('b')).toEqual(one.descriptor)
      await repository.deleteTag('b')
      expect((await collect(repository.tags())).toSorted()).toEqual(['a', 'c'])
      expect(await repository.resolve('a')).toEqual(one.descriptor)
      expect(await repository.resolve(two.descriptor.digest)).toEqual(two.descriptor)
      await expect(repository.deleteTag('b')).rejects.toMatchObject({ code: 'not-found' })
    })

    it('are deleted with their tags', async () => {
      const repository = contract.repository()
      const [one, two] = [sampleImage({ layers: ['1'] }), sampleImage({ layers: ['2'] })]
      await putSample(repository, one, 'a', 'b')
      await putSample(repository, two, 'c')
      await repository.deleteManifest(one.descriptor.digest)
      expect(await repository.hasManifest(one.descriptor)).toBe(false)
      expect(await collect(repository.tags())).toEqual(['c'])
      await expect(repository.deleteManifest(one.descriptor.digest)).rejects.toMatchObject({ code: 'not-found' })
    })

    it('are opened as what they are', async () => {
      const repository = contract.repository()
      const { images, index } = platformIndex('linux/amd64', 'linux/arm64')
      await putSample(repository, index, 'index')
      const artifact = sampleImage({ layers: ['a file'], artifactType: 'application/x.test' })
      await putSample(repository, artifact, 'artifact')
      const at = `${contract.place().registry}/${repository.repository.name}`
      const opened = await contract.client().open(`${at}:index`)
      if (opened.kind !== 'index') throw new Error(opened.kind)
      const image = await opened.platform(parsePlatform('linux/arm64'))
      if (image.kind !== 'image') throw new Error(image.kind)
      expect(image.descriptor.digest).toBe(images[1]?.descriptor.digest)
      expect(await image.config()).toMatchObject({ os: 'linux', architecture: 'arm64' })
      await expect(opened.platform(parsePlatform('linux/s390x'))).rejects.toMatchObject({
        code: 'not-found',
        hint: 'There is linux/amd64, linux/arm64.',
      })
      const files = await contract.client().open(`${at}:artifact`)
      if (files.kind !== 'artifact') throw new Error(files.kind)
      expect(files.artifactType).toBe('application/x.test')
      const [file] = files.files
      if (file === undefined) throw new Error('no file')
      expect(await text(files.source.getBlob(file))).toBe('a file')
    })
  })

  describe('tags', () => {
    it('come page by page, from any of them on', async () => {
      const repository = contract.repository()
      const tags = Array.from({ length: 7 }, (_, index) => `t${index}`)
      await putSample(repository, sampleImage(), ...tags)
      expect((await collect(repository.tags())).toSorted()).toEqual(tags)
      if (!contract.facts.pagesTags) return
      const pages = await collect(repository.tags({ pageSize: 3 }).pages())
      expect(pages.map(({ items, more }) => [items.length, more])).toEqual([
        [3, true],
        [3, true],
        [1, false],
      ])
      expect(await collect(repository.tags({ pageSize: 2, last: 't4' }))).toEqual(['t5', 't6'])
    })

    it('of a repository that is not there are not found', async () => {
      await expect(collect(contract.repository().tags())).rejects.toMatchObject({ code: 'not-found' })
    })
  })
}
