import { cutBodyAfter, type Behaviour, fail, flipByte, lengthenBody, loseRequest, shortenBody } from '@stowage/testkit'
import { describe, expect, it } from 'vitest'
import { type Client, createClient } from '../client.ts'
import { bytesContent } from '../content/content.ts'
import { collect } from '../content/pages.ts'
import { readAll } from '../content/verify.ts'
import type { ClientError } from '../errors.ts'
import { fresh } from '../testing/contract/fresh.ts'
import { blobOf, type Rig, startRig } from '../testing/misbehaving.ts'
import { putSample, sampleImage } from '../testing/sample-images.ts'
import type { Repository } from './repository.ts'

interface Pair extends AsyncDisposable {
  readonly mirror: Rig
  readonly registry: Rig
  /** The repository of the registry, read by its mirror. */
  readonly repository: Repository
}

const open = async (): Promise<Pair> => {
  const mirror = await startRig()
  const registry = await startRig()
  const host = { plainHttp: true, retry: { attempts: 3, maxDelay: 10 }, timeouts: { answer: 2000 } }
  const client: Client = createClient({
    hosts: { [mirror.server.host]: host, [registry.server.host]: { ...host, mirrors: [mirror.server.host] } },
  })
  return {
    mirror,
    registry,
    repository: client.repository(`${registry.server.host}/test/app`),
    async [Symbol.asyncDispose]() {
      await client[Symbol.asyncDispose]()
      await registry[Symbol.asyncDispose]()
      await mirror[Symbol.asyncDispose]()
    },
  }
}

describe('a mirror', () => {
  const image = sampleImage()
  const newer = sampleImage({ layers: ['newer'] })
  const signature = sampleImage({ subject: image.descriptor, artifactType: 'a/sig', layers: ['sig'] })

  it('is not asked for tags and referrers', async () => {
    await using pair = await open()
    const { mirror, registry, repository } = pair
    await putSample(mirror.repository, image, 'v1')
    await putSample(registry.repository, image, 'v1', 'v2')
    await putSample(registry.repository, signature)
    expect(await collect(repository.tags())).toEqual(['v1', 'v2'])
    expect((await collect(repository.referrers(image.descriptor.digest))).map(({ digest }) => digest)).toEqual([
      signature.descriptor.digest,
    ])
  })

  it('is not asked what a tag names where that must be fresh', async () => {
    await using pair = await open()
    const { mirror, registry, repository } = pair
    await putSample(mirror.repository, image, 'v1')
    await putSample(registry.repository, newer, 'v1')
    expect(await repository.resolve('v1')).toEqual(image.descriptor)
    expect(await repository.resolve('v1', { fresh: true })).toEqual(newer.descriptor)
    expect((await repository.readManifest('v1', { fresh: true })).descriptor).toEqual(newer.descriptor)
  })

  const withBlob = async (pair: Pair, behaviour: Behaviour) => {
    const bytes = fresh(1_000_000)
    const { descriptor } = blobOf(bytes)
    for (const one of [pair.mirror, pair.registry]) await one.repository.putBlob(descriptor, bytesContent(bytes))
    pair.mirror.server.on({ method: 'GET', path: /blobs/ }, behaviour)
    const retries: ClientError[] = []
    const onRetry = (error: ClientError): void => void retries.push(error)
    const read = async (): Promise<Uint8Array> => readAll(pair.repository.getBlob(descriptor, { onRetry }), 1e7, 'it')
    return { bytes, retries, read }
  }

  it.each<[string, Behaviour]>([
    ['other bytes at the end', flipByte(999_999)],
    ['more bytes', lengthenBody('zz')],
    ['fewer bytes', shortenBody(5)],
    ['half of them', cutBodyAfter(300_000)],
  ])('that gives %s of a blob is passed over', async (_, behaviour) => {
    await using pair = await open()
    const { bytes, retries, read } = await withBlob(pair, behaviour)
    expect(Buffer.compare(await read(), bytes)).toBe(0)
    expect(retries).toHaveLength(1)
    // From then on the registry is asked.
    expect(Buffer.compare(await read(), bytes)).toBe(0)
    expect(pair.mirror.server.seen({ method: 'GET', path: /blobs/ })).toHaveLength(1)
  })

  it('whose wrong bytes were given out before anybody could know is told of, and passed over the next time', async () => {
    await using pair = await open()
    const { bytes, read } = await withBlob(pair, flipByte(3))
    await expect(read()).rejects.toMatchObject({ code: 'digest-mismatch' })
    expect(Buffer.compare(await read(), bytes)).toBe(0)
  })

  it('that gives a small blob with wrong bytes has given out none of them', async () => {
    await using pair = await open()
    const { mirror, registry, repository } = pair
    const bytes = fresh(1000)
    const { descriptor } = blobOf(bytes)
    for (const one of [mirror, registry]) await one.repository.putBlob(descriptor, bytesContent(bytes))
    mirror.server.on({ method: 'GET', path: /blobs/ }, flipByte(3))
    expect(Buffer.compare(await readAll(repository.getBlob(descriptor), 1e7, 'it'), bytes)).toBe(0)
  })

  it.each<[string, Behaviour]>([
    ['is busy', fail(503, { retryAfter: 1 })],
    ['fails', fail(500)],
    ['lets nobody in', fail(403)],
    ['does not answer', loseRequest()],
  ])('that %s is asked once, and left alone', async (_, behaviour) => {
    await using pair = await open()
    const { mirror, registry, repository } = pair
    await putSample(registry.repository, image, 'v1')
    mirror.server.on({}, behaviour)
    const retries: ClientError[] = []
    const options = { onRetry: (error: ClientError) => void retries.push(error) }
    expect(await repository.resolve('v1', options)).toEqual(image.descriptor)
    for (const { descriptor } of image.blobs) await readAll(repository.getBlob(descriptor, options), 1e7, 'it')
    expect(mirror.server.requests).toHaveLength(1)
    expect(retries).toHaveLength(1)
  })

  it('that does not have something is asked for the next thing', async () => {
    await using pair = await open()
    const { mirror, registry, repository } = pair
    await putSample(registry.repository, image, 'v1')
    expect(await repository.resolve('v1')).toEqual(image.descriptor)
    expect(await repository.resolve('v1')).toEqual(image.descriptor)
    expect(mirror.server.requests).toHaveLength(2)
  })
})
