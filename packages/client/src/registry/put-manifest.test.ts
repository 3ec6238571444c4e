import { type Behaviour, setHeader } from '@stowage/testkit'
import { describe, expect, it } from 'vitest'
import { bytesContent } from '../content/content.ts'
import { type Rig, startRig } from '../testing/misbehaving.ts'
import { sampleImage } from '../testing/sample-images.ts'

describe('a manifest', () => {
  const image = sampleImage({ algorithm: 'sha512' })
  const start = async (): Promise<Rig> => {
    const rig = await startRig()
    for (const { descriptor, bytes } of image.blobs) await rig.repository.putBlob(descriptor, bytesContent(bytes))
    rig.server.forget()
    return rig
  }

  it('keeps its digest of another algorithm under its tags', async () => {
    await using rig = await start()
    const tags = Array.from({ length: 12 }, (_, index) => `v${index}`)
    await rig.repository.putManifest(image.descriptor, image.bytes, { tags })
    for (const tag of tags) expect(await rig.repository.resolve(tag)).toEqual(image.descriptor)
    expect(await rig.repository.hasManifest(image.descriptor)).toBe(true)
    expect(rig.server.seen({ method: 'PUT' })).toHaveLength(2)
  })

  it('keeps it where the registry sets the tags and does not say so', async () => {
    await using rig = await start()
    rig.server.on({ method: 'PUT' }, setHeader('oci-tag', undefined))
    await rig.repository.putManifest(image.descriptor, image.bytes, { tags: ['v1'] })
    expect(await rig.repository.resolve('v1')).toEqual(image.descriptor)
  })

  it('is not named by another digest where the registry cannot do that', async () => {
    await using rig = await start()
    const ignoreTags: Behaviour = async (call, next) => next({ ...call, target: call.target.replace(/\?.*/, '') })
    rig.server.on({ method: 'PUT' }, ignoreTags)
    await expect(rig.repository.putManifest(image.descriptor, image.bytes, { tags: ['v1'] })).rejects.toMatchObject({
      code: 'unsupported',
      hint: expect.stringContaining(image.descriptor.digest) as string,
    })
    expect(await rig.repository.hasManifest(image.descriptor)).toBe(true)
    await expect(rig.repository.resolve('v1')).rejects.toMatchObject({ code: 'not-found' })
  })

  it('is not sent where one of its tags is none', async () => {
    await using rig = await start()
    await expect(
      rig.repository.putManifest(image.descriptor, image.bytes, { tags: ['ok', 'not ok'] }),
    ).rejects.toMatchObject({ code: 'usage' })
    expect(rig.server.requests).toEqual([])
  })
})
