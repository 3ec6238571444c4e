import {
  fail,
  ignoreArtifactType,
  jsonReply,
  replaceBody,
  withoutReferrersApi,
  withoutSubjectHeader,
} from '@stowage/testkit'
import { mediaTypes, referrersTag } from '@stowage/oci'
import { describe, expect, it } from 'vitest'
import { bytesContent } from '../content/content.ts'
import { collect } from '../content/pages.ts'
import { type Rig, startRig } from '../testing/misbehaving.ts'
import { putSample, sample, sampleImage } from '../testing/sample-images.ts'

describe('referrers', () => {
  const image = sampleImage()
  const subject = image.descriptor
  const sbom = sampleImage({ subject, artifactType: 'application/x.sbom', layers: ['s'] })
  const signature = sampleImage({ subject, artifactType: 'application/x.sig', layers: ['t'] })

  const put = async (rig: Rig): Promise<void> => {
    await putSample(rig.repository, image, 'v1')
    for (const one of [sbom, signature]) await putSample(rig.repository, one)
  }
  const listed = async (rig: Rig, artifactType?: string): Promise<string[]> => {
    const list = rig.repository.referrers(subject.digest, artifactType === undefined ? {} : { artifactType })
    return (await collect(list)).map(({ digest }) => digest).toSorted()
  }
  const both = [sbom.descriptor.digest, signature.descriptor.digest].toSorted()

  it.each(['text', 'oci', 'html', 'none'] as const)(
    'are found by the tag where there is no API (404, %s)',
    async (body) => {
      await using rig = await startRig()
      rig.server.on({}, withoutReferrersApi(body))
      await put(rig)
      expect(await listed(rig)).toEqual(both)
      expect(await listed(rig, 'application/x.sbom')).toEqual([sbom.descriptor.digest])
      expect(await collect(rig.repository.tags())).toContain(referrersTag(subject.digest))
    },
  )

  it.each([400, 405, 406, 501])('are found by the tag where the API is refused with %i', async (status) => {
    await using rig = await startRig()
    rig.server.on({}, withoutSubjectHeader())
    rig.server.on({ path: /referrers/ }, fail(status))
    await put(rig)
    expect(await listed(rig)).toEqual(both)
  })

  it.each([
    [403, 'denied'],
    [401, 'unauthorized'],
    [500, 'registry-failed'],
  ])('are not looked for elsewhere where the API fails with %i', async (status, code) => {
    await using rig = await startRig()
    await put(rig)
    rig.server.on({ path: /referrers/ }, fail(status))
    await expect(listed(rig)).rejects.toMatchObject({ code })
  })

  it('are filtered here where the registry does not', async () => {
    await using rig = await startRig()
    await put(rig)
    rig.server.on({}, ignoreArtifactType())
    expect(await listed(rig, 'application/x.sig')).toEqual([signature.descriptor.digest])
  })

  it('are listed under the tag as well by who pushes to a registry that does not say that it lists them', async () => {
    await using rig = await startRig()
    rig.server.on({}, withoutSubjectHeader())
    await put(rig)
    expect(await collect(rig.repository.tags())).toContain(referrersTag(subject.digest))
    // Who knows better says so.
    await using other = await startRig({ host: { referrers: 'api' } })
    other.server.on({}, withoutSubjectHeader())
    await put(other)
    expect(await collect(other.repository.tags())).toEqual(['v1'])
  })

  it('do not end in a list of another kind in the middle', async () => {
    await using rig = await startRig()
    const page = { schemaVersion: 2, mediaType: mediaTypes.ociImageIndex, manifests: [sbom.descriptor] }
    rig.server.on({ path: /referrers/ }, fail(404))
    rig.server.on(
      { path: /referrers/ },
      ({ target }) => jsonReply(200, page, [['link', `<${target}?p=2>; rel="next"`]]),
      {
        times: 1,
      },
    )
    await expect(listed(rig)).rejects.toMatchObject({ code: 'not-found' })
  })

  it('are not denied where the API is refused and there is no tag either', async () => {
    await using rig = await startRig()
    await put(rig)
    rig.server.on({ path: /referrers/ }, fail(400))
    await expect(listed(rig)).rejects.toMatchObject({ status: 400 })
  })

  it.each([{ digest: 'nonsense' }, null, 5, { ...signature.descriptor, size: -1 }])(
    'that are none are not left out: %j',
    async (entry) => {
      await using rig = await startRig()
      const manifests = [sbom.descriptor, entry]
      rig.server.on({ path: /referrers/ }, () => jsonReply(200, { schemaVersion: 2, manifests }))
      await expect(listed(rig)).rejects.toMatchObject({ code: 'invalid-response' })
      rig.server.on({ path: /referrers/ }, fail(404))
      rig.server.on({ path: /manifests\/sha256-/ }, () =>
        jsonReply(200, { schemaVersion: 2, mediaType: mediaTypes.ociImageIndex, manifests }),
      )
      await expect(listed(rig)).rejects.toMatchObject({ code: 'invalid-content' })
    },
  )

  it('are no answer that is something else', async () => {
    await using rig = await startRig()
    rig.server.on({ path: /referrers/ }, replaceBody('<html>'))
    await expect(listed(rig)).rejects.toMatchObject({ code: 'invalid-response' })
  })

  it('are put into the list beside what others have written there', async () => {
    await using rig = await startRig({ host: { referrers: 'tag' } })
    await putSample(rig.repository, image, 'v1')
    const target = `/v2/test/app/manifests/${referrersTag(subject.digest)}`
    const entry = { ...sbom.descriptor, artifactType: 'a/b', 'vendor.extra': 1, annotations: { a: 'b' } }
    const index = { schemaVersion: 2, mediaType: mediaTypes.ociImageIndex, annotations: { keep: 'me' }, vendor: [1] }
    rig.server.on(
      { method: 'GET', path: /manifests\/sha256-/ },
      () => jsonReply(200, { ...index, manifests: [entry] }),
      {
        times: 1,
      },
    )
    await putSample(rig.repository, signature)
    const { bytes } = await rig.server.send('GET', target, { headers: { accept: mediaTypes.ociImageIndex } })
    expect(JSON.parse(new TextDecoder().decode(bytes))).toMatchObject({
      ...index,
      manifests: [entry, { digest: signature.descriptor.digest, artifactType: 'application/x.sig' }],
    })
  })

  it('are put into the list again when somebody else has written over it', async () => {
    await using rig = await startRig({ host: { referrers: 'tag' } })
    await putSample(rig.repository, image, 'v1')
    const [tag, empty] = [
      referrersTag(subject.digest),
      sample(
        mediaTypes.ociImageIndex,
        JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociImageIndex, manifests: [] }),
      ),
    ]
    let interferences = 0
    rig.server.on({ method: 'PUT', path: new RegExp(tag) }, async (call, next) => {
      const outcome = await next(call)
      if (interferences++ < 3) {
        await rig.server.send('PUT', `/v2/test/app/manifests/${tag}`, {
          body: empty.bytes,
          headers: { 'content-type': mediaTypes.ociImageIndex },
        })
      }
      return outcome
    })
    await putSample(rig.repository, sbom)
    expect(await listed(rig)).toEqual([sbom.descriptor.digest])
    expect(interferences).toBe(4)
  })

  it('are not fought over without end', async () => {
    await using rig = await startRig({ host: { referrers: 'tag' } })
    await putSample(rig.repository, image, 'v1')
    const tag = referrersTag(subject.digest)
    rig.server.on({ method: 'PUT', path: new RegExp(tag) }, fail(412))
    for (const { descriptor, bytes } of sbom.blobs) await rig.repository.putBlob(descriptor, bytesContent(bytes))
    await expect(rig.repository.putManifest(sbom.descriptor, sbom.bytes)).rejects.toMatchObject({ status: 412 })
    expect(rig.server.seen({ method: 'PUT', path: new RegExp(tag) })).toHaveLength(10)
  })
})
