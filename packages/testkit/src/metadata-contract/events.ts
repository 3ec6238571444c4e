import { expect, it } from 'vitest'
import {
  changes,
  deletion,
  digest,
  link,
  manifest,
  now,
  push,
  put,
  remove,
  sequences,
  type StoreUnderTest,
  tagged,
  unlink,
} from './samples.ts'

export const describeEvents = (store: StoreUnderTest): void => {
  it('tell every change, with what it was', async () => {
    await store().enrollReceivers(['one'])
    await link(store(), 'a', digest(1), 'k')
    await link(store(), 'a', digest(1), 'k again')
    const facts = { ...manifest('a', '').facts, artifactType: 'application/vnd.example' }
    const first = manifest('a', 'first', { tags: ['x', 'y'], subject: digest(9), facts })
    const second = manifest('a', 'second', { tags: ['y', 'z'] })
    await put(store(), first)
    await put(store(), first)
    await put(store(), second)
    await store().deleteTag({ repository: 'a', tag: 'z', at: now }, deletion)
    await remove(store(), 'a', second.digest)
    await unlink(store(), 'a', digest(1))

    const pushed = { type: 'manifest.pushed', repository: 'a', mediaType: first.mediaType }
    const firstPushed = {
      ...pushed,
      digest: first.digest,
      size: 5,
      subject: digest(9),
      artifactType: facts.artifactType,
    }
    expect(await changes(store(), 'one')).toEqual([
      { type: 'blob.pushed', repository: 'a', digest: digest(1), size: 7 },
      { type: 'blob.pushed', repository: 'a', digest: digest(1), size: 7 },
      { ...firstPushed, created: true },
      { type: 'tag.set', repository: 'a', tag: 'x', digest: first.digest },
      { type: 'tag.set', repository: 'a', tag: 'y', digest: first.digest },
      // Put again: no tag names anything else than before.
      { ...firstPushed, created: false },
      { ...pushed, digest: second.digest, size: 6, created: true },
      { type: 'tag.set', repository: 'a', tag: 'y', digest: second.digest, previous: first.digest },
      { type: 'tag.set', repository: 'a', tag: 'z', digest: second.digest },
      { type: 'tag.deleted', repository: 'a', tag: 'z', digest: second.digest },
      { type: 'tag.deleted', repository: 'a', tag: 'y', digest: second.digest },
      { type: 'manifest.deleted', repository: 'a', digest: second.digest },
      { type: 'blob.deleted', repository: 'a', digest: digest(1) },
    ])
  })

  it('say who, when, and in which order', async () => {
    await store().enrollReceivers(['one'])
    await put(store(), manifest('a', '{}', { tags: ['x'], at: 1234 }), { ...push, actor: 'zoë "z" \\' })
    const events = await store().readEvents('one', 10)
    expect(events).toMatchObject([
      { type: 'manifest.pushed', at: 1234, actor: 'zoë "z" \\' },
      { type: 'tag.set', at: 1234, actor: 'zoë "z" \\' },
    ])
    expect(new Set(events.map((event) => event.id)).size).toBe(2)
    for (const event of events) expect(event.id).toMatch(/^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/)
    const [first = 0, second = 0] = sequences(events)
    expect(second).toBeGreaterThan(first)
  })

  it('come again until they are acknowledged', async () => {
    await store().enrollReceivers(['one'])
    await tagged(store(), 'a', ['x', 'y', 'z'])
    const all = await store().readEvents('one', 10)
    expect(all).toHaveLength(4)
    expect(await store().readEvents('one', 2)).toEqual(all.slice(0, 2))
    expect(await store().readEvents('one', 10)).toEqual(all)
    await store().acknowledgeEvents('one', all[1]?.sequence ?? 0)
    expect(await store().readEvents('one', 10)).toEqual(all.slice(2))
    await store().acknowledgeEvents('one', all[0]?.sequence ?? 0)
    expect(await store().readEvents('one', 10)).toEqual(all.slice(2))
    await store().acknowledgeEvents('one', all[3]?.sequence ?? 0)
    expect(await store().readEvents('one', 10)).toEqual([])
    expect((await store().statistics()).pendingEvents).toBe(0)
  })

  it('wait for a receiver that fails, and for no other', async () => {
    await store().enrollReceivers(['failing', 'working'])
    await tagged(store(), 'a', ['x'])
    const [, last] = await store().readEvents('working', 10)
    await store().acknowledgeEvents('working', last?.sequence ?? 0)
    expect(await store().readEvents('working', 10)).toEqual([])
    expect(await store().readEvents('failing', 10)).toHaveLength(2)
    expect((await store().statistics()).pendingEvents).toBe(2)
    await tagged(store(), 'a', ['y'])
    expect(await store().readEvents('working', 10)).toHaveLength(2)
    expect(await store().readEvents('failing', 10)).toHaveLength(4)
    await store().enrollReceivers(['working'])
    expect((await store().statistics()).pendingEvents).toBe(2)
    expect(await store().readEvents('failing', 10)).toEqual([])
  })

  it('of the past are not for a new receiver, also when it was there before', async () => {
    await store().enrollReceivers(['one'])
    await tagged(store(), 'a', ['x'])
    await store().enrollReceivers(['one', 'two'])
    expect(await store().readEvents('one', 10)).toHaveLength(2)
    expect(await store().readEvents('two', 10)).toEqual([])
    await tagged(store(), 'a', ['y'])
    expect(await store().readEvents('two', 10)).toHaveLength(2)
    await store().enrollReceivers(['two'])
    await store().enrollReceivers(['one', 'two'])
    expect(await store().readEvents('one', 10)).toEqual([])
    expect(await store().readEvents('two', 10)).toHaveLength(2)
    await store().enrollReceivers([])
    expect((await store().statistics()).pendingEvents).toBe(0)
    expect(await store().readEvents('nobody', 10)).toEqual([])
  })

  it('never use a sequence twice, not even when nothing is kept', async () => {
    await store().enrollReceivers(['one'])
    await tagged(store(), 'a', ['x'])
    const before = sequences(await store().readEvents('one', 10))
    await store().acknowledgeEvents('one', Math.max(...before))
    await store().enrollReceivers([])
    await tagged(store(), 'a', ['y'])
    await store().enrollReceivers(['one'])
    expect(await store().readEvents('one', 10)).toEqual([])
    await tagged(store(), 'a', ['z'])
    expect(Math.min(...sequences(await store().readEvents('one', 10)))).toBeGreaterThan(Math.max(...before))
  })

  it('count pulls', async () => {
    const target = await tagged(store(), 'a', ['x', 'y'])
    const other = await tagged(store(), 'b', ['x'], 'other')
    const facts = async (repository: string) => store().describeTags({ repository, limit: 1 })
    await store().recordPulls([
      { repository: 'a', digest: target, tag: 'x', count: 2, lastAt: 500 },
      { repository: 'a', digest: target, count: 3, lastAt: 400 },
      { repository: 'a', digest: other, count: 7, lastAt: 600 },
      { repository: 'nowhere', digest: target, count: 7, lastAt: 600 },
    ])
    expect(await facts('a')).toMatchObject([{ pullCount: 5, lastPulledAt: 500 }])
    expect(await facts('b')).toMatchObject([{ pullCount: 0 }])
    expect((await facts('b'))[0]).not.toHaveProperty('lastPulledAt')
    await store().recordPulls([{ repository: 'a', digest: target, count: 1, lastAt: 450 }])
    expect(await facts('a')).toMatchObject([{ pullCount: 6, lastPulledAt: 500 }])
    await store().recordPulls([{ repository: 'a', digest: target, count: 1, lastAt: 550 }])
    await tagged(store(), 'a', ['x', 'y'])
    expect(await facts('a')).toMatchObject([{ pullCount: 7, lastPulledAt: 550 }])
    await store().recordPulls([])
  })
}
