import { join } from 'node:path'
import { createTestRegistry } from '@stowage/testkit'
import { referrersTag } from '@stowage/oci'
import { describe, expect, it, onTestFinished } from 'vitest'
import { type Client, createClient as createPlainClient } from '../client.ts'
import { bytesContent } from '../content/content.ts'
import { collect } from '../content/pages.ts'
import { isClientError } from '../errors.ts'
import { createClient } from '../node/create-client.ts'
import { places } from '../testing/places.ts'
import { putSample, type SampleManifest, sampleImage, sampleIndex } from '../testing/sample-images.ts'
import { temporaryDirectory } from '../testing/temporary-directory.ts'
import type { TraceEvent } from '../transport/call.ts'
import { sync } from './sync.ts'
import type { SyncOptions } from './sync-options.ts'

interface Two {
  readonly client: Client
  readonly from: string
  readonly to: string
  /** Requests since it was asked the last time, without their digests. */
  requests(): readonly string[]
}

/** Two registries, and a client that counts. */
const twoRegistries = async (): Promise<Two> => {
  const [one, two] = [await createTestRegistry(), await createTestRegistry()]
  let seen: TraceEvent[] = []
  const plainHttp = { plainHttp: true }
  const client = createClient({
    hosts: { [one.host]: plainHttp, [two.host]: plainHttp },
    credentials: () => undefined,
    onTrace: (event) => void seen.push(event),
  })
  onTestFinished(async () => {
    await client[Symbol.asyncDispose]()
    await one[Symbol.asyncDispose]()
    await two[Symbol.asyncDispose]()
  })
  return {
    client,
    from: one.host,
    to: two.host,
    requests: () => {
      const requests = seen.map(({ method, url }) => {
        const side = new URL(url).host === one.host ? 'source' : 'target'
        return `${side} ${method} ${/manifests|blobs|tags|referrers|_catalog/.exec(url)?.[0] ?? url}`
      })
      seen = []
      return requests
    },
  }
}

const countOf = (requests: readonly string[]): Record<string, number> =>
  Object.fromEntries(
    Object.entries(Object.groupBy(requests, (request) => request)).map(([key, list = []]) => [key, list.length]),
  )

const fill = async (
  client: Client,
  repository: string,
  count: number,
  name = 'image',
): Promise<readonly SampleManifest[]> => {
  const images = Array.from({ length: count }, (_, at) => sampleImage({ layers: ['base', `${name} ${at}`] }))
  for (const [at, image] of images.entries()) await putSample(client.repository(repository), image, `v${at}`)
  return images
}

const run = async (client: Client, options: SyncOptions) => sync(client, options).result

describe('sync', () => {
  it('copies every tag with as few requests as there can be, and none for what is common', async () => {
    const { client, from, to, requests } = await twoRegistries()
    const images = await fill(client, `${from}/app`, 20)
    requests()
    const job = sync(client, { from: `${from}/app`, to: `${to}/mirror/app` })
    const events = await collect(job)
    const result = await job.result
    expect(result).toMatchObject({ copied: 20, existing: 0, failed: 0 })
    expect(result.images.map(({ to: where }) => where).toSorted()[0]).toBe(`${to}/mirror/app:v0`)
    for (const [at, image] of images.entries()) {
      expect(await client.resolve(`${to}/mirror/app:v${at}`)).toEqual(image.descriptor)
    }
    expect(events.filter(({ type }) => type === 'done')).toHaveLength(20)
    expect(events[0]).toEqual({ type: 'listed', from: `${from}/app`, to: `${to}/mirror/app`, images: 20 })
    // A config, an own layer and the common one: 20 + 20 + 1 blobs, one question and one answer each.
    expect(countOf(requests().slice(0, -20))).toEqual({
      'source GET tags': 1,
      'target GET tags': 1,
      'source GET manifests': 20,
      'source GET blobs': 41,
      'target POST blobs': 41,
      'target PUT manifests': 20,
    })
  })

  it('asks once on each side for what is there, and sends nothing', async () => {
    const { client, from, to, requests } = await twoRegistries()
    await fill(client, `${from}/app`, 12)
    await run(client, { from: `${from}/app`, to: `${to}/app` })
    const moved = sampleImage({ layers: ['base', 'moved'] })
    await putSample(client.repository(`${from}/app`), moved, 'v0', 'new')
    requests()
    const again = await run(client, { from: `${from}/app`, to: `${to}/app` })
    expect(again).toMatchObject({ copied: 2, existing: 11 })
    expect(countOf(requests())).toEqual({
      'source GET tags': 1,
      'target GET tags': 1,
      'source HEAD manifests': 12,
      'target HEAD manifests': 13,
      'source GET manifests': 2,
      // Of three blobs the common one is there; both images have the same.
      'target HEAD blobs': 3,
      'source GET blobs': 2,
      'target POST blobs': 2,
      'target PUT manifests': 2,
    })
    expect(await client.resolve(`${to}/app:v0`)).toEqual(moved.descriptor)
  })

  it('in a dry run says the same, and writes nothing', async () => {
    const { client, from, to } = await twoRegistries()
    await fill(client, `${from}/app`, 3)
    await run(client, { from: `${from}/app:v1`, to: `${to}/app` })
    const options = { from: `${from}/app`, to: `${to}/app` }
    const dry = await run(client, { ...options, dryRun: true })
    expect(dry.images.map(({ from: image, outcome }) => [image, outcome]).toSorted()).toEqual([
      [`${from}/app:v0`, 'would-copy'],
      [`${from}/app:v1`, 'existing'],
      [`${from}/app:v2`, 'would-copy'],
    ])
    expect(await collect(client.repository(`${to}/app`).tags())).toEqual(['v1'])
    const real = await run(client, options)
    expect(real).toMatchObject({ copied: dry.copied, existing: dry.existing, bytes: dry.bytes })
    expect(await run(client, { ...options, dryRun: true })).toMatchObject({ copied: 0, existing: 3, bytes: 0 })
  })

  it('leaves tags alone that are there, when told to', async () => {
    const { client, from, to } = await twoRegistries()
    await fill(client, `${from}/app`, 2)
    const old = sampleImage({ layers: ['old'] })
    await putSample(client.repository(`${to}/app`), old, 'v0')
    const options = { from: `${from}/app`, to: `${to}/app`, keepOld: true }
    expect(await run(client, options)).toMatchObject({ copied: 1, existing: 1 })
    expect(await client.resolve(`${to}/app:v0`)).toEqual(old.descriptor)
    expect(await run(client, { ...options, keepOld: false })).toMatchObject({ copied: 1, existing: 1 })
  })

  it('takes a list of tags, or patterns', async () => {
    const { client, from, to } = await twoRegistries()
    await fill(client, `${from}/app`, 12)
    const copied = async (repository: string, options: Partial<SyncOptions>): Promise<string[]> => {
      await run(client, { from: `${from}/app`, to: `${to}/${repository}`, ...options })
      return collect(client.repository(`${to}/${repository}`).tags())
    }
    expect(await copied('list', { tags: ['v3', 'v4'] })).toEqual(['v3', 'v4'])
    expect(await copied('globs', { tags: { include: ['v1*', 'v2'], exclude: [/v1[01]/] } })).toEqual(['v1', 'v2'])
    expect(await copied('in-text', { from: `${from}/app:v?`, tags: { exclude: ['v[0-8]', 'v9'] } })).toEqual([
      'v0',
      'v1',
      'v2',
      'v3',
      'v4',
      'v5',
      'v6',
      'v7',
      'v8',
    ])
    expect(await copied('one', { from: `${from}/app:v5` })).toEqual(['v5'])
    expect(await copied('named', { from: [{ from: `${from}/app:v5`, to: `${to}/named:other` }] })).toEqual(['other'])
  })

  it('takes many repositories, by list or by catalog', async () => {
    const { client, from, to } = await twoRegistries()
    for (const name of ['team/a', 'team/b', 'other/c']) await fill(client, `${from}/${name}`, 2, name)
    await run(client, { from: [`${from}/team/a`, `${from}/other/c:v0`], to: `${to}/list/` })
    await run(client, { from: `${from}/team/*`, to: `${to}/globs/` })
    await run(client, { from: [{ from: `${from}/team/a`, to: `${to}/pair` }, `${from}/team/b`], to: `${to}/rest` })
    expect(await collect(client.registry(to).repositories())).toEqual([
      'globs/team/a',
      'globs/team/b',
      'list/other/c',
      'list/team/a',
      'pair',
      'rest',
    ])
    expect(await collect(client.repository(`${to}/list/other/c`).tags())).toEqual(['v0'])
  })

  it('does not stop because one image fails, unless told to', async () => {
    const { client, from, to } = await twoRegistries()
    const images = await fill(client, `${from}/app`, 3)
    const base = images[0]?.blobs[2]?.descriptor.digest ?? ''
    const broken: Client = {
      ...client,
      source: async (text) => {
        const located = await client.source(text)
        const { source } = located
        return {
          ...located,
          source: {
            ...source,
            getBlob: (descriptor, options) =>
              source.getBlob(descriptor.digest === base ? { ...descriptor, size: 3 } : descriptor, options),
          },
        }
      },
    }
    const options = { from: [`${from}/app`, `${from}/missing`], to: `${to}/` }
    const result = await run(broken, options)
    expect(result).toMatchObject({ copied: 2, failed: 2 })
    expect(
      result.images
        .filter(({ outcome }) => outcome === 'failed')
        .map(({ error, from: image }) => [image, (error as { code?: string }).code])
        .toSorted(),
    ).toEqual([
      [`${from}/app:v0`, 'digest-mismatch'],
      [`${from}/missing`, 'not-found'],
    ])
    const strict = { from: `${from}/app`, to: `${to}/strict`, stopOnError: true }
    await expect(run(broken, strict)).rejects.toMatchObject({ code: 'digest-mismatch' })
    const job = sync(broken, strict)
    await expect(collect(job)).rejects.toMatchObject({ code: 'digest-mismatch' })
  })

  it('copies what images share once, though the one that was about to send it fails', async () => {
    const { client, from, to } = await twoRegistries()
    const images = await fill(client, `${from}/app`, 8)
    const common = images[0]?.blobs[1]?.descriptor.digest
    let tries = 0
    const flaky: Client = {
      ...client,
      source: async (text) => {
        const located = await client.source(text)
        const { source } = located
        const getBlob: typeof source.getBlob = (descriptor, options) =>
          source.getBlob(
            descriptor.digest === common && tries++ === 0 ? { ...descriptor, size: 1 } : descriptor,
            options,
          )
        return { ...located, source: { ...source, getBlob } }
      },
    }
    expect(await run(flaky, { from: `${from}/app`, to: `${to}/app` })).toMatchObject({ copied: 7, failed: 1 })
    expect(tries).toBe(2)
  })

  it('brings what refers to images, and tags made of digests, when told to', async () => {
    const { client, from, to } = await twoRegistries()
    const source = client.repository(`${from}/app`)
    const [image] = await fill(client, `${from}/app`, 1)
    const { descriptor } = image as SampleManifest
    const signature = sampleImage({
      layers: ['signature'],
      subject: descriptor,
      artifactType: 'application/vnd.example',
    })
    await putSample(source, signature)
    const cosign = `${referrersTag(descriptor.digest)}.sig`
    await putSample(source, sampleImage({ layers: ['cosign'] }), cosign)
    const filter = { include: ['v*'] }
    await run(client, { from: `${from}/app`, to: `${to}/plain`, tags: filter })
    expect(await collect(client.repository(`${to}/plain`).referrers(descriptor.digest))).toEqual([])
    await run(client, { from: `${from}/app`, to: `${to}/all`, tags: filter, referrers: true, digestTags: true })
    const all = client.repository(`${to}/all`)
    expect((await collect(all.referrers(descriptor.digest))).map(({ digest }) => digest)).toEqual([
      signature.descriptor.digest,
    ])
    expect(await collect(all.tags())).toEqual([cosign, 'v0'])
    // A signature that was made later is found though the image is there.
    const later = sampleImage({ layers: ['later'], subject: descriptor, artifactType: 'application/vnd.example' })
    await putSample(source, later)
    await run(client, { from: `${from}/app`, to: `${to}/all`, tags: filter, referrers: true })
    expect(await collect(all.referrers(descriptor.digest))).toHaveLength(2)
  })

  it('copies some platforms, and finds them again', async () => {
    const { client, from, to } = await twoRegistries()
    const children = ['amd64', 'arm64'].map((architecture) => {
      const platform = { os: 'linux', architecture }
      const image = sampleImage({ layers: [architecture], platform })
      return { ...image, descriptor: { ...image.descriptor, platform } }
    })
    await putSample(client.repository(`${from}/app`), sampleIndex(children), 'v1')
    const options = { from: `${from}/app`, to: `${to}/app`, platforms: [{ os: 'linux', architecture: 'arm64' }] }
    expect(await run(client, options)).toMatchObject({ copied: 1 })
    expect((await client.resolve(`${to}/app:v1`)).digest).toBe(children[1]?.descriptor.digest)
    expect(await run(client, options)).toMatchObject({ copied: 0, existing: 1 })
  })

  it('goes on where it was stopped', async () => {
    const { client, from, to, requests } = await twoRegistries()
    await fill(client, `${from}/app`, 12)
    const controller = new AbortController()
    const job = sync(client, { from: `${from}/app`, to: `${to}/app`, concurrency: 1, signal: controller.signal })
    let done = 0
    const stopped = (async () => {
      for await (const { type } of job) if (type === 'done' && ++done === 4) controller.abort()
    })()
    await expect(stopped).rejects.toMatchObject({ code: 'aborted' })
    await expect(job.result).rejects.toMatchObject({ code: 'aborted' })
    requests()
    const rest = await run(client, { from: `${from}/app`, to: `${to}/app` })
    expect(rest.existing).toBeGreaterThanOrEqual(4)
    expect(rest.copied + rest.existing).toBe(12)
    expect(countOf(requests())['target PUT manifests']).toBe(rest.copied)
  })

  it('gives a repository up when the registry does not know who asks, and goes on with others', async () => {
    const { client, from, to } = await twoRegistries()
    await fill(client, `${from}/app`, 10)
    await fill(client, `${from}/open`, 1)
    let refused = 0
    await using nobody = createPlainClient({
      hosts: { '*': { plainHttp: true } },
      fetch: async (url, init) => {
        if (init.method === 'GET' || !url.includes('/app/')) return fetch(url, init)
        refused++
        return { status: 401, headers: new Headers(), body: null }
      },
    })
    const options = { from: [`${from}/app`, `${from}/open`], to: `${to}/`, concurrency: 1, blobConcurrency: 1 }
    const { images, failed, copied } = await sync({ from: client, to: nobody }, options).result
    expect({ failed, copied }).toEqual({ failed: 10, copied: 1 })
    expect(images.filter(({ error }) => isClientError(error, 'unauthorized'))).toHaveLength(10)
    expect(refused).toBeLessThan(5)
  })

  it.each<[string, Partial<SyncOptions>]>([
    ['nothing', { from: [] }],
    ['no target', { from: 'a.test/x', to: undefined as unknown as string }],
    ['a wrong pattern', { tags: { include: [''] } }],
    ['several sources for one repository', { from: ['a.test/x', 'a.test/y'], to: 'b.test/x' }],
  ])('refuses %s at once', async (_, options) => {
    const client = createPlainClient()
    expect(() => sync(client, { from: 'a.test/x', to: 'b.test/x', ...options })).toThrow(
      expect.objectContaining({ code: 'usage' }),
    )
  })

  it.each<[string, string]>([
    ['a.test/x/*', 'b.test/y'],
    ['*/x', 'b.test/'],
    ['x/*', 'b.test/'],
    ['a.test/x', 'b.test/y:v1'],
    ['a.test/x:v*', 'b.test/y:v1'],
    ['a.test/x:v1', `b.test/y@sha256:${'0'.repeat(64)}`],
    ['memory:x', 'memory:y/'],
    ['a.test/UPPER', 'b.test/'],
  ])('says why %s cannot go to %s', async (from, to) => {
    const client = createPlainClient()
    const { images } = await run(client, { from, to })
    expect(images).toMatchObject([{ outcome: 'failed', error: { code: 'usage' } }])
  })
})

describe('sync between a registry and what is on this machine', () => {
  it('fills a layout from a registry, and another registry from the layout', async () => {
    await using directory = await temporaryDirectory()
    const layout = join(directory.path, 'layout')
    const { client, from, to } = await twoRegistries()
    const images = await fill(client, `${from}/app`, 11)
    expect(await run(client, { from: `${from}/app`, to: `ocidir:${layout}` })).toMatchObject({ copied: 11 })
    expect(await run(client, { from: `${from}/app`, to: `ocidir:${layout}` })).toMatchObject({ existing: 11 })
    expect(await run(client, { from: `ocidir:${layout}`, to: `${to}/app` })).toMatchObject({ copied: 11 })
    expect(await client.resolve(`${to}/app:v10`)).toEqual(images[10]?.descriptor)
    expect(await run(client, { from: `ocidir:${layout}:v3`, to: `${to}/three` })).toMatchObject({ copied: 1 })
    const dry = join(directory.path, 'dry')
    expect(await run(client, { from: `${from}/app`, to: `ocidir:${dry}`, dryRun: true })).toMatchObject({ copied: 11 })
    await expect(client.resolve(`ocidir:${dry}`)).rejects.toMatchObject({ code: 'not-found' })
  })

  it('keeps what is in memory for the client', async () => {
    const { client, from } = await twoRegistries()
    await fill(client, `${from}/app`, 2)
    await run(client, { from: `${from}/app`, to: 'memory:kept' })
    expect((await client.resolve('memory:kept:v1')).size).toBeGreaterThan(0)
  })
})

it.each(places)('finds blobs of $name that no tag leads to', async ({ open }) => {
  await using place = await open()
  const { client, from } = await twoRegistries()
  const images = await fill(client, `${from}/app`, 12)
  const large = 'x'.repeat(70_000)
  const big = sampleImage({ layers: [large] })
  await putSample(client.repository(`${from}/app`), big, 'big')
  await place.target.putBlob(big.blobs[1]?.descriptor ?? big.descriptor, bytesContent(Buffer.from(large)))
  const to: Client = { ...client, target: async () => ({ target: place.target, tags: [] }) }
  const result = await sync({ from: client, to }, { from: `${from}/app`, to: 'memory:any' }).result
  // What is large and was sent before it was broken off is not sent again, though there is no tag yet.
  const small = [...images.flatMap(({ blobs }) => blobs), ...big.blobs.slice(0, 1)].map(({ descriptor }) => descriptor)
  const sizes = new Map(small.map(({ digest, size }) => [digest, size]))
  expect(result).toMatchObject({ copied: 13, bytes: sizes.values().reduce((sum, size) => sum + size, 0) })
})
