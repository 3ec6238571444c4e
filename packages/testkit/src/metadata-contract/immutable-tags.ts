import type { Digest } from '@stowage/oci'
import type { DeleteManifestResult, Grant, PutManifest, UnlinkBlobResult } from '@stowage/registry/metadata'
import { expect, it } from 'vitest'
import { createOnly, deletion, digest, link, manifest, now, push, put, type StoreUnderTest, tagged } from './samples.ts'

/** Grants of a repository whose tags `v*` and `stable` stay as they are. */
const immutableTags = ['v*', 'stable']
const pushing: Grant = { ...push, immutableTags }
const deleting: Grant = { ...deletion, immutableTags }

export const describeImmutableTags = (store: StoreUnderTest): void => {
  const remove = async (target: Digest, repository = 'a'): Promise<DeleteManifestResult> => {
    const tags = await store().listTagsOf(repository, target)
    return store().deleteManifest({ repository, digest: target, tags, at: now }, deleting)
  }

  const removeTag = async (tag: string) => store().deleteTag({ repository: 'a', tag, at: now }, deleting)

  const unlink = async (blob: Digest, evenIfUsed: boolean): Promise<UnlinkBlobResult> =>
    store().unlinkBlob({ repository: 'a', digest: blob, at: now, evenIfUsed }, deleting)

  const index = (text: string, children: readonly Digest[], more: Partial<PutManifest> = {}): PutManifest =>
    manifest('a', text, { references: children.map((child) => ({ digest: child, role: 'manifest' })), ...more })

  it('are created, and set again to the same manifest', async () => {
    const first = manifest('a', 'first', { tags: ['v1', 'stable', 'latest'] })
    expect(await put(store(), first, pushing)).toEqual({ outcome: 'stored', created: true })
    expect(await put(store(), first, pushing)).toEqual({ outcome: 'stored', created: false })
    expect(await put(store(), { ...first, tags: ['v1', 'v2'] }, pushing)).toMatchObject({ outcome: 'stored' })
    expect(await store().listTagsOf('a', first.digest)).toEqual(['latest', 'stable', 'v1', 'v2'])
  })

  it('are not moved, and nothing of such a push is kept', async () => {
    await store().enrollReceivers(['one'])
    const first = await tagged(store(), 'a', ['v1', 'latest'], 'first')
    const before = await store().readEvents('one', 100)
    const second = manifest('a', 'second', { tags: ['new', 'latest', 'v1'] })
    expect(await put(store(), second, pushing)).toEqual({ outcome: 'tag-immutable', tag: 'v1' })
    expect(await store().findManifest('a', { digest: second.digest })).toBeUndefined()
    expect(await store().findManifest('a', { tag: 'latest' })).toMatchObject({ digest: first })
    expect(await store().listTags({ repository: 'a', limit: 10 })).toEqual(['latest', 'v1'])
    expect(await store().readEvents('one', 100)).toEqual(before)
    // Who may not move any tag hears of that.
    const careful = { ...createOnly, immutableTags }
    expect(await put(store(), second, careful)).toEqual({ outcome: 'tag-exists', tag: 'latest' })
    expect(await put(store(), { ...second, tags: ['latest', 'v2'] }, pushing)).toMatchObject({ outcome: 'stored' })
  })

  it('are those that a glob matches as a whole, in their repository alone', async () => {
    const others = ['V1', 'xv1', 'stable-1', 'Stable', 'unstable']
    await tagged(store(), 'a', others, 'first')
    await tagged(store(), 'b', ['v1'], 'first')
    const second = manifest('a', 'second', { tags: [...others, 'v1'] })
    expect(await put(store(), second, pushing)).toMatchObject({ outcome: 'stored' })
  })

  it('keep the media type of their manifest, and of what it needs', async () => {
    const child = manifest('a', 'child')
    const top = index('top', [child.digest], { tags: ['v1'] })
    await put(store(), child, pushing)
    await put(store(), top, pushing)
    const mediaType = 'application/vnd.docker.distribution.manifest.v2+json'
    for (const fixed of [child, top]) {
      const again = await put(store(), { ...fixed, tags: [], mediaType }, pushing)
      expect(again).toEqual({ outcome: 'tag-immutable', tag: 'v1' })
      expect(await store().findManifest('a', { digest: fixed.digest })).toMatchObject({ mediaType: fixed.mediaType })
    }
    const free = manifest('a', 'free', { tags: ['latest'] })
    await put(store(), free, pushing)
    expect(await put(store(), { ...free, mediaType }, pushing)).toMatchObject({ outcome: 'stored' })
  })

  it('are not deleted', async () => {
    const target = await tagged(store(), 'a', ['v1', 'latest'])
    expect(await removeTag('v1')).toEqual({ outcome: 'tag-immutable', tag: 'v1' })
    expect(await removeTag('v2')).toEqual({ outcome: 'unknown' })
    expect(await removeTag('latest')).toEqual({ outcome: 'deleted', digest: target })
    expect(await store().findManifest('a', { tag: 'v1' })).toMatchObject({ digest: target })
  })

  it('hold their manifest', async () => {
    await store().enrollReceivers(['one'])
    const target = await tagged(store(), 'a', ['latest', 'v1'])
    const before = await store().readEvents('one', 100)
    expect(await remove(target)).toEqual({ outcome: 'tag-immutable', tag: 'v1' })
    expect(await store().listTagsOf('a', target)).toEqual(['latest', 'v1'])
    expect(await store().readManifest('a', target)).toBeDefined()
    expect(await store().readEvents('one', 100)).toEqual(before)
    // First what was not asked for: who may not delete a tag need not learn what holds for it.
    const blind = { repository: 'a', digest: target, tags: ['latest'], at: now }
    expect(await store().deleteManifest(blind, deleting)).toEqual({ outcome: 'tags-differ', tags: ['v1'] })
  })

  it('hold what an index needs, and what that one needs', async () => {
    const child = await tagged(store(), 'a', [], 'child')
    const free = await tagged(store(), 'a', ['latest'], 'free')
    const inner = index('inner', [child])
    const outer = index('outer', [inner.digest], { tags: ['v1'] })
    await put(store(), inner)
    await put(store(), outer)
    await put(store(), index('loose', [free, child], { tags: ['nightly'] }))
    for (const held of [child, inner.digest, outer.digest]) {
      expect(await remove(held)).toEqual({ outcome: 'tag-immutable', tag: 'v1' })
    }
    expect(await remove(free)).toMatchObject({ outcome: 'deleted' })
    // The same manifest in another repository is another matter.
    await tagged(store(), 'b', [], 'child')
    expect(await remove(child, 'b')).toMatchObject({ outcome: 'deleted' })
    await tagged(store(), 'b', ['v1'], 'elsewhere')
    expect(await remove(await tagged(store(), 'a', [], 'elsewhere'))).toMatchObject({ outcome: 'deleted' })
    // Who needs the same bytes as a blob has them as a blob.
    const both = await tagged(store(), 'a', [], 'both')
    await put(store(), manifest('a', 'artifact', { references: [{ digest: both, role: 'blob' }], tags: ['v3'] }))
    expect(await remove(both)).toMatchObject({ outcome: 'deleted' })
  })

  it('do not hold what refers to them, nor the subject they refer to', async () => {
    const subject = await tagged(store(), 'a', [], 'subject')
    await put(store(), manifest('a', 'signature', { subject, tags: ['v1'] }))
    expect(await remove(subject)).toMatchObject({ outcome: 'deleted' })
    const image = await tagged(store(), 'a', ['v2'], 'image')
    const referrer = manifest('a', 'referrer', { subject: image })
    await put(store(), referrer)
    expect(await remove(referrer.digest)).toMatchObject({ outcome: 'deleted' })
  })

  it('are found above any number of indexes, and in circles', async () => {
    // No digest of the real world is in its own index; a store must come to an end all the same.
    const chain = Array.from({ length: 50 }, (_, number) => digest(number))
    for (const [number, own] of chain.entries()) {
      const below = chain[number - 1]
      await put(store(), index(`${number}`, below === undefined ? [own] : [below, own], { digest: own }))
    }
    await put(store(), index('48', [], { digest: digest(48), tags: ['v48'] }))
    for (const held of [0, 9, 30, 48]) {
      expect(await remove(digest(held))).toEqual({ outcome: 'tag-immutable', tag: 'v48' })
    }
    // What stands above it is not needed.
    expect(await remove(digest(49))).toMatchObject({ outcome: 'deleted' })
    await store().deleteTag({ repository: 'a', tag: 'v48', at: now }, deletion)
    expect(await remove(digest(0))).toMatchObject({ outcome: 'deleted' })
    const circle = [20, 21].map(digest)
    await put(store(), index('20', [digest(21)], { digest: digest(20) }))
    await put(store(), index('21', [digest(20)], { digest: digest(21), tags: ['v21'] }))
    for (const held of circle) expect(await remove(held)).toEqual({ outcome: 'tag-immutable', tag: 'v21' })
  })

  it('hold the blobs they need, even if used ones may go', async () => {
    for (const number of [1, 2, 3, 4]) await link(store(), 'a', digest(number), `k${number}`)
    const child = manifest('a', 'child', { references: [{ digest: digest(1), role: 'layer' }] })
    const image = manifest('a', 'image', { references: [{ digest: digest(2), role: 'config' }], tags: ['v2'] })
    const other = manifest('a', 'other', { references: [{ digest: digest(3), role: 'layer' }], tags: ['latest'] })
    for (const wanted of [child, image, other]) await put(store(), wanted)
    await put(store(), index('top', [child.digest, digest(4)], { tags: ['v1'] }))
    for (const evenIfUsed of [true, false]) {
      expect(await unlink(digest(1), evenIfUsed)).toEqual({ outcome: 'tag-immutable', tag: 'v1' })
      expect(await unlink(digest(2), evenIfUsed)).toEqual({ outcome: 'tag-immutable', tag: 'v2' })
    }
    expect(await unlink(digest(3), false)).toEqual({ outcome: 'in-use', by: other.digest })
    expect(await unlink(digest(3), true)).toEqual({ outcome: 'deleted' })
    expect(await store().findBlob('a', digest(1))).toBeDefined()
    expect(await store().findBlob('a', digest(2))).toBeDefined()
  })

  it('hold blobs that an index lists as its children', async () => {
    await link(store(), 'a', digest(1), 'k1')
    // As a build cache does: what it lists are layers.
    const cache = index('cache', [digest(1)])
    await put(store(), cache)
    expect(await unlink(digest(1), false)).toEqual({ outcome: 'in-use', by: cache.digest })
    await put(store(), index('top', [cache.digest], { tags: ['v1'] }))
    for (const evenIfUsed of [true, false]) {
      expect(await unlink(digest(1), evenIfUsed)).toEqual({ outcome: 'tag-immutable', tag: 'v1' })
    }
    // Where the repository has a manifest of the digest, that one is meant.
    await put(store(), manifest('b', 'child', { digest: digest(1) }))
    expect(await unlink(digest(1), true)).toEqual({ outcome: 'tag-immutable', tag: 'v1' })
    await put(store(), manifest('a', 'child', { digest: digest(1) }))
    expect(await unlink(digest(1), false)).toEqual({ outcome: 'deleted' })
    expect(await remove(digest(1))).toEqual({ outcome: 'tag-immutable', tag: 'v1' })
  })
}
