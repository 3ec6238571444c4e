import { expect, it } from 'vitest'
import { createOnly, digest, link, manifest, push, put, remove, type StoreUnderTest, tagged } from './samples.ts'

export const describeManifests = (store: StoreUnderTest): void => {
  it('are found by tag and by digest, in their repository alone', async () => {
    const wanted = manifest('a', '{"one":1}', { tags: ['v1', 'latest'] })
    expect(await put(store(), wanted)).toMatchObject({ outcome: 'stored', created: true })
    const row = { digest: wanted.digest, mediaType: wanted.mediaType, size: wanted.bytes.byteLength }
    expect(await store().findManifest('a', { tag: 'v1' })).toMatchObject(row)
    expect(await store().findManifest('a', { tag: 'latest' })).toMatchObject(row)
    expect(await store().findManifest('a', { digest: wanted.digest })).toMatchObject(row)
    expect(await store().findManifest('a', { tag: 'LATEST' })).toBeUndefined()
    expect(await store().findManifest('a', { digest: digest(1) })).toBeUndefined()
    await tagged(store(), 'b', ['other'])
    expect(await store().findManifest('b', { tag: 'v1' })).toBeUndefined()
    expect(await store().findManifest('b', { digest: wanted.digest })).toBeUndefined()
    expect(await store().readManifest('b', wanted.digest)).toBeUndefined()
    expect(await store().findManifest('nowhere', { tag: 'v1' })).toBeUndefined()
    expect(await store().readManifest('nowhere', wanted.digest)).toBeUndefined()
  })

  it('come back byte for byte', async () => {
    const all = Uint8Array.from({ length: 256 * 3 }, (_, index) => index % 256)
    // A view into a larger buffer, as what comes from a socket is.
    const large = new Uint8Array(5_000_000).fill(0x27).subarray(500_000, 4_694_304)
    for (const [number, bytes] of [all, new Uint8Array(1), large].entries()) {
      await put(store(), manifest('a', '', { digest: digest(number), bytes }))
      const read = await store().readManifest('a', digest(number))
      expect(read).toBeInstanceOf(Uint8Array)
      expect(read !== undefined && Buffer.compare(read, bytes) === 0, `manifest ${number}`).toBe(true)
      expect((await store().findManifest('a', { digest: digest(number) }))?.size).toBe(bytes.byteLength)
    }
  })

  it('may be put again, and may get another media type and more tags that way', async () => {
    const wanted = manifest('a', '{}', { tags: ['one'] })
    await put(store(), wanted)
    const again = { ...wanted, tags: ['two'], mediaType: 'application/vnd.docker.distribution.manifest.v2+json' }
    expect(await put(store(), again)).toEqual({ outcome: 'stored', created: false })
    expect(await store().listTags({ repository: 'a', limit: 10 })).toEqual(['one', 'two'])
    expect(await store().findManifest('a', { tag: 'one' })).toMatchObject({ mediaType: again.mediaType })
    expect((await store().statistics()).manifests).toBe(1)
  })

  it('take a tag twice as once', async () => {
    expect(await put(store(), manifest('a', '{}', { tags: ['x', 'y', 'x'] }))).toMatchObject({ outcome: 'stored' })
    expect(await store().listTags({ repository: 'a', limit: 10 })).toEqual(['x', 'y'])
  })

  it('move tags', async () => {
    const first = await tagged(store(), 'a', ['x', 'y'], 'first')
    const second = await tagged(store(), 'a', ['x'], 'second')
    expect(await store().findManifest('a', { tag: 'x' })).toMatchObject({ digest: second })
    expect(await store().findManifest('a', { tag: 'y' })).toMatchObject({ digest: first })
  })

  it('leave nothing behind when a blob or a manifest is missing', async () => {
    await store().enrollReceivers(['one'])
    await link(store(), 'a', digest(1), 'k1')
    await link(store(), 'b', digest(2), 'k2')
    const held = await tagged(store(), 'a', ['x'])
    const elsewhere = await tagged(store(), 'b', ['x'])
    const before = await store().readEvents('one', 100)

    const wanted = manifest('a', '{"more":1}', {
      tags: ['x', 'new'],
      // The one of another repository is as missing as the one that is nowhere.
      requiredBlobs: [digest(2), digest(1), digest(3), digest(2)],
      requiredManifests: [held, elsewhere],
      references: [{ digest: digest(1), role: 'layer' }],
    })
    expect(await put(store(), wanted)).toEqual({
      outcome: 'missing',
      blobs: [digest(2), digest(3)],
      manifests: [elsewhere],
    })
    expect(await put(store(), manifest('a', '{"more":1}', { requiredManifests: [elsewhere] }))).toEqual({
      outcome: 'missing',
      blobs: [],
      manifests: [elsewhere],
    })
    expect(await store().findManifest('a', { digest: wanted.digest })).toBeUndefined()
    expect(await store().readManifest('a', wanted.digest)).toBeUndefined()
    expect(await store().findManifest('a', { tag: 'x' })).toMatchObject({ digest: held })
    expect(await store().listTags({ repository: 'a', limit: 10 })).toEqual(['x'])
    expect(await store().readEvents('one', 100)).toEqual(before)

    const complete = { ...wanted, requiredBlobs: [digest(1)], requiredManifests: [held] }
    expect(await put(store(), complete)).toMatchObject({ outcome: 'stored' })
  })

  it('do not move a tag for those who may not, and then leave nothing behind', async () => {
    const first = await tagged(store(), 'a', ['x', 'y'], 'first')
    const second = manifest('a', 'second', { tags: ['new', 'y', 'x'] })
    expect(await put(store(), second, createOnly)).toEqual({ outcome: 'tag-exists', tag: 'y' })
    expect(await store().findManifest('a', { digest: second.digest })).toBeUndefined()
    expect(await store().listTags({ repository: 'a', limit: 10 })).toEqual(['x', 'y'])
    expect(await store().findManifest('a', { tag: 'y' })).toMatchObject({ digest: first })

    const same = manifest('a', 'first', { tags: ['x', 'z'] })
    expect(await put(store(), same, createOnly)).toEqual({ outcome: 'stored', created: false })
    expect(await put(store(), { ...second, tags: ['free'] }, createOnly)).toEqual({ outcome: 'stored', created: true })
  })

  it('keep the media type that their tags show, for those who may not move one', async () => {
    const wanted = manifest('a', '{}')
    const mediaType = 'application/vnd.docker.distribution.manifest.v2+json'
    await put(store(), wanted)
    // Nothing shows it yet.
    expect(await put(store(), { ...wanted, mediaType }, createOnly)).toMatchObject({ outcome: 'stored' })
    await put(store(), { ...wanted, tags: ['y', 'x'] })
    await tagged(store(), 'b', ['x'], '{}')
    await store().enrollReceivers(['one'])
    for (const tags of [[], ['new'], ['y']]) {
      expect(await put(store(), { ...wanted, mediaType, tags }, createOnly)).toEqual({
        outcome: 'tag-exists',
        tag: 'x',
      })
    }
    expect(await store().findManifest('a', { tag: 'x' })).toMatchObject({ mediaType: wanted.mediaType })
    expect(await store().listTags({ repository: 'a', limit: 10 })).toEqual(['x', 'y'])
    expect(await store().readEvents('one', 10)).toEqual([])
    // What may be moved may be changed.
    expect(await put(store(), { ...wanted, mediaType })).toMatchObject({ outcome: 'stored' })
    expect(await put(store(), { ...wanted, mediaType, tags: ['z'] }, createOnly)).toMatchObject({ outcome: 'stored' })
  })

  it('go with their tags', async () => {
    const first = await tagged(store(), 'a', ['x', 'w', 'z'], 'first')
    const second = await tagged(store(), 'a', ['y'], 'second')
    expect(await remove(store(), 'a', first)).toEqual({ outcome: 'deleted', tags: ['w', 'x', 'z'] })
    expect(await store().findManifest('a', { digest: first })).toBeUndefined()
    expect(await store().findManifest('a', { tag: 'x' })).toBeUndefined()
    expect(await store().readManifest('a', first)).toBeUndefined()
    expect(await store().findManifest('a', { tag: 'y' })).toMatchObject({ digest: second })
    expect(await remove(store(), 'a', first)).toEqual({ outcome: 'unknown' })
    expect(await remove(store(), 'b', second)).toEqual({ outcome: 'unknown' })
    expect(await remove(store(), 'a', second)).toEqual({ outcome: 'deleted', tags: ['y'] })
  })

  it('tell their tags, in byte order', async () => {
    const target = await tagged(store(), 'a', ['b', 'a_b', 'B', 'a-b', '1'])
    await tagged(store(), 'a', ['other'])
    await tagged(store(), 'b', ['elsewhere'], 'a:b,a_b,B,a-b,1')
    expect(await store().listTagsOf('a', target)).toEqual(['1', 'B', 'a-b', 'a_b', 'b'])
    expect(await store().listTagsOf('a', digest(1))).toEqual([])
    expect(await store().listTagsOf('nowhere', target)).toEqual([])
  })

  it('stay when they have a tag that was not asked for', async () => {
    await store().enrollReceivers(['one'])
    const target = await tagged(store(), 'a', ['x', 'y', 'z'])
    const before = await store().readEvents('one', 100)
    expect(await remove(store(), 'a', target, ['y'])).toEqual({ outcome: 'tags-differ', tags: ['x', 'z'] })
    expect(await remove(store(), 'a', target, [])).toEqual({ outcome: 'tags-differ', tags: ['x', 'y', 'z'] })
    expect(await store().listTagsOf('a', target)).toEqual(['x', 'y', 'z'])
    expect(await store().readManifest('a', target)).toBeDefined()
    expect(await store().readEvents('one', 100)).toEqual(before)
    // Those that it has lost meanwhile, or never had, do no harm.
    expect(await remove(store(), 'a', target, ['x', 'y', 'z', 'gone'])).toEqual({
      outcome: 'deleted',
      tags: ['x', 'y', 'z'],
    })
  })

  it('of two repositories may share their bytes and lose them one by one', async () => {
    const shared = await tagged(store(), 'a', ['x'], 'shared')
    await tagged(store(), 'b', ['x'], 'shared')
    await remove(store(), 'a', shared)
    expect(await store().readManifest('a', shared)).toBeUndefined()
    expect(await store().readManifest('b', shared)).toEqual(new TextEncoder().encode('shared'))
    await remove(store(), 'b', shared)
    await tagged(store(), 'a', ['x'], 'shared')
    expect(await store().readManifest('a', shared)).toEqual(new TextEncoder().encode('shared'))
    expect(await store().readManifest('b', shared)).toBeUndefined()
  })

  it('keep what points to them: an index outlives its child', async () => {
    const child = await tagged(store(), 'a', ['child'])
    const index = manifest('a', 'index', {
      references: [{ digest: child, role: 'manifest' }],
      requiredManifests: [child],
    })
    await put(store(), index)
    expect(await remove(store(), 'a', child)).toEqual({ outcome: 'deleted', tags: ['child'] })
    expect(await store().findManifest('a', { digest: index.digest })).toBeDefined()
  })

  it('may list the same layer several times', async () => {
    await link(store(), 'a', digest(1), 'k')
    const references = [
      { digest: digest(1), role: 'config' },
      { digest: digest(1), role: 'layer' },
      { digest: digest(1), role: 'layer' },
      { digest: digest(9), role: 'blob' },
    ] as const
    const wanted = manifest('a', '{}', { references, requiredBlobs: [digest(1), digest(1)] })
    expect(await put(store(), wanted)).toMatchObject({ outcome: 'stored' })
    expect(await put(store(), wanted, push)).toMatchObject({ outcome: 'stored' })
  })
}
