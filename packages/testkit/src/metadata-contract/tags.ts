import { expect, it } from 'vitest'
import { deletion, manifest, now, pages, push, put, type StoreUnderTest, tagged } from './samples.ts'

const tags = ['1', '10', '2', 'A', 'B-1', 'Z', '_', 'a', 'a-b', 'a.b', 'a_b', 'ab', 'b', 'v1.0', 'v1_0']

export const describeTags = (store: StoreUnderTest): void => {
  const removeTag = async (repository: string, tag: string) => store().deleteTag({ repository, tag, at: now }, deletion)

  it('are listed in byte order, in pages of any size', async () => {
    await tagged(store(), 'a', tags.toReversed())
    for (const limit of [1, 4, tags.length, 1000]) {
      const found = await pages(
        (page) => store().listTags({ ...page, repository: 'a' }),
        limit,
        (tag) => tag,
      )
      expect(found, `in pages of ${limit}`).toEqual(tags)
      const facts = await pages(
        (page) => store().describeTags({ ...page, repository: 'a' }),
        limit,
        ({ tag }) => tag,
      )
      expect(
        facts.map(({ tag }) => tag),
        `with facts, in pages of ${limit}`,
      ).toEqual(tags)
    }
  })

  it('are listed from behind a tag that need not exist', async () => {
    await tagged(store(), 'a', tags)
    expect(await store().listTags({ repository: 'a', last: 'a-', limit: 2 })).toEqual(['a-b', 'a.b'])
    expect(await store().listTags({ repository: 'a', last: 'a-b', limit: 2 })).toEqual(['a.b', 'a_b'])
    expect(await store().listTags({ repository: 'a', last: 'v1_0', limit: 2 })).toEqual([])
    expect(await store().describeTags({ repository: 'a', last: 'v1_0', limit: 2 })).toEqual([])
  })

  it('of a repository that does not exist are undefined, of one without tags none', async () => {
    expect(await store().listTags({ repository: 'a', limit: 10 })).toBeUndefined()
    expect(await store().describeTags({ repository: 'a', limit: 10 })).toEqual([])
    await put(store(), manifest('a', '{}'))
    expect(await store().listTags({ repository: 'a', limit: 10 })).toEqual([])
    expect(await store().describeTags({ repository: 'a', limit: 10 })).toEqual([])
  })

  it('are those of their repository', async () => {
    await tagged(store(), 'a', ['x'])
    await tagged(store(), 'a/b', ['y'])
    expect(await store().listTags({ repository: 'a', limit: 10 })).toEqual(['x'])
    expect(await store().listTags({ repository: 'a/b', limit: 10 })).toEqual(['y'])
  })

  it('go and leave the manifest', async () => {
    const target = await tagged(store(), 'a', ['x', 'y'])
    expect(await removeTag('a', 'x')).toEqual({ outcome: 'deleted', digest: target })
    expect(await removeTag('a', 'x')).toEqual({ outcome: 'unknown' })
    expect(await removeTag('a', 'Y')).toEqual({ outcome: 'unknown' })
    expect(await removeTag('b', 'y')).toEqual({ outcome: 'unknown' })
    expect(await store().findManifest('a', { tag: 'x' })).toBeUndefined()
    expect(await store().findManifest('a', { tag: 'y' })).toMatchObject({ digest: target })
    expect(await store().findManifest('a', { digest: target })).toMatchObject({ digest: target })
  })

  it('show what people want to see of a manifest', async () => {
    const facts = {
      kind: 'index',
      artifactType: 'application/vnd.example+type',
      contentSize: 12_345_678_901,
      platforms: [
        { os: 'linux', architecture: 'arm64', variant: 'v8' },
        { os: 'windows', architecture: 'amd64', 'os.version': '10.0' },
      ],
      annotations: { title: 'ключ "ä" \u0000 \ud83d\ude00', ['__proto__']: 'a key like any other' },
    } as const
    const plain = manifest('a', 'plain', { tags: ['plain'] })
    const rich = manifest('a', 'rich', { tags: ['rich'], facts, at: now + 5 })
    await put(store(), plain)
    await put(store(), rich, { ...push, actor: 'bob' })
    const common = { pullCount: 0, mediaType: plain.mediaType }
    expect(await store().describeTags({ repository: 'a', limit: 10 })).toEqual([
      {
        ...plain.facts,
        ...common,
        tag: 'plain',
        digest: plain.digest,
        size: plain.bytes.byteLength,
        taggedAt: now,
        pushedAt: now,
        pushedBy: 'alice',
      },
      {
        ...facts,
        ...common,
        tag: 'rich',
        digest: rich.digest,
        size: rich.bytes.byteLength,
        taggedAt: now + 5,
        pushedAt: now + 5,
        pushedBy: 'bob',
      },
    ])
  })

  it('say when they were last set and pushed, and who brought them', async () => {
    await put(store(), manifest('a', '{}', { tags: ['x', 'y'] }))
    await put(store(), manifest('a', '{}', { tags: ['x'], at: now + 9 }), { ...push, actor: 'bob' })
    expect(await store().describeTags({ repository: 'a', limit: 10 })).toMatchObject([
      { tag: 'x', taggedAt: now + 9, pushedAt: now + 9, pushedBy: 'alice' },
      { tag: 'y', taggedAt: now, pushedAt: now + 9, pushedBy: 'alice' },
    ])
  })

  it('can be read whatever sizes a manifest claims', async () => {
    const facts = { ...manifest('a', '').facts, contentSize: 2 * Number.MAX_SAFE_INTEGER }
    await put(store(), manifest('a', '{}', { tags: ['x'], facts }))
    expect(await store().describeTags({ repository: 'a', limit: 10 })).toMatchObject([
      { contentSize: Number.MAX_SAFE_INTEGER },
    ])
  })
}
