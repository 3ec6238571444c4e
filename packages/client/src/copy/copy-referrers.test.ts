import { describe, expect, it } from 'vitest'
import { collect } from '../content/pages.ts'
import { createMemoryTarget } from '../memory/memory-target.ts'
import { startRig } from '../testing/misbehaving.ts'
import { putSample, type SampleManifest, sampleImage } from '../testing/sample-images.ts'
import { copy } from './copy.ts'

const about = (subject: SampleManifest, layer: string): SampleManifest =>
  sampleImage({ subject: subject.descriptor, artifactType: 'a/sig', layers: [layer] })

describe('a copy with referrers', () => {
  it('goes on without what is listed and not there, and tells of it', async () => {
    await using rig = await startRig({ host: { referrers: 'tag', concurrency: 4 } })
    const image = sampleImage()
    const [gone, there] = [about(image, 'gone'), about(image, 'there')]
    await putSample(rig.repository, image, 'v1')
    await putSample(rig.repository, gone)
    await putSample(rig.repository, there)
    await rig.server.send('DELETE', `/v2/test/app/manifests/${gone.descriptor.digest}`)
    const target = createMemoryTarget()
    const job = copy({ source: rig.repository, reference: 'v1' }, { target }, { referrers: true })
    const missing = (await collect(job)).filter(({ type }) => type === 'missing')
    expect(missing).toEqual([
      { type: 'missing', descriptor: expect.objectContaining({ digest: gone.descriptor.digest }) },
    ])
    expect(await job.result).toMatchObject({ referrers: 1, missingReferrers: 1 })
    expect(await target.hasManifest(there.descriptor)).toBe(true)
  })

  it.each([
    [20, undefined],
    [21, 'invalid-content'],
  ])('of a chain of %d takes all or fails (%s)', async (length, code) => {
    const source = createMemoryTarget('from')
    let last = sampleImage()
    await putSample(source, last, 'v1')
    for (let at = 0; at < length; at++) await putSample(source, (last = about(last, `${at}`)))
    const { result } = copy({ source, reference: 'v1' }, { target: createMemoryTarget('to') }, { referrers: true })
    if (code === undefined) expect((await result).referrers).toBe(length)
    else await expect(result).rejects.toMatchObject({ code, side: 'source' })
  })
})
