import { type Digest, mediaTypes } from '@stowage/oci'
import { expect, it } from 'vitest'
import { bytesContent } from '../../content/content.ts'
import { collect } from '../../content/pages.ts'
import { putSample, sample, sampleImage } from '../sample-images.ts'
import { allReject, type Contract } from './contract.ts'

/** What every method keeps to. */
export const boundsContract = (contract: Contract): void => {
  it('stops whatever it does with the signal', async () => {
    const repository = contract.repository()
    const image = sampleImage()
    await putSample(repository, image, 'v1')
    const [blob = sample('a/b', '')] = image.blobs
    const upload = await repository.startUpload()
    const options = { signal: AbortSignal.abort(new Error('enough')) }
    const at = `${contract.place().registry}/${repository.repository.name}`
    const calls = [
      contract.client().registry(contract.place().registry).ping(options),
      collect(contract.client().registry(contract.place().registry).repositories(options)),
      contract.client().resolve(`${at}:v1`, options),
      contract.client().open(`${at}:v1`, options),
      contract.client().copy(`${at}:v1`, `${at}:v2`, options).result,
      repository.resolve('v1', options),
      repository.readManifest('v1', options),
      repository.getManifest(image.descriptor, options),
      collect(repository.getBlob(blob.descriptor, options)),
      collect(repository.getBlobFrom(blob.descriptor, 1, options)),
      repository.describeBlob(blob.descriptor.digest, options),
      repository.hasManifest(image.descriptor, options),
      repository.hasBlob(blob.descriptor, options),
      collect(repository.tags(options)),
      collect(repository.referrers(image.descriptor.digest, options)),
      repository.putBlob(blob.descriptor, bytesContent(blob.bytes), options),
      repository.putManifest(image.descriptor, image.bytes, options),
      repository.tag(image.descriptor, 'v2', options),
      repository.deleteTag('v1', options),
      repository.deleteManifest(image.descriptor.digest, options),
      repository.deleteBlob(blob.descriptor.digest, options),
      repository.mountBlob(blob.descriptor.digest, 'test/other', options),
      repository.startUpload(options),
      repository.resumeUpload(upload.token, options),
      upload.status(options),
      upload.write(bytesContent(blob.bytes), options),
      upload.commit(blob.descriptor.digest, options),
      upload.cancel(options),
    ]
    for (const result of await Promise.allSettled(calls)) {
      expect(result).toMatchObject({ status: 'rejected', reason: { name: 'ClientError', code: 'aborted' } })
    }
    expect(await repository.resolve('v1')).toEqual(image.descriptor)
  })

  it('takes no digest for a way to somewhere else', async () => {
    const repository = contract.repository()
    const digest = '../manifests/v1' as Digest
    const descriptor = { mediaType: mediaTypes.ociLayer, digest, size: 1 }
    await putSample(repository, sampleImage(), 'v1')
    await allReject(
      [
        repository.hasBlob(descriptor),
        repository.describeBlob(digest),
        repository.deleteBlob(digest),
        collect(repository.getBlobFrom(descriptor, 0)),
      ],
      { code: 'usage' },
    )
    expect(await collect(repository.tags())).toEqual(['v1'])
  })
}
