import { type Digest, referrersTag } from '@stowage/oci'
import { describe, expect, it } from 'vitest'
import { bytesContent } from '../../content/content.ts'
import { collect } from '../../content/pages.ts'
import type { Repository } from '../../registry/repository.ts'
import type { HostOptions } from '../../transport/hosts.ts'
import { putSample, sampleImage } from '../sample-images.ts'
import type { Contract } from './contract.ts'
import { fresh } from './fresh.ts'

const prepared = async (repository: Repository) => {
  const image = sampleImage({ layers: [fresh(20)] })
  await putSample(repository, image, 'v1')
  const subject = image.descriptor
  const sbom = sampleImage({ subject, layers: ['s'], artifactType: 'application/x.sbom', annotations: { a: 'b' } })
  const signature = sampleImage({ subject, layers: ['t'], artifactType: 'application/x.sig' })
  for (const referrer of [sbom, signature]) await putSample(repository, referrer)
  return { image, sbom, signature }
}
const digests = async (repository: Repository, subject: Digest, artifactType?: string): Promise<Digest[]> =>
  (await collect(repository.referrers(subject, artifactType === undefined ? {} : { artifactType })))
    .map(({ digest }) => digest)
    .toSorted()

/** Referrers, by the API and by the tag that stands in for it. */
export const referrersContract = (contract: Contract): void => {
  describe('referrers', () => {
    it.each<NonNullable<HostOptions['referrers']>>(
      contract.facts.referrersApi ? ['auto', 'api', 'tag'] : ['auto', 'tag'],
    )('are listed, by type too, and until they are deleted (%s)', async (referrers) => {
      await using other = contract.place().connect({ referrers })
      const repository = contract.repository(other)
      const { image, sbom, signature } = await prepared(repository)
      const { digest } = image.descriptor
      const both = [sbom.descriptor.digest, signature.descriptor.digest].toSorted()
      expect(await digests(repository, digest)).toEqual(both)
      expect(await digests(repository, digest, 'application/x.sbom')).toEqual([sbom.descriptor.digest])
      expect(await digests(repository, digest, 'application/x.other')).toEqual([])
      expect(await collect(repository.referrers(digest, { artifactType: 'application/x.sbom' }))).toEqual([
        { ...sbom.descriptor, artifactType: 'application/x.sbom', annotations: { a: 'b' } },
      ])
      await repository.deleteManifest(sbom.descriptor.digest)
      expect(await digests(repository, digest)).toEqual([signature.descriptor.digest])
      expect(await digests(repository, signature.descriptor.digest)).toEqual([])
      const listed = (await collect(repository.tags())).includes(referrersTag(digest))
      expect(listed).toBe(referrers === 'tag' || !contract.facts.referrersApi)
    })

    it('are all in the list when many are put at once', async () => {
      await using other = contract.place().connect({ referrers: 'tag' })
      const repository = contract.repository(other)
      const image = sampleImage()
      await putSample(repository, image, 'v1')
      const all = Array.from({ length: 8 }, (_, index) =>
        sampleImage({ subject: image.descriptor, layers: [`${index}`] }),
      )
      for (const { blobs } of all) {
        for (const { descriptor, bytes } of blobs) await repository.putBlob(descriptor, bytesContent(bytes))
      }
      await Promise.all(all.map(async ({ descriptor, bytes }) => repository.putManifest(descriptor, bytes)))
      expect(await digests(repository, image.descriptor.digest)).toEqual(
        all.map(({ descriptor }) => descriptor.digest).toSorted(),
      )
    })

    it('are none where their tag is something else, which is not written over', async () => {
      await using other = contract.place().connect({ referrers: 'tag' })
      const repository = contract.repository(other)
      const image = sampleImage()
      await putSample(repository, image, 'v1', referrersTag(image.descriptor.digest))
      expect(await collect(repository.referrers(image.descriptor.digest))).toEqual([])
      const signature = sampleImage({ subject: image.descriptor, artifactType: 'a/b', layers: ['s'] })
      await expect(putSample(repository, signature)).rejects.toMatchObject({ code: 'invalid-content' })
      expect(await repository.resolve(referrersTag(image.descriptor.digest))).toEqual(image.descriptor)
    })
  })
}
