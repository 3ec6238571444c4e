import type { Digest } from '@stowage/oci'
import type { PutManifest, UntaggedManifest, UntaggedPage } from '@stowage/registry/metadata'
import { expect, it } from 'vitest'
import {
  changes,
  deletion,
  digest,
  link,
  manifest,
  now,
  put,
  remove,
  rounds,
  type StoreUnderTest,
  tagged,
} from './samples.ts'

/** A removed tag of these can be brought back for as long. */
const window = 1000

export const describeRetention = (store: StoreUnderTest): void => {
  const removeTags = async (repository: string, names: Readonly<Record<string, Digest>>, at = now + 1) =>
    store().upkeep.removeTags({
      repository,
      tags: Object.entries(names).map(([tag, named]) => ({ tag, digest: named, taggedAt: now })),
      at,
      restoreUntil: at + window,
    })

  const untagged = async (repository: string, untaggedBefore: number, at = untaggedBefore): Promise<Digest[]> => {
    const found: UntaggedManifest[] = []
    let page: UntaggedPage | undefined
    do {
      const after = page?.next
      page = await store().upkeep.listUntaggedManifests({
        repository,
        untaggedBefore,
        at,
        limit: 2,
        ...(after && { after }),
      })
      found.push(...page.manifests)
    } while (page.next !== undefined)
    return found.map((row) => row.digest)
  }

  const collect = async (repository: string, digests: readonly Digest[], untaggedBefore: number, at = untaggedBefore) =>
    (await store().upkeep.collectManifests({ repository, digests, untaggedBefore, at })).map((row) => row.digest)

  const index = (repository: string, children: readonly Digest[], more: Partial<PutManifest> = {}): PutManifest =>
    manifest(repository, `index of ${children.join()}`, {
      references: children.map((child) => ({ digest: child, role: 'manifest' })),
      ...more,
    })

  it('removes tags that name what they named, and leaves their manifests', async () => {
    await store().enrollReceivers(['one'])
    const first = await tagged(store(), 'a', ['x', 'y', 'z'], 'first')
    const second = await tagged(store(), 'a', ['w'], 'second')
    await tagged(store(), 'b', ['x'], 'first')
    const before = (await changes(store(), 'one')).length
    expect(await removeTags('a', { z: first, x: first, w: first, none: first })).toEqual(['x', 'z'])
    expect(await store().listTags({ repository: 'a', limit: 10 })).toEqual(['w', 'y'])
    expect(await store().listTags({ repository: 'b', limit: 10 })).toEqual(['x'])
    expect(await store().findManifest('a', { tag: 'x' })).toBeUndefined()
    expect(await store().findManifest('a', { digest: first })).toMatchObject({ untaggedSince: null })
    expect((await changes(store(), 'one')).slice(before)).toEqual(
      ['x', 'z'].map((tag) => ({ type: 'tag.deleted', repository: 'a', tag, digest: first })),
    )
    expect((await store().readEvents('one', 100)).at(-1)).toMatchObject({ actor: 'stowage:retention', at: now + 1 })
    expect(await removeTags('a', { y: first, w: second }, now + 7)).toEqual(['w', 'y'])
    expect(await store().findManifest('a', { digest: first })).toMatchObject({ untaggedSince: now + 7 })
    expect(await removeTags('c', { y: first })).toEqual([])
  })

  it('leaves a tag that was set again since the look, though it names the same', async () => {
    const target = manifest('a', 'the same', { tags: ['x'] })
    await put(store(), target)
    await put(store(), { ...target, at: now + 1 })
    expect(await removeTags('a', { x: target.digest })).toEqual([])
    expect(await store().listTags({ repository: 'a', limit: 10 })).toEqual(['x'])
  })

  it('finds manifests without a tag, longest first, in pages that say where to go on', async () => {
    const all = await Promise.all(
      Array.from({ length: 5 }, async (_, number) => {
        const wanted = manifest('a', `${number}`, { at: now + 4 - number })
        await put(store(), wanted)
        return wanted.digest
      }),
    )
    await tagged(store(), 'a', ['x'])
    expect(await untagged('a', now + 5)).toEqual(all.toReversed())
    expect(await untagged('a', now + 3)).toEqual(all.slice(2).toReversed())
    expect(await untagged('a', now)).toEqual([])
    expect(await untagged('b', now + 5)).toEqual([])
    const page = { repository: 'a', untaggedBefore: now + 5, at: now + 5, limit: 5 }
    expect(await store().upkeep.listUntaggedManifests(page)).toEqual({
      manifests: all.toReversed().map((target, age) => ({ digest: target, size: 1, untaggedSince: now + age })),
      next: { untaggedSince: now + 4, digest: all[0] },
    })
    expect(await store().upkeep.listUntaggedManifests({ ...page, limit: 6 })).not.toHaveProperty('next')
  })

  it('has manifests hold what they list, as long as they are there', async () => {
    const child = await tagged(store(), 'a', [], 'child')
    const inner = index('a', [child])
    const outer = index('a', [inner.digest], { tags: ['x'] })
    for (const wanted of [inner, outer]) await put(store(), wanted)
    // Elsewhere nothing lists it.
    await tagged(store(), 'b', [], 'child')
    expect(await untagged('a', now + 10)).toEqual([])
    expect(await untagged('b', now + 10)).toEqual([child])
    expect(await collect('a', [child, inner.digest, outer.digest], now + 10)).toEqual([])
    await store().deleteTag({ repository: 'a', tag: 'x', at: now + 1 }, deletion)
    for (const next of [outer.digest, inner.digest, child]) {
      expect(await untagged('a', now + 10)).toEqual([next])
      expect(await collect('a', [next], now + 10)).toEqual([next])
    }
    expect(await store().readManifest('a', child)).toBeUndefined()
    expect(await store().readManifest('b', child)).toBeDefined()
  })

  it('has a subject hold its referrers, as long as it is there', async () => {
    const subject = await tagged(store(), 'a', ['x'], 'subject')
    const referrer = manifest('a', 'referrer', { subject })
    const second = manifest('a', 'referrer of the referrer', { subject: referrer.digest })
    const lonely = manifest('a', 'lonely', { subject: digest(1) })
    // Its subject is here, and not there.
    const elsewhere = manifest('b', 'elsewhere', { subject })
    for (const wanted of [referrer, second, lonely, elsewhere]) await put(store(), wanted)
    expect(await untagged('b', now + 10)).toEqual([elsewhere.digest])
    expect(await untagged('a', now + 10)).toEqual([lonely.digest])
    expect(await collect('a', [referrer.digest, second.digest], now + 10)).toEqual([])
    await store().deleteTag({ repository: 'a', tag: 'x', at: now + 1 }, deletion)
    // What refers to it does not hold it.
    expect(await collect('a', [subject], now + 10)).toEqual([subject])
    expect(await collect('a', [referrer.digest], now + 10)).toEqual([referrer.digest])
    expect(await untagged('a', now + 10)).toEqual([second.digest, lonely.digest].toSorted())
  })

  it('has a removed tag hold its manifest until it cannot be brought back', async () => {
    const target = await tagged(store(), 'a', ['x'])
    await removeTags('a', { x: target }, now + 1)
    const end = now + 1 + window
    expect(await untagged('a', end + 10, end)).toEqual([])
    expect(await collect('a', [target], end + 10, end)).toEqual([])
    expect(await untagged('a', end + 10, end + 1)).toEqual([target])
    expect(await collect('a', [target], end + 10, end + 1)).toEqual([target])
    // There is nothing left that it could name.
    expect(await store().upkeep.listRemovedTags({ limit: 10 })).toEqual([])
  })

  it('collects as a deletion does: links, counters, events', async () => {
    await store().enrollReceivers(['one'])
    await link(store(), 'a', digest(1), 'k1', 50)
    await link(store(), 'a', digest(2), 'k2', 60)
    const gone = manifest('a', 'gone', {
      references: [
        { digest: digest(1), role: 'layer' },
        { digest: digest(2), role: 'layer' },
      ],
    })
    const stays = manifest('a', 'stays', { references: [{ digest: digest(2), role: 'layer' }], tags: ['x'] })
    for (const wanted of [gone, stays]) await put(store(), wanted)
    const before = (await changes(store(), 'one')).length
    expect(
      await store().upkeep.collectManifests({
        repository: 'a',
        digests: [gone.digest, stays.digest, digest(9)],
        untaggedBefore: now + 1,
        at: now + 5,
      }),
    ).toEqual([{ digest: gone.digest, size: 4, untaggedSince: now }])
    expect(await store().findBlob('a', digest(1))).toMatchObject({ unusedSince: now + 5 })
    expect(await store().findBlob('a', digest(2))).toMatchObject({ unusedSince: null })
    for (const quota of [
      { kind: 'actor', actor: 'alice', bytes: 0 },
      { kind: 'repositories', glob: 'a', bytes: 0 },
    ] as const) {
      expect(await store().usage(quota)).toBe(50 + 60 + 5)
    }
    expect((await changes(store(), 'one')).slice(before)).toEqual([
      { type: 'manifest.deleted', repository: 'a', digest: gone.digest },
    ])
    expect((await store().readEvents('one', 100)).at(-1)).toMatchObject({ actor: 'stowage:retention', at: now + 5 })
    expect((await store().upkeep.listContents({ limit: 10 })).map((row) => row.digest)).toEqual([stays.digest])
  })

  it('does not collect what was asked for since, has a tag again or has not waited long enough', async () => {
    const [asked, again, young] = await Promise.all(
      ['asked', 'again', 'young'].map((text) => tagged(store(), 'a', [], text)),
    )
    const all = [asked, again, young] as Digest[]
    await store().upkeep.touchManifest('a', all[0] as Digest, now + 5)
    await tagged(store(), 'a', ['x'], 'again')
    expect(await collect('a', all.slice(0, 2), now + 5)).toEqual([])
    expect(await collect('a', all, now)).toEqual([])
    expect(await collect('none', all, now + 5)).toEqual([])
    expect(await collect('a', all, now + 6)).toEqual([all[0], all[2]].toSorted())
  })

  it('a push of a tag against its removal: the tag names what was pushed', async () => {
    await rounds(20, async (place) => {
      const old = await tagged(store(), place, ['x'], `old ${place}`)
      const wanted = manifest(place, `new ${place}`, { tags: ['x'], at: now + 1 })
      const [removed] = await Promise.all([removeTags(place, { x: old }), put(store(), wanted)])
      expect(await store().findManifest(place, { tag: 'x' })).toMatchObject({ digest: wanted.digest })
      const rows = await store().upkeep.listRemovedTags({ repository: place, limit: 10 })
      expect(rows.map((row) => row.tag)).toEqual(removed)
      expect(await store().findManifest(place, { digest: old })).toMatchObject({ untaggedSince: now + 1 })
    })
  })

  it('a push against the collection of the same manifest: it is there in the end', async () => {
    await rounds(20, async (place) => {
      const wanted = manifest(place, `pushed ${place}`)
      await put(store(), wanted)
      await Promise.all([
        collect(place, [wanted.digest], now + 1, now + 5),
        put(store(), { ...wanted, tags: ['x'], at: now + 5 }),
      ])
      expect(await store().findManifest(place, { tag: 'x' })).toMatchObject({ digest: wanted.digest })
      expect(await store().readManifest(place, wanted.digest)).toEqual(wanted.bytes)
    })
  })

  it('a push of an index against the collection of its child: it has its child, or is told that it is missing', async () => {
    await rounds(20, async (place) => {
      const child = await tagged(store(), place, [], `child ${place}`)
      const [stored] = await Promise.all([
        put(store(), index(place, [child], { requiredManifests: [child], tags: ['x'] })),
        collect(place, [child], now + 1, now + 5),
      ])
      const found = await store().findManifest(place, { digest: child })
      expect(found !== undefined).toBe(stored.outcome === 'stored')
    })
  })

  it('collections in two repositories that share bytes, and deletions, do not wait for each other', async () => {
    await rounds(10, async (place) => {
      const texts = Array.from({ length: 8 }, (_, number) => `${place} ${number}`)
      const digests = texts.map((text) => manifest(place, text).digest)
      const places = ['one', 'two', 'three'].map((name) => `${place}/${name}`)
      for (const repository of places) for (const text of texts) await put(store(), manifest(repository, text))
      const [first, second, third = ''] = places
      const [one, two] = await Promise.all([
        collect(first ?? '', digests, now + 1),
        collect(second ?? '', digests.toReversed(), now + 1),
        ...digests.map((target) => remove(store(), third, target, [])),
      ])
      expect(one).toEqual(digests.toSorted())
      expect(two).toEqual(digests.toSorted())
    })
  })
}
