import { describe, expect, it } from 'vitest'
import { createClient } from '../client.ts'
import { createMemoryTarget } from '../memory/memory-target.ts'
import { platformIndex } from '../testing/contract/contract.ts'
import { startRig } from '../testing/misbehaving.ts'
import { putSample, sampleImage } from '../testing/sample-images.ts'
import { copy } from './copy.ts'
import type { CopyOptions } from './options.ts'

describe('copy options', () => {
  it.each([
    [{ refererrs: true }, /refererrs is not an option; there are platforms, .*referrers/],
    [{ referrers: 'yes' }, /referrers must be a boolean/],
    [{ index: 'sparce' }, /index must be "rewrite" or "sparse"/],
    [{ concurrency: 0 }, /concurrency must be a whole number of 1 or more, and is 0/],
    [{ concurrency: -1 }, /concurrency must be/],
    [{ concurrency: 1.5 }, /concurrency must be/],
    [{ concurrency: Number.NaN }, /concurrency must be/],
    [{ signal: null }, /signal must be an object/],
    [{ platforms: 'linux/amd64' }, /platforms must be a list/],
    [{ platforms: ['linux'] }, /"linux" is not a platform/],
    [{ platforms: [{ os: 'linux' }] }, /platforms must be text/],
    [{ force: 1, absent: 2 }, /force must be a boolean; absent must be a boolean/],
  ])('%j are no such', async (options, message) => {
    const wrong = options as CopyOptions
    const expected = { code: 'usage', message: expect.stringMatching(message) as string }
    const source = createMemoryTarget('from')
    const job = copy({ source, reference: 'v1' }, { target: createMemoryTarget('to') }, wrong)
    await expect(job.result).rejects.toMatchObject(expected)
    // Before anything is opened: there is nothing at either place.
    await using client = createClient()
    await expect(client.copy('ocidir:/nowhere', 'memory:to', wrong).result).rejects.toMatchObject(expected)
  })

  it('take platforms as people write them', async () => {
    const { index, images } = platformIndex('linux/amd64', 'linux/arm64')
    const source = createMemoryTarget('from')
    await putSample(source, index, 'v1')
    const options = { platforms: ['linux/aarch64'], force: undefined } as unknown as CopyOptions
    const { root } = await copy({ source, reference: 'v1' }, { target: createMemoryTarget('to') }, options).result
    expect(root.digest).toBe(images[1]?.descriptor.digest)
  })

  it('may be what nobody could copy: tags of a client are a list', async () => {
    await using client = createClient()
    const job = client.copy('memory:a', 'memory:b', { tags: 'v1' as never })
    await expect(job.result).rejects.toMatchObject({ code: 'usage' })
  })
})

it('a tag that no registry takes is told before anything is asked', async () => {
  await using rig = await startRig()
  const source = createMemoryTarget('from')
  await putSample(source, sampleImage(), 'v1')
  const job = copy({ source, reference: 'v1' }, { target: rig.repository, tags: ['ok', 'not ok'] })
  await expect(job.result).rejects.toMatchObject({ code: 'usage', message: '"not ok" is not a tag.' })
  expect(rig.server.requests).toEqual([])
})
