import {
  cutBodyAfter,
  flipByte,
  lengthenBody,
  replaceBody,
  sample as samples,
  setHeader,
  shortenBody,
  wrongDigestHeader,
} from '@stowage/testkit'
import { describe, expect, it } from 'vitest'
import { startRig, type Rig } from '../testing/misbehaving.ts'

const image = samples.image('one')

const rigWithImage = async (): Promise<Rig> => {
  const rig = await startRig()
  await samples.pushImage(rig.server, 'test/app', 'v1', image)
  return rig
}

describe('a manifest', () => {
  const { mediaType, manifest } = image
  const wanted = { mediaType, digest: image.digest, size: manifest.byteLength }

  it.each([
    ['another byte', flipByte(3)],
    ['fewer bytes', shortenBody(100)],
    ['more bytes', lengthenBody(' ')],
    ['other content', replaceBody(samples.image('two').manifest)],
  ])('is not taken with %s', async (_, behaviour) => {
    await using rig = await rigWithImage()
    rig.server.on({ method: 'GET', path: /manifests/ }, behaviour)
    await expect(rig.repository.readManifest('v1')).rejects.toMatchObject({ code: 'digest-mismatch' })
    await expect(rig.repository.readManifest(image.digest)).rejects.toMatchObject({ code: 'digest-mismatch' })
    await expect(rig.repository.getManifest(wanted)).rejects.toMatchObject({ code: 'digest-mismatch' })
    await expect(rig.client.open(`${rig.server.host}/test/app:v1`)).rejects.toMatchObject({ code: 'digest-mismatch' })
  })

  it('is asked for again when it breaks off', async () => {
    await using rig = await rigWithImage()
    rig.server.on({ method: 'GET', path: /manifests/ }, cutBodyAfter(10), { times: 2 })
    expect((await rig.repository.readManifest('v1')).descriptor.digest).toBe(image.digest)
    rig.server.on({ method: 'GET', path: /manifests/ }, cutBodyAfter(10))
    await expect(rig.repository.readManifest('v1')).rejects.toMatchObject({ code: 'network' })
  })

  it('has no more than 4 MiB', async () => {
    await using rig = await rigWithImage()
    rig.server.on({ method: 'GET', path: /manifests/ }, lengthenBody(' '.repeat(5_000_000)))
    await expect(rig.repository.readManifest('v1')).rejects.toMatchObject({ code: 'too-large' })
  })

  it('needs nothing but its bytes', async () => {
    await using rig = await rigWithImage()
    for (const [name, values] of Object.entries({
      'docker-content-digest': [undefined, 'nonsense', 'sha256:abc', `sha999:${'a'.repeat(64)}`],
      'content-length': [undefined],
      'content-type': [undefined, 'text/plain'],
    })) {
      for (const value of values) {
        const rule = rig.server.on({ path: /manifests/ }, setHeader(name, value))
        expect((await rig.repository.resolve('v1')).digest).toBe(image.digest)
        expect(await rig.repository.readManifest('v1')).toMatchObject({
          descriptor: { digest: image.digest, mediaType },
        })
        rule.remove()
      }
    }
  })

  it('is not called by what a registry says it is called', async () => {
    await using rig = await rigWithImage()
    rig.server.on({ path: /manifests/ }, wrongDigestHeader())
    await expect(rig.repository.resolve(image.digest)).rejects.toMatchObject({ code: 'digest-mismatch' })
    await expect(rig.repository.readManifest('v1')).rejects.toMatchObject({ code: 'digest-mismatch' })
    await expect(rig.repository.putManifest(wanted, manifest, { tags: ['v2'] })).rejects.toMatchObject({
      code: 'digest-mismatch',
    })
    // By its tag alone nobody can know better, until it is read.
    const { digest: said } = await rig.repository.resolve('v1')
    await expect(rig.repository.getManifest({ ...wanted, digest: said })).rejects.toMatchObject({ name: 'ClientError' })
  })
})
