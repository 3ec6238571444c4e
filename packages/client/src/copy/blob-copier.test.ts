import { startMisbehavingRegistry } from '@stowage/testkit'
import { expect, it, vi } from 'vitest'
import { createClient } from '../client.ts'
import { createMemoryTarget } from '../memory/memory-target.ts'
import type { Target } from '../content/ports.ts'
import { startRig } from '../testing/misbehaving.ts'
import { putSample, sampleImage } from '../testing/sample-images.ts'
import { copy } from './copy.ts'
import { createTargetKnowledge } from './knowledge.ts'

it('a blob that is sent in chunks is read once', async () => {
  await using rig = await startRig({ host: { uploads: { chunkSize: 64 * 1024, singlePostUpTo: 0 }, concurrency: 4 } })
  await using from = await startMisbehavingRegistry()
  await using client = createClient({ hosts: { [from.host]: { plainHttp: true } } })
  const source = client.repository(`${from.host}/app`)
  const image = sampleImage({ layers: [new Uint8Array(1024 * 1024).fill(7)] })
  await putSample(source, image, 'v1')
  await copy({ source, reference: 'v1' }, { target: rig.repository, tags: ['v1'] }).result
  expect(rig.server.seen({ method: 'PATCH' }).length).toBeGreaterThanOrEqual(16)
  expect(from.seen({ method: 'GET', path: /blobs/ })).toHaveLength(image.blobs.length)
})

it('a copy that is stopped does not wait for the blobs of another', async () => {
  const source = createMemoryTarget('from')
  await putSample(source, sampleImage(), 'v1')
  const knowledge = createTargetKnowledge()
  const memory = createMemoryTarget('to')
  const held = Promise.withResolvers<void>()
  const target: Target = {
    ...memory,
    async putBlob(...args) {
      await held.promise
      return memory.putBlob(...args)
    },
  }
  const first = copy({ source, reference: 'v1' }, { target, tags: ['v1'] }, { knowledge })
  await vi.waitFor(() => expect(knowledge.blobs.size).toBe(2))
  const stop = new AbortController()
  const options = { knowledge, signal: stop.signal }
  const second = copy({ source, reference: 'v1' }, { target, tags: ['v2'] }, options)
  setTimeout(() => stop.abort(), 20)
  await expect(second.result).rejects.toMatchObject({ code: 'aborted' })
  // And the other one goes on.
  held.resolve()
  expect((await first.result).blobs.copied).toBe(2)
})
