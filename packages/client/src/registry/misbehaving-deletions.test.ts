import { fail, jsonReply, replaceBody, setHeader, withoutDeletion, withoutTagDeletion } from '@stowage/testkit'
import { describe, expect, it } from 'vitest'
import { collect } from '../content/pages.ts'
import { startRig } from '../testing/misbehaving.ts'
import { putSample, sample, sampleImage } from '../testing/sample-images.ts'

describe('a tag', () => {
  const image = sampleImage()

  it.each([
    [405, 'UNSUPPORTED'],
    [400, 'DIGEST_INVALID'],
    [501, 'UNSUPPORTED'],
  ])('is removed in two steps where only digests are deleted (%i)', async (status, code) => {
    await using rig = await startRig()
    rig.server.on({}, withoutTagDeletion(status, code))
    await putSample(rig.repository, image, 'v1', 'v2')
    await rig.repository.deleteTag('v1')
    expect(await collect(rig.repository.tags())).toEqual(['v2'])
    expect(await rig.repository.resolve('v2')).toEqual(image.descriptor)
    await expect(rig.repository.deleteTag('nothing')).rejects.toMatchObject({ code: 'not-found' })
    expect(await collect(rig.repository.tags())).toEqual(['v2'])
  })

  it('names what it named where nothing is deleted at all', async () => {
    await using rig = await startRig()
    rig.server.on({}, withoutDeletion())
    await putSample(rig.repository, image, 'v1')
    rig.server.forget()
    await expect(rig.repository.deleteTag('v1')).rejects.toMatchObject({ code: 'unsupported' })
    expect(await rig.repository.resolve('v1')).toEqual(image.descriptor)
    // At no time was it something else.
    expect(rig.server.seen({ method: 'PUT', path: /manifests\/v1/ })).toEqual([])
  })

  it('names what it named when the second step fails', async () => {
    await using rig = await startRig()
    rig.server.on({}, withoutTagDeletion())
    await putSample(rig.repository, image, 'v1')
    rig.server.on({ method: 'DELETE', path: /sha256:/ }, fail(403), { skip: 1 })
    await expect(rig.repository.deleteTag('v1')).rejects.toMatchObject({ code: 'denied' })
    expect(await rig.repository.resolve('v1')).toEqual(image.descriptor)
  })

  it('is not removed in two steps when it is refused', async () => {
    await using rig = await startRig()
    await putSample(rig.repository, image, 'v1')
    for (const status of [401, 403, 404, 409, 500]) {
      const rule = rig.server.on({ method: 'DELETE' }, fail(status))
      rig.server.forget()
      await expect(rig.repository.deleteTag('v1')).rejects.toMatchObject({ status })
      expect(rig.server.requests).toHaveLength(1)
      rule.remove()
    }
  })
})

it('a manifest that this client does not understand is put all the same', async () => {
  await using rig = await startRig({ host: { referrers: 'auto' } })
  const odd = sample('application/x.odd+json', '{"odd":true}')
  rig.server.on({ method: 'PUT' }, () => ({ ...jsonReply(201, {}), status: 201 }))
  await rig.repository.putManifest(odd.descriptor, odd.bytes, { tags: ['v1'] })
  expect(rig.traces).toHaveLength(1)
})

it('a manifest is deleted also where it cannot be read', async () => {
  await using rig = await startRig()
  const image = sampleImage()
  await putSample(rig.repository, image, 'v1')
  rig.server.on({ method: 'GET', path: /manifests/ }, setHeader('docker-content-digest', 'x'))
  rig.server.on({ method: 'GET', path: /manifests/ }, replaceBody('{}'))
  await rig.repository.deleteManifest(image.descriptor.digest)
  expect(await rig.repository.hasManifest(image.descriptor)).toBe(false)
})
