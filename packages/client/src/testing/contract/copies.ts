import { referrersTag } from '@stowage/oci'
import { describe, expect, it } from 'vitest'
import { bytesContent } from '../../content/content.ts'
import { collect } from '../../content/pages.ts'
import { readAll } from '../../content/verify.ts'
import type { CopyEvent } from '../../copy/events.ts'
import { parsePlatform } from '../../platform.ts'
import type { Repository } from '../../registry/repository.ts'
import { putSample, sampleImage } from '../sample-images.ts'
import { type Contract, platformIndex } from './contract.ts'
import { fresh } from './fresh.ts'

const at = ({ name }: Repository, tag = 'v1'): string => `${name}:${tag}`

/** Copies between repositories, and with memory. */
export const copyContract = (contract: Contract): void => {
  describe('a copy', () => {
    it('brings an index with all it has, once each, and tells of it', async () => {
      const [from, to] = [contract.repository(), contract.repository()]
      const { images, index } = platformIndex('linux/amd64', 'linux/arm64')
      await putSample(from, index, 'v1')
      const job = contract.client().copy(at(from), `memory:${at(from)}`)
      const events: CopyEvent[] = await collect(job)
      const result = await job.result
      expect(result).toMatchObject({
        root: index.descriptor,
        manifests: { copied: 3, existing: 0 },
        blobs: { copied: 5, existing: 0, mounted: 0 },
        retries: 0,
      })
      expect(events.filter(({ type }) => type === 'found')).toHaveLength(8)
      expect(events.filter(({ type }) => type === 'done')).toHaveLength(8)
      // And from memory to another repository, where nothing can be mounted.
      const back = await contract.client().copy(`memory:${at(from)}`, at(to)).result
      expect(back).toMatchObject({ root: index.descriptor, blobs: { copied: 5 }, bytes: result.bytes })
      expect(await to.resolve('v1')).toEqual(index.descriptor)
      for (const { descriptor } of images.flatMap(({ blobs }) => blobs)) {
        expect((await readAll(to.getBlob(descriptor), 1e8, 'it')).byteLength).toBe(descriptor.size)
      }
      expect(await contract.client().copy(at(from), at(to)).result).toMatchObject({
        manifests: { copied: 0, existing: 3 },
      })
    })

    it('mounts within the registry', async () => {
      const [from, to] = [contract.repository(), contract.repository()]
      const image = sampleImage({ layers: [fresh(1000), fresh(1000)] })
      await putSample(from, image, 'v1')
      const result = await contract.client().copy(at(from), at(to, 'v2'), { tags: ['v3'] }).result
      expect(result).toMatchObject({ blobs: { copied: 0, mounted: 3 }, bytes: 0 })
      expect(await to.resolve('v2')).toEqual(image.descriptor)
      expect(await to.resolve('v3')).toEqual(image.descriptor)
    })

    it('takes some platforms', async () => {
      const [from, to] = [contract.repository(), contract.repository()]
      const { images, index } = platformIndex('linux/amd64', 'linux/arm64', 'linux/s390x')
      await putSample(from, index, 'v1')
      const one = await contract.client().copy(at(from), at(to, 'one'), { platforms: [parsePlatform('linux/arm64')] })
        .result
      expect(one.root.digest).toBe(images[1]?.descriptor.digest)
      const platforms = [parsePlatform('linux/amd64'), parsePlatform('linux/s390x')]
      const two = await contract.client().copy(at(from), at(to, 'two'), { platforms }).result
      expect(two.root.digest).not.toBe(index.descriptor.digest)
      const opened = await contract.client().open(at(to, 'two'))
      if (opened.kind !== 'index') throw new Error(opened.kind)
      expect(opened.manifest.manifests).toHaveLength(2)
      await expect(
        contract.client().copy(at(from), at(to, 'none'), { platforms: [parsePlatform('linux/mips')] }).result,
      ).rejects.toMatchObject({ code: 'not-found' })
      await expect(to.resolve('none')).rejects.toMatchObject({ code: 'not-found' })
    })

    it('brings referrers and what refers to them, and the tags made of digests', async () => {
      const [from, to] = [contract.repository(), contract.repository()]
      const image = sampleImage({ layers: [fresh(10)] })
      const sbom = sampleImage({ subject: image.descriptor, layers: ['sbom'] })
      const signature = sampleImage({ subject: sbom.descriptor, layers: ['sig'] })
      const old = sampleImage({ layers: ['cosign'] })
      await putSample(from, image, 'v1')
      for (const referrer of [sbom, signature]) await putSample(from, referrer)
      await putSample(from, old, `${referrersTag(image.descriptor.digest)}.sig`)
      const result = await contract.client().copy(at(from), at(to), { referrers: true, digestTags: true }).result
      expect(result.referrers).toBe(2)
      const referrersOf = async ({ descriptor }: typeof image): Promise<string[]> =>
        (await collect(to.referrers(descriptor.digest))).map(({ digest }) => digest)
      expect(await referrersOf(image)).toEqual([sbom.descriptor.digest])
      expect(await referrersOf(sbom)).toEqual([signature.descriptor.digest])
      expect(await to.resolve(`${referrersTag(image.descriptor.digest)}.sig`)).toEqual(old.descriptor)
    })

    it('fails without a tag when something is missing, and says whose fault it is', async () => {
      const to = contract.repository()
      const image = sampleImage({ layers: [fresh(10)] })
      await using memory = await contract
        .client()
        .target('memory:half')
        .then(({ target }) => target)
      for (const { descriptor, bytes } of image.blobs.slice(0, -1))
        await memory.putBlob(descriptor, bytesContent(bytes))
      await memory.putManifest(image.descriptor, image.bytes, { tags: ['v1'] })
      await expect(contract.client().copy('memory:half:v1', at(to)).result).rejects.toMatchObject({
        code: 'not-found',
        side: 'source',
      })
      await expect(to.resolve('v1')).rejects.toMatchObject({ code: 'not-found' })
    })
  })
}
