import { mediaTypes } from '@stowage/oci'
import { describe, expect, it } from 'vitest'
import { sample } from '../testing/sample-images.ts'
import { listManifest, nameManifest, unlistManifest, unnameManifest } from './layout-changes.ts'
import { emptyIndex, formatLayoutIndex, type LayoutIndex, parseLayoutIndex } from './layout-index.ts'
import { namesOf, resolveName } from './resolve-name.ts'

const encode = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value))
const parse = (value: unknown): LayoutIndex => parseLayoutIndex(encode(value), 'ocidir:x')
const json = (index: LayoutIndex): unknown => JSON.parse(new TextDecoder().decode(formatLayoutIndex(index)))
const never = (): boolean => false

const [one, two, three] = ['1', '2', '3'].map((text) => sample(mediaTypes.ociImageManifest, text).descriptor) as [
  ReturnType<typeof sample>['descriptor'],
  ReturnType<typeof sample>['descriptor'],
  ReturnType<typeof sample>['descriptor'],
]
const called = (descriptor: typeof one, ...names: string[]) => ({
  ...descriptor,
  annotations: {
    ...(names[0] === undefined ? {} : { 'org.opencontainers.image.ref.name': names[0] }),
    ...(names[1] === undefined ? {} : { 'io.containerd.image.name': names[1] }),
  },
})

describe('reading', () => {
  it('takes the names of podman, of Docker, and those of the specification', () => {
    const { entries } = parse({
      manifests: [called(one, 'v1'), called(two, 'latest', 'docker.io/library/app:latest'), called(three, 'a b'), one],
    })
    expect(entries.map(({ names }) => names)).toEqual([['v1'], ['latest', 'docker.io/library/app:latest'], [], []])
  })

  it.each([
    ['JSON', new TextEncoder().encode('{')],
    ['UTF-8', new Uint8Array([0x22, 0xff, 0x22])],
    ['is not an object', encode([])],
    ['"manifests"', encode({ manifests: {} })],
    ['manifests[1].digest', encode({ manifests: [one, { ...one, digest: 'sha256:../../etc/passwd' }] })],
    ['manifests[0].size', encode({ manifests: [{ ...one, size: -1 }] })],
  ])('refuses what is wrong, and says where: %s', (message, bytes) => {
    expect(() => parseLayoutIndex(bytes, 'ocidir:x')).toThrow(
      expect.objectContaining({
        code: 'invalid-content',
        message: expect.stringContaining(message),
      }),
    )
  })

  it('does not fall over deep nesting', () => {
    const bytes = new TextEncoder().encode('['.repeat(1_000_000))
    expect(() => parseLayoutIndex(bytes, 'ocidir:x')).toThrow(expect.objectContaining({ code: 'invalid-content' }))
  })
})

describe('changing', () => {
  it('keeps what others wrote', () => {
    const others = {
      schemaVersion: 2,
      annotations: { a: 'b' },
      extra: [1],
      manifests: [{ ...called(one, 'v1'), x: { y: 1 } }],
    }
    const changed = nameManifest(parse(others), two, 'v2', never)
    expect(json(changed)).toEqual({ ...others, manifests: [...others.manifests, called(two, 'v2')] })
    expect(json(parse(others))).toEqual(others)
  })

  it('keeps other annotations of an entry that gets or loses a name', () => {
    const index = parse({ manifests: [{ ...one, annotations: { a: 'b' } }] })
    const named = nameManifest(index, one, 'v1', never)
    expect(named.entries.map(({ json: entry }) => entry['annotations'])).toEqual([
      { a: 'b', 'org.opencontainers.image.ref.name': 'v1' },
    ])
    expect(unnameManifest(named, 'v1').entries.map(({ json: entry }) => entry['annotations'])).toEqual([{ a: 'b' }])
  })

  it('writes a name once, and an entry for each name', () => {
    let index = nameManifest(emptyIndex, one, 'v1', never)
    index = nameManifest(index, one, 'v1', never)
    index = nameManifest(index, one, 'app:v1', never)
    index = nameManifest(index, one, 'docker.io/library/app:v1', never)
    expect(index.entries.map(({ names }) => names)).toEqual([['v1'], ['app:v1']])
  })

  it('takes over what is listed without a name', () => {
    const index = nameManifest(listManifest(emptyIndex, one), one, 'v1', never)
    expect(index.entries.map(({ names }) => names)).toEqual([['v1']])
  })

  it('forgets a manifest whose last name moves, unless it is to stay', () => {
    const index = nameManifest(nameManifest(emptyIndex, one, 'v1', never), one, 'v2', never)
    const moved = nameManifest(index, two, 'v2', never)
    expect(moved.entries.map(({ descriptor, names }) => [descriptor.digest, ...names])).toEqual([
      [one.digest, 'v1'],
      [two.digest, 'v2'],
    ])
    expect(nameManifest(moved, two, 'v1', never).entries.map(({ descriptor }) => descriptor.digest)).toEqual([
      two.digest,
      two.digest,
    ])
    expect(nameManifest(moved, two, 'v1', () => true).entries.map(({ names }) => names)).toEqual([[], ['v2'], ['v1']])
  })

  it("takes both names that Docker's entries have for one tag", () => {
    const index = parse({ manifests: [called(one, 'latest', 'docker.io/library/app:latest')] })
    expect(nameManifest(index, two, 'latest', never).entries.map(({ names }) => names)).toEqual([['latest']])
    expect(nameManifest(index, two, 'app:latest', never).entries.map(({ names }) => names)).toEqual([['app:latest']])
    expect(unnameManifest(index, 'latest').entries.map(({ names }) => names)).toEqual([[]])
  })

  it('keeps a manifest that loses its name, once', () => {
    const index = parse({ manifests: [called(one, 'v1'), called(one, 'v2')] })
    const once = unnameManifest(index, 'v1')
    expect(once.entries.map(({ names }) => names)).toEqual([['v2']])
    expect(unnameManifest(once, 'v2').entries.map(({ names }) => names)).toEqual([[]])
  })

  it('forgets every entry of a manifest', () => {
    const index = parse({ manifests: [called(one, 'v1'), two, called(one, 'v2')] })
    expect(unlistManifest(index, one.digest).entries.map(({ descriptor }) => descriptor)).toEqual([two])
  })
})

describe('resolving', () => {
  const resolve = (index: LayoutIndex, name: string, referrers: readonly string[] = []) =>
    resolveName(index, name, 'ocidir:x', async ({ digest }) => referrers.includes(digest))

  it('gives the descriptor without what belongs to the list', async () => {
    const platform = { os: 'linux', architecture: 'amd64' }
    const index = parse({ manifests: [{ ...called(one, 'v1'), platform, urls: ['https://x.example'] }] })
    expect(await resolve(index, 'v1')).toEqual({ ...one, platform })
  })

  it('understands an empty name as latest, then as the only name, then as the only manifest', async () => {
    const latest = parse({ manifests: [called(one, 'latest'), called(two, 'v2'), three] })
    expect(await resolve(latest, '')).toEqual(one)
    const named = parse({ manifests: [one, called(two, 'v2'), called(two, 'v3')] })
    expect(await resolve(named, '')).toEqual(two)
    const unnamed = parse({ manifests: [one, two, called(three, `sha256-${'a'.repeat(64)}.sig`)] })
    expect(await resolve(unnamed, '', [two.digest])).toEqual(one)
  })

  it('understands latest as the only manifest where nothing has a name', async () => {
    expect(await resolve(parse({ manifests: [one] }), 'latest')).toEqual(one)
    await expect(resolve(parse({ manifests: [called(one, 'v1')] }), 'latest')).rejects.toMatchObject({
      code: 'not-found',
      hint: 'It has v1.',
    })
    await expect(resolve(parse({ manifests: [one, called(two, 'v1')] }), 'latest')).rejects.toMatchObject({
      code: 'not-found',
    })
    await expect(resolve(parse({ manifests: [one] }), 'v1')).rejects.toMatchObject({ code: 'not-found' })
  })

  it('refuses what means several, and names them', async () => {
    const index = parse({
      manifests: [called(one, 'v1', 'docker.io/library/one:v1'), called(two, 'v1', 'docker.io/library/two:v1')],
    })
    const hint = 'Name one of them: docker.io/library/one:v1, docker.io/library/two:v1.'
    await expect(resolve(index, 'v1')).rejects.toMatchObject({ code: 'usage', hint })
    await expect(resolve(index, '')).rejects.toMatchObject({ code: 'usage', hint })
    expect(await resolve(index, 'two:v1')).toEqual(two)
    await expect(resolve(parse({ manifests: [one, two] }), '')).rejects.toMatchObject({ code: 'usage' })
  })

  it('lists full names where several manifests have the short one', () => {
    const index = parse({
      manifests: [
        called(two, 'v1', 'docker.io/library/two:v1'),
        called(one, 'v1', 'docker.io/library/one:v1'),
        called(three, 'v3', 'docker.io/library/three:v3'),
        called(one, 'x'),
        called(two, 'x'),
      ],
    })
    expect(namesOf(index)).toEqual(['docker.io/library/one:v1', 'docker.io/library/two:v1', 'v3', 'x'])
  })
})
