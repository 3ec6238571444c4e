import { cutBodyAfter, cutUploadAfter, fail, flipByte, hang, loseAnswer } from '@stowage/testkit'
import { describe, expect, it, vi } from 'vitest'
import { createClient } from '../client.ts'
import { bytesContent } from '../content/content.ts'
import { collect } from '../content/pages.ts'
import type { Target } from '../content/ports.ts'
import { readAll } from '../content/verify.ts'
import { ClientError } from '../errors.ts'
import { createMemoryTarget } from '../memory/memory-target.ts'
import { platformIndex } from '../testing/contract/contract.ts'
import { fresh } from '../testing/contract/fresh.ts'
import { type Rig, startRig } from '../testing/misbehaving.ts'
import { putSample, sampleImage, sampleIndex, type SampleManifest } from '../testing/sample-images.ts'
import { copy } from './copy.ts'
import type { CopyEvent } from './events.ts'

/** The client's names for a place in memory and for the registry. */
const prepared = async (rig: Rig, manifest: SampleManifest): Promise<{ from: string; to: string }> => {
  const { target } = await rig.client.target('memory:from')
  await putSample(target, manifest, 'v1')
  return { from: 'memory:from:v1', to: `${rig.server.host}/test/app:v1` }
}

const complete = async (rig: Rig, manifest: SampleManifest, tag = 'v1'): Promise<void> => {
  expect((await rig.repository.resolve(tag)).digest).toBe(manifest.descriptor.digest)
  const images = manifest.manifests.length === 0 ? [manifest] : manifest.manifests
  for (const { descriptor } of images.flatMap(({ blobs }) => blobs)) {
    expect((await readAll(rig.repository.getBlob(descriptor), 1e8, 'it')).byteLength).toBe(descriptor.size)
  }
}

describe('a copy', () => {
  it('sends what several images share once', async () => {
    await using rig = await startRig({ host: { concurrency: 4 } })
    const { images, index } = platformIndex('linux/amd64', 'linux/arm64', 'linux/s390x')
    const { from, to } = await prepared(rig, index)
    const result = await rig.client.copy(from, to, { concurrency: 8 }).result
    const distinct = new Set(images.flatMap(({ blobs }) => blobs.map(({ descriptor }) => descriptor.digest)))
    expect(result.blobs).toEqual({ copied: distinct.size, existing: 0, mounted: 0 })
    expect(rig.server.seen({ method: 'POST' })).toHaveLength(distinct.size)
    await complete(rig, index)
  })

  it('asks for nothing first where the caller knows that nothing is there', async () => {
    await using rig = await startRig()
    const image = sampleImage({ layers: [fresh(100)] })
    const { from, to } = await prepared(rig, image)
    await rig.client.copy(from, to, { absent: true }).result
    expect(rig.server.requests.map(({ method }) => method).toSorted()).toEqual(['POST', 'POST', 'PUT'])
  })

  it('looks below what is there when it is told to, and mends it', async () => {
    await using rig = await startRig()
    const image = sampleImage({ layers: [fresh(100)] })
    const { from, to } = await prepared(rig, image)
    await rig.client.copy(from, to).result
    expect(await rig.client.copy(from, to).result).toMatchObject({
      manifests: { copied: 0, existing: 1 },
      blobs: { existing: 0 },
    })
    expect(await rig.client.copy(from, to, { force: true }).result).toMatchObject({
      manifests: { copied: 1 },
      blobs: { copied: 0, existing: 2 },
    })
  })

  it('twice at once to the same place comes to the same', async () => {
    await using rig = await startRig({ host: { concurrency: 8, uploads: { singlePostUpTo: 0 } } })
    const { index } = platformIndex('linux/amd64', 'linux/arm64')
    const { from, to } = await prepared(rig, index)
    const jobs = Array.from({ length: 4 }, () => rig.client.copy(from, to))
    for (const { root } of await Promise.all(jobs.map(async ({ result }) => result))) {
      expect(root).toEqual(index.descriptor)
    }
    await complete(rig, index)
  })

  it('goes on through what passes, and tells of it', async () => {
    await using rig = await startRig({ host: { concurrency: 2, uploads: { singlePostUpTo: 0 } } })
    const image = sampleImage({ layers: Array.from({ length: 5 }, () => fresh(50_000)) })
    const { from, to } = await prepared(rig, image)
    rig.server.on({}, fail(503), { skip: 3, times: 2 })
    rig.server.on({ method: 'PATCH' }, cutUploadAfter(100), { times: 3 })
    rig.server.on({ method: 'PUT' }, loseAnswer(), { skip: 2, times: 1 })
    const job = rig.client.copy(from, to)
    const events = await collect(job)
    const result = await job.result
    expect(result.retries).toBeGreaterThanOrEqual(5)
    expect(events.filter(({ type }) => type === 'retry')).toHaveLength(result.retries)
    await complete(rig, image)
  })

  it('takes up again what breaks off at its source', async () => {
    await using rig = await startRig({ host: { concurrency: 2 } })
    const image = sampleImage({ layers: [fresh(200_000), fresh(100)] })
    await putSample(rig.repository, image, 'v1')
    rig.server.on({ method: 'GET', path: /blobs/ }, cutBodyAfter(50), { times: 4 })
    const result = await rig.client.copy(`${rig.server.host}/test/app:v1`, 'memory:to:v1').result
    expect(result.retries).toBe(4)
    const { target } = await rig.client.target('memory:to')
    expect(await target.resolve('v1')).toEqual(image.descriptor)
  })
})

describe('a copy that fails', () => {
  it.each([
    ['a blob that is refused', 'POST', /digest=/, 'target'],
    ['a manifest that is refused', 'PUT', /manifests\/sha256/, 'target'],
    ['a root that is refused', 'PUT', /manifests\/v1/, 'target'],
  ] as const)('leaves no tag: %s', async (_, method, path, side) => {
    await using rig = await startRig({ host: { concurrency: 4 } })
    const { index } = platformIndex('linux/amd64', 'linux/arm64')
    const { from, to } = await prepared(rig, index)
    const rule = rig.server.on({ method, path }, fail(403), { skip: method === 'POST' ? 2 : 0 })
    await expect(rig.client.copy(from, to).result).rejects.toMatchObject({ code: 'denied', side, status: 403 })
    await expect(rig.repository.resolve('v1')).rejects.toMatchObject({ code: 'not-found' })
    rule.remove()
    // And goes on where it was.
    const again = await rig.client.copy(from, to).result
    expect(again.blobs.existing + again.manifests.existing).toBeGreaterThan(0)
    await complete(rig, index)
  })

  it('says that the source is at fault, and stores nothing of it', async () => {
    await using rig = await startRig({ host: { concurrency: 4 } })
    const image = sampleImage({ layers: [fresh(100_000)] })
    await putSample(rig.repository, image, 'v1')
    rig.server.on({ method: 'GET', path: /blobs/ }, flipByte(5))
    const to = `${rig.server.host}/test/other:v1`
    const { target } = await rig.client.target('memory:to')
    await expect(rig.client.copy(`${rig.server.host}/test/app:v1`, 'memory:to:v1').result).rejects.toMatchObject({
      code: 'digest-mismatch',
      side: 'source',
    })
    for (const { descriptor } of image.blobs) expect(await target.hasBlob(descriptor)).toBe(false)
    expect(await collect(target.tags())).toEqual([])
    // Nothing is mounted here, so that its bytes go through this client.
    rig.server.on({ method: 'POST', path: /mount=/ }, fail(404))
    await expect(rig.client.copy(`${rig.server.host}/test/app:v1`, to).result).rejects.toMatchObject({ side: 'source' })
    await expect(rig.client.resolve(to)).rejects.toMatchObject({ code: 'not-found' })
  })

  it('ends with the failure, when nothing goes on any more', async () => {
    await using rig = await startRig({ host: { concurrency: 8 } })
    const image = sampleImage({ layers: Array.from({ length: 20 }, () => fresh(1000)) })
    const { from, to } = await prepared(rig, image)
    rig.server.on({ method: 'POST' }, fail(403), { skip: 5, times: 1 })
    await expect(rig.client.copy(from, to, { concurrency: 8 }).result).rejects.toMatchObject({ code: 'denied' })
    const after = rig.traces.length
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(rig.traces).toHaveLength(after)
  })

  it('stops what else is under way, which may have no end of its own', async () => {
    await using rig = await startRig({ host: { concurrency: 8, timeouts: { idle: 60_000, answer: 60_000 } } })
    const image = sampleImage({ layers: [fresh(100_000), fresh(100_000), fresh(100_000)] })
    const { target: memory } = await rig.client.target('memory:from')
    await putSample(memory, image, 'v1')
    let hanging = 0
    const source: Target = {
      ...memory,
      async *getBlob(descriptor, { signal } = {}) {
        if (descriptor.digest !== image.blobs[1]?.descriptor.digest) return yield* memory.getBlob(descriptor)
        hanging++
        await new Promise((_, reject) => signal?.addEventListener('abort', reject, { once: true })).catch(() => {})
        hanging--
      },
    }
    rig.server.on({ method: 'POST' }, async (call, next) => {
      if (!call.target.includes(image.blobs[3]?.descriptor.digest.slice(7) ?? '')) return next(call)
      await vi.waitFor(() => expect(hanging).toBe(1))
      return fail(403)(call, next)
    })
    const job = copy({ source, reference: 'v1' }, { target: rig.repository, tags: ['v1'] })
    await expect(job.result).rejects.toMatchObject({ code: 'denied', side: 'target' })
    expect(hanging).toBe(0)
  })

  it('throws what it failed with to who listens', async () => {
    await using rig = await startRig()
    const image = sampleImage({ layers: [fresh(100)] })
    const { from, to } = await prepared(rig, image)
    rig.server.on({ method: 'PUT' }, fail(403))
    const listened = rig.client.copy(from, to)
    const events: CopyEvent[] = []
    const error: unknown = await (async () => {
      for await (const event of listened) events.push(event)
    })().catch((caught: unknown) => caught)
    expect(error).toMatchObject({ code: 'denied' })
    expect(events.filter(({ type }) => type === 'done')).toHaveLength(2)
    // Later it is the same.
    await expect(listened.result).rejects.toMatchObject({ code: 'denied' })
    await expect(collect(rig.client.copy('memory:nothing:v1', to))).rejects.toMatchObject({ code: 'not-found' })
    // vitest fails on a rejection that nobody handles, and here somebody has listened.
    for await (const _ of rig.client.copy(from, to)) break
    await new Promise((resolve) => setTimeout(resolve, 50))
  })

  it('has no more of indexes within indexes than is meant well', async () => {
    let nested: SampleManifest = sampleImage()
    await using from = createMemoryTarget('from')
    await putSample(from, nested)
    for (let depth = 0; depth < 12; depth++) {
      nested = sampleIndex([{ ...nested, manifests: [] }])
      await from.putManifest(nested.descriptor, nested.bytes, { tags: ['v1'] })
    }
    await using to = createMemoryTarget('to')
    const job = copy({ source: from, reference: 'v1' }, { target: to, tags: ['v1'] })
    await expect(job.result).rejects.toMatchObject({ code: 'invalid-content', side: 'source' })
    expect(await collect(to.tags())).toEqual([])
  })
})

describe('a copy that is stopped', () => {
  it('says so, whatever was under way, and leaves nothing', async () => {
    const image = sampleImage({ layers: Array.from({ length: 6 }, () => fresh(300_000)) })
    for (const after of [0, 1, 3, 8, 10, 12]) {
      await using rig = await startRig({ host: { concurrency: 4, uploads: { singlePostUpTo: 0 } } })
      const { from, to } = await prepared(rig, image)
      const stop = new AbortController()
      const job = rig.client.copy(from, to, { signal: stop.signal })
      let seen = 0
      const listening = (async () => {
        for await (const _ of job) if (seen++ === after) stop.abort(new Error('enough'))
      })()
      await expect(listening).rejects.toMatchObject({ name: 'ClientError', code: 'aborted' })
      await expect(job.result).rejects.toMatchObject({ code: 'aborted' })
      // Every upload that the client knew of was cancelled, or had come to its end.
      const count = (method: string, ...statuses: number[]): number =>
        rig.traces.filter((trace) => trace.method === method && statuses.includes(trace.status ?? 0)).length
      // Where the closing request was under way there was nothing left to cancel.
      expect(count('DELETE', 204, 404) + count('PUT', 201)).toBe(count('POST', 202))
      await expect(rig.repository.resolve('v1')).rejects.toMatchObject({ code: 'not-found' })
    }
  })

  it('does not wait for a registry that hangs', async () => {
    await using rig = await startRig({ host: { concurrency: 4, timeouts: { idle: 60_000, answer: 60_000 } } })
    const { from, to } = await prepared(rig, sampleImage({ layers: [fresh(300_000)] }))
    rig.server.on({ method: ['HEAD', 'POST', 'PATCH', 'DELETE'] }, hang())
    const stop = new AbortController()
    const job = rig.client.copy(from, to, { signal: stop.signal })
    await vi.waitFor(() => expect(rig.server.requests.length).toBeGreaterThan(0))
    stop.abort()
    await expect(job.result).rejects.toMatchObject({ code: 'aborted' })
  })

  it('is no reason for others to stop', async () => {
    await using rig = await startRig({ host: { concurrency: 2 } })
    const image = sampleImage({ layers: [fresh(200_000)] })
    const { from, to } = await prepared(rig, image)
    const stop = new AbortController()
    const stopped = rig.client.copy(from, to, { signal: stop.signal })
    const other = rig.client.copy(from, to)
    stop.abort()
    await expect(stopped.result).rejects.toMatchObject({ code: 'aborted' })
    expect((await other.result).root).toEqual(image.descriptor)
  })
})

it('a client without a disk says so', async () => {
  await using client = createClient()
  await expect(client.copy('ocidir:/nowhere', 'memory:a').result).rejects.toMatchObject({ code: 'unsupported' })
  expect(() => client.copy('', 'memory:a')).toThrow(ClientError)
  expect(bytesContent(new Uint8Array()).size).toBe(0)
})
