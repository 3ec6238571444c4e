import { createTestRegistry, flipByte, sample as samples, shortenBody, wrongDigestHeader } from '@stowage/testkit'
import { describe, expect, it } from 'vitest'
import { type ClientOptions, createClient } from './client.ts'
import { bytesContent } from './content/content.ts'
import { readAll } from './content/verify.ts'
import { startRig } from './testing/misbehaving.ts'
import { putSample, sample, sampleImage } from './testing/sample-images.ts'
import type { Fetch, FetchInit } from './transport/fetch.ts'

/** Answers everything, and knows what it was asked. */
const recording = (): { readonly fetch: Fetch; readonly asked: { url: string; init: FetchInit }[] } => {
  const asked: { url: string; init: FetchInit }[] = []
  return {
    asked,
    fetch: async (url, init) => {
      asked.push({ url, init })
      return new Response(null, { status: 200 })
    },
  }
}

describe('options', () => {
  it.each<[object, RegExp]>([
    [{ fetsch: 1 }, /fetsch is not an option; there are credentials, hosts, fetch/],
    [{ fetch: 'a' }, /fetch must be a function/],
    [{ credentials: {} }, /credentials must be a function/],
    [{ hosts: 'a' }, /hosts must be a object/],
    [{ sendsStreams: 1 }, /sendsStreams must be a boolean/],
    [{ userAgent: 5 }, /userAgent must be a string/],
    [{ hosts: { 'a.example': { what: 1 } } }, /what is not an option/],
    [{ a: 1, b: 2 }, /a is not an option.*b is not an option/],
  ])('%j', (options, message) => {
    expect(() => createClient(options as ClientOptions)).toThrow(message)
    expect(() => createClient(options as ClientOptions)).toThrow(expect.objectContaining({ code: 'usage' }))
  })

  it('all of them do something', async () => {
    const { fetch, asked } = recording()
    const traces: string[] = []
    await using client = createClient({
      fetch,
      userAgent: 'mine/1',
      onTrace: ({ method, url, status }) => traces.push(`${method} ${url} ${status}`),
      hosts: { '*': { headers: { 'x-all': 'yes' } }, 'index.docker.io': { headers: { 'x-hub': 'yes' } } },
    })
    await client.registry('a.example').ping()
    await client.registry('docker.io').ping()
    expect(asked.map(({ url }) => url)).toEqual(['https://a.example/v2/', 'https://registry-1.docker.io/v2/'])
    expect(asked.map(({ init }) => [init.headers.get('x-all'), init.headers.get('x-hub')])).toEqual([
      ['yes', null],
      [null, 'yes'],
    ])
    expect(asked[0]?.init.headers.get('user-agent')).toBe('mine/1')
    expect(asked[0]?.init).toMatchObject({ redirect: 'manual', credentials: 'omit', cache: 'no-store' })
    expect(traces).toEqual(['GET https://a.example/v2/ 200', 'GET https://registry-1.docker.io/v2/ 200'])
  })
})

describe('plain HTTP', () => {
  it('is spoken where a reference says so, and by no other reference', async () => {
    const { fetch, asked } = recording()
    await using client = createClient({ fetch, hosts: { 'plain.example': { plainHttp: true } } })
    for (const name of [
      'http://a.example',
      'a.example',
      'https://a.example',
      'http://a.example',
      'plain.example',
      'http://plain.example',
      'localhost:5000',
      '127.0.0.1:5000',
    ]) {
      await client.registry(name).ping()
    }
    expect(asked.map(({ url }) => url.replace('/v2/', ''))).toEqual([
      'http://a.example',
      'https://a.example',
      'https://a.example',
      'http://a.example',
      'http://plain.example',
      'http://plain.example',
      'https://localhost:5000',
      'https://127.0.0.1:5000',
    ])
  })

  it('is spoken by repositories and copies as well', async () => {
    await using served = await createTestRegistry()
    await using client = createClient()
    const repository = client.repository(`${served.url}/test/app`)
    const image = sampleImage()
    await putSample(repository, image, 'v1')
    expect(repository.name).toBe(`${served.host}/test/app`)
    expect(await client.resolve(`${served.url}/test/app:v1`)).toEqual(image.descriptor)
    const copied = await client.copy(`${served.url}/test/app:v1`, `${served.url}/test/other:v2`).result
    expect(copied.blobs.mounted).toBe(2)
  })
})

describe('places', () => {
  it('are registries by name', () => {
    const client = createClient()
    expect(client.registry('ghcr.io').name).toBe('ghcr.io')
    expect(client.registry('https://index.docker.io/').name).toBe('docker.io')
    for (const name of ['alpine', '', 'ocidir:a', 'http://']) {
      expect(() => client.registry(name)).toThrow(expect.objectContaining({ code: 'usage' }))
    }
    for (const text of ['ocidir:a', 'memory:a', '', 'A B']) {
      expect(() => client.repository(text)).toThrow(expect.objectContaining({ code: 'usage' }))
    }
  })

  it('have the names that a text gives them', async () => {
    await using client = createClient()
    const tagsOf = async (text: string): Promise<readonly string[]> => (await client.target(text)).tags
    expect(await tagsOf('a.example/b')).toEqual(['latest'])
    expect(await tagsOf('a.example/b:v1')).toEqual(['v1'])
    expect(await tagsOf(`a.example/b@sha256:${'0'.repeat(64)}`)).toEqual([])
    expect(await tagsOf(`a.example/b:v1@sha256:${'0'.repeat(64)}`)).toEqual(['v1'])
    expect(await tagsOf('memory:b')).toEqual([])
    expect(await tagsOf('memory:b:v1')).toEqual(['v1'])
    expect((await client.source('a.example/b')).reference).toBe('latest')
    expect((await client.source('memory:b')).reference).toBe('')
  })

  it('in memory live as long as the client, and are its own', async () => {
    const image = sampleImage()
    const client = createClient()
    const { target } = await client.target('memory:m')
    await putSample(target, image, 'v1')
    expect((await client.source('memory:m')).source).toBe(target)
    expect(await client.resolve('memory:m:v1')).toEqual(image.descriptor)
    expect(await client.resolve('memory:m:v1')).toEqual(image.descriptor)
    const opened = await client.open('memory:m:v1')
    expect(opened.kind).toBe('image')
    await using other = createClient()
    await expect(other.resolve('memory:m:v1')).rejects.toMatchObject({ code: 'not-found' })
    await client[Symbol.asyncDispose]()
    await expect(target.resolve('v1')).rejects.toMatchObject({ code: 'not-found' })
  })

  it('are disposed of when they were used', async () => {
    const disposed: string[] = []
    const image = sampleImage()
    await using memories = createClient()
    const { target: inMemory } = await memories.target('memory:m')
    await putSample(inMemory, image, 'v1')
    const client = createClient({
      openLocal: async ({ path }, mode) => ({
        ...inMemory,
        name: path,
        finish: async () => void disposed.push(`${path} finished`),
        [Symbol.asyncDispose]: async () => void disposed.push(`${path} ${mode}`),
      }),
    })
    await client.resolve('ocidir:a:v1')
    await client.copy('ocidir:b:v1', 'ocidir:c:v1').result
    await expect(client.resolve('ocidir:d:v2')).rejects.toMatchObject({ code: 'not-found' })
    await expect(client.copy('ocidir:e:v2', 'ocidir:f:v1').result).rejects.toMatchObject({ code: 'not-found' })
    expect(disposed).toEqual(['a read', 'c finished', 'c write', 'b read', 'd read', 'f write', 'e read'])
    disposed.length = 0
    await client.open('ocidir:g:v1')
    expect(disposed).toEqual([])
    await client[Symbol.asyncDispose]()
    expect(disposed).toEqual(['g read'])
  })

  it('may have an endpoint of another name, with a path', async () => {
    await using served = await createTestRegistry()
    const fetch: Fetch = async (url, init) => {
      const { pathname, search, origin } = new URL(url)
      expect([origin, pathname.startsWith('/sub/')]).toEqual(['https://elsewhere.example', true])
      const request = new Request(`http://registry.test${pathname.slice(4)}${search}`, init)
      const answer = await served.registry.fetch(request)
      const location = answer.headers.get('location')
      if (location !== null) answer.headers.set('location', `/sub${location}`)
      return answer
    }
    const host = { endpoint: 'https://elsewhere.example/sub/', uploads: { singlePostUpTo: 0, chunkSize: 40_000 } }
    await using client = createClient({ fetch, hosts: { 'a.example': host } })
    const repository = client.repository('a.example/test/app')
    const { descriptor, bytes } = sample('a/b', 'x'.repeat(100_000))
    await repository.putBlob(descriptor, bytesContent(bytes))
    expect((await readAll(repository.getBlob(descriptor), 1e6, 'it')).byteLength).toBe(100_000)
  })
})

describe('mirrors', () => {
  const image = samples.image('one')
  const layer = { mediaType: 'a/b', digest: image.layer.digest, size: image.layer.bytes.byteLength }

  it('are read from first, under a name of their own, and never written to', async () => {
    await using mirror = await startRig()
    await using rig = await startRig()
    await samples.pushImage(mirror.server, 'pre/fix/test/app', 'v1', image)
    await using client = createClient({
      hosts: {
        [rig.server.host]: { plainHttp: true, mirrors: [`${mirror.server.host}/pre/fix`] },
        [mirror.server.host]: { plainHttp: true },
      },
    })
    const repository = client.repository(`${rig.server.host}/test/app`)
    expect((await repository.resolve('v1')).digest).toBe(image.digest)
    expect((await repository.readManifest('v1')).descriptor.digest).toBe(image.digest)
    expect((await readAll(repository.getBlob(layer), 1e6, 'it')).byteLength).toBe(layer.size)
    expect(rig.server.requests).toEqual([])
    expect(await repository.hasBlob(layer)).toBe(false)
    await putSample(repository, sampleImage(), 'v2')
    expect(mirror.server.seen({ method: ['POST', 'PUT', 'PATCH', 'DELETE'] })).toEqual([])
  })

  it.each([
    ['is not there', undefined],
    ['fails', 'fail'],
    ['gives other bytes', flipByte(3)],
    ['gives fewer bytes', shortenBody(5)],
    ['says another digest', wrongDigestHeader()],
  ])('are passed over where one %s', async (_, behaviour) => {
    await using mirror = await startRig()
    await using rig = await startRig()
    if (behaviour !== 'fail') await samples.pushImage(mirror.server, 'test/app', 'v1', image)
    await samples.pushImage(rig.server, 'test/app', 'v1', image)
    if (typeof behaviour === 'function') mirror.server.on({ path: /manifests/ }, behaviour)
    const address = behaviour === undefined ? '127.0.0.1:1' : mirror.server.host
    await using client = createClient({
      hosts: { '*': { plainHttp: true }, [rig.server.host]: { plainHttp: true, mirrors: [address] } },
    })
    const repository = client.repository(`${rig.server.host}/test/app`)
    expect((await repository.readManifest('v1')).descriptor.digest).toBe(image.digest)
    expect((await readAll(repository.getBlob(layer), 1e6, 'it')).byteLength).toBe(layer.size)
    expect(mirror.server.seen({ path: /manifests/ }).length).toBeLessThanOrEqual(1)
  })
})
