import type { Digest } from '@stowage/oci'
import type { RestoreTagResult } from '@stowage/registry/metadata'
import { expect, it } from 'vitest'
import {
  changes,
  deletion,
  digest,
  manifest,
  now,
  pages,
  put,
  remove,
  rounds,
  type StoreUnderTest,
  tagged,
} from './samples.ts'

export const describeRestores = (store: StoreUnderTest): void => {
  const removeTag = async (repository: string, tag: string, named: Digest, at = now + 1) => {
    const tags = [{ tag, digest: named, taggedAt: now }]
    expect(await store().upkeep.removeTags({ repository, tags, at, restoreUntil: at + 1000 })).toEqual([tag])
    return (await store().upkeep.listRemovedTags({ repository, limit: 1000 })).at(-1)?.id ?? 0
  }

  const restore = async (id: number, more: { as?: string; overwrite?: boolean } = {}): Promise<RestoreTagResult> =>
    store().upkeep.restoreTag({ id, overwrite: false, at: now + 9, ...more })

  const removed = async () => (await store().upkeep.listRemovedTags({ limit: 1000 })).map(({ id }) => id)

  it('are listed by id, of one repository or all, in pages', async () => {
    const a = await tagged(store(), 'a', ['x', 'y'])
    const b = await tagged(store(), 'b', ['z'])
    const ids = [await removeTag('a', 'y', a), await removeTag('b', 'z', b), await removeTag('a', 'x', a, now + 2)]
    expect(ids).toEqual(ids.toSorted((left, right) => left - right))
    const found = await pages(
      ({ last, limit }) => store().upkeep.listRemovedTags({ limit, ...(last !== undefined && { last: Number(last) }) }),
      2,
      ({ id }) => String(id),
    )
    expect(found.map(({ repository, tag }) => `${repository}:${tag}`)).toEqual(['a:y', 'b:z', 'a:x'])
    expect(found[2]).toEqual({
      id: ids[2],
      repository: 'a',
      tag: 'x',
      digest: a,
      removedAt: now + 2,
      restoreUntil: now + 1002,
    })
    expect(await store().upkeep.listRemovedTags({ repository: 'a', limit: 10 })).toEqual([found[0], found[2]])
    expect(await store().upkeep.listRemovedTags({ repository: 'c', limit: 10 })).toEqual([])
  })

  it('are set again, and are then no longer removed', async () => {
    await store().enrollReceivers(['one'])
    const target = await tagged(store(), 'a', ['x'])
    const id = await removeTag('a', 'x', target)
    const before = (await changes(store(), 'one')).length
    expect(await restore(id)).toEqual({ outcome: 'restored', repository: 'a', tag: 'x', digest: target })
    expect(await store().findManifest('a', { tag: 'x' })).toMatchObject({ digest: target, untaggedSince: null })
    expect(await store().describeTags({ repository: 'a', limit: 10 })).toMatchObject([{ tag: 'x', taggedAt: now + 9 }])
    expect((await changes(store(), 'one')).slice(before)).toEqual([
      { type: 'tag.set', repository: 'a', tag: 'x', digest: target },
    ])
    expect((await store().readEvents('one', 100)).at(-1)).toMatchObject({ actor: 'stowage:retention', at: now + 9 })
    expect(await restore(id)).toEqual({ outcome: 'unknown' })
    expect(await restore(id + 1)).toEqual({ outcome: 'unknown' })
    expect(await removed()).toEqual([])
  })

  it('are set under another name', async () => {
    const target = await tagged(store(), 'a', ['x'])
    const id = await removeTag('a', 'x', target)
    expect(await restore(id, { as: 'old' })).toEqual({
      outcome: 'restored',
      repository: 'a',
      tag: 'old',
      digest: target,
    })
    expect(await store().listTags({ repository: 'a', limit: 10 })).toEqual(['old'])
  })

  it('do not move a tag that names something else, unless they are to', async () => {
    await store().enrollReceivers(['one'])
    const old = await tagged(store(), 'a', ['x'], 'old')
    const id = await removeTag('a', 'x', old)
    const newer = await tagged(store(), 'a', ['x'], 'newer')
    const before = (await changes(store(), 'one')).length
    expect(await restore(id)).toEqual({ outcome: 'tag-exists', repository: 'a', tag: 'x', digest: newer })
    expect(await store().findManifest('a', { tag: 'x' })).toMatchObject({ digest: newer })
    expect(await removed()).toEqual([id])
    expect(await changes(store(), 'one')).toHaveLength(before)
    expect(await restore(id, { overwrite: true })).toMatchObject({ outcome: 'restored', digest: old })
    expect(await store().findManifest('a', { digest: newer })).toMatchObject({ untaggedSince: now + 9 })
    expect(await store().findManifest('a', { digest: old })).toMatchObject({ untaggedSince: null })
    expect((await changes(store(), 'one')).slice(before)).toEqual([
      { type: 'tag.set', repository: 'a', tag: 'x', digest: old, previous: newer },
    ])
  })

  it('are there already when a push brought them back', async () => {
    await store().enrollReceivers(['one'])
    const target = await tagged(store(), 'a', ['x'])
    const id = await removeTag('a', 'x', target)
    await tagged(store(), 'a', ['x'])
    const before = (await changes(store(), 'one')).length
    expect(await restore(id)).toEqual({ outcome: 'restored', repository: 'a', tag: 'x', digest: target })
    expect(await removed()).toEqual([])
    expect(await changes(store(), 'one')).toHaveLength(before)
  })

  it('go with their manifest when that is deleted', async () => {
    const target = await tagged(store(), 'a', ['x', 'y'])
    const other = await tagged(store(), 'b', ['x', 'y'])
    const [id, elsewhere] = [await removeTag('a', 'x', target), await removeTag('b', 'x', other)]
    expect(await remove(store(), 'a', target)).toEqual({ outcome: 'deleted', tags: ['y'] })
    expect(await removed()).toEqual([elsewhere])
    expect(await restore(id)).toEqual({ outcome: 'unknown' })
  })

  it('are not set while their manifest is in quarantine', async () => {
    // Bytes of another digest are bytes that went bad.
    const wanted = manifest('a', 'bad', { digest: digest(1), tags: ['x'] })
    await put(store(), wanted)
    const id = await removeTag('a', 'x', wanted.digest)
    await store().upkeep.quarantineManifest(wanted.digest, now + 2)
    expect(await restore(id)).toEqual({ outcome: 'manifest-unknown', repository: 'a', digest: wanted.digest })
    expect(await store().listTags({ repository: 'a', limit: 10 })).toEqual([])
    expect(await removed()).toEqual([id])
  })

  it('are forgotten, those that ended first, so many at a time', async () => {
    const target = await tagged(store(), 'a', ['u', 'v', 'w', 'x', 'y'])
    const ids: number[] = []
    for (const [tag, at] of Object.entries({ u: 5, v: 4, w: 3, x: 2, y: 1 })) {
      ids.push(await removeTag('a', tag, target, now + at))
    }
    const end = now + 1000
    expect(await store().upkeep.forgetRemovedTags(end + 1, 10)).toBe(0)
    expect(await store().upkeep.forgetRemovedTags(end + 5, 2)).toBe(2)
    expect(await removed()).toEqual(ids.slice(0, 3))
    expect(await store().upkeep.forgetRemovedTags(end + 5, 10)).toBe(2)
    expect(await removed()).toEqual(ids.slice(0, 1))
  })

  it('restored twice at once: once', async () => {
    await rounds(20, async (place) => {
      const target = await tagged(store(), place, ['x'])
      const id = await removeTag(place, 'x', target)
      const results = await Promise.all([restore(id), restore(id), restore(id, { as: 'y' })])
      expect(results.filter(({ outcome }) => outcome === 'restored')).toHaveLength(1)
      expect(await store().listTags({ repository: place, limit: 10 })).toHaveLength(1)
    })
  })

  it('restored against the end of their time and the collection of their manifest: all or nothing', async () => {
    const { upkeep } = store()
    await rounds(30, async (place) => {
      const target = await tagged(store(), place, ['x'])
      const id = await removeTag(place, 'x', target)
      const late = now + 2000
      const collect = { repository: place, digests: [target], untaggedBefore: late, at: late }
      const [restored, forgotten, collected] = await Promise.all([
        restore(id),
        upkeep.forgetRemovedTags(late, 100),
        upkeep.collectManifests(collect),
      ])
      const found = await store().findManifest(place, { tag: 'x' })
      expect(found !== undefined).toBe(restored.outcome === 'restored')
      if (found !== undefined) expect([forgotten, collected]).toEqual([0, []])
      expect((await store().findManifest(place, { digest: target })) === undefined).toBe(collected.length === 1)
      expect(await removed()).toEqual([])
    })
  })

  it('restored against a deletion of the manifest: never a tag that names nothing', async () => {
    await rounds(20, async (place) => {
      const target = await tagged(store(), place, ['x'])
      const id = await removeTag(place, 'x', target)
      const [restored, deleted] = await Promise.all([
        restore(id),
        store().deleteManifest({ repository: place, digest: target, tags: [], at: now }, deletion),
      ])
      const tags = await store().listTags({ repository: place, limit: 10 })
      expect(tags).toEqual(restored.outcome === 'restored' ? ['x'] : [])
      expect(deleted.outcome).toBe(restored.outcome === 'restored' ? 'tags-differ' : 'deleted')
    })
  })
}
