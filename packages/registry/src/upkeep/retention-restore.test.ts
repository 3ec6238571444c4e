import { sample } from '@stowage/testkit'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { grant, newest, openRetentionStore, type RetentionStore, week } from '../testing/retention-store.ts'

describe('what retention removed', () => {
  let store: RetentionStore

  beforeEach(async () => {
    store = await openRetentionStore()
  })

  afterEach(async () => store[Symbol.asyncDispose]())

  it('can be restored for as long as the window, and is there by its digest meanwhile', async () => {
    const [old, restored] = [await store.put('old', ['old']), await store.put('restored', ['restored'])]
    store.pass(1)
    await store.put('new', ['new'])
    const rules = [newest(1)]
    expect(await store.apply(rules)).toMatchObject({ tags: 2, manifests: 0 })
    const retention = store.open(rules)
    const rows = await retention.listRemovedTags()
    expect(rows).toMatchObject([
      { repository: 'a', tag: 'old', digest: old, removedAt: store.now, restoreUntil: store.now + week },
      { repository: 'a', tag: 'restored', digest: restored },
    ])
    store.pass(week)
    // Just not over.
    expect(await store.apply(rules)).toMatchObject({ tags: 0, manifests: 0, forgotten: 0 })
    expect([await store.isHere(old), await store.isHere(restored)]).toEqual([true, true])
    const id = rows[1]?.id ?? 0
    expect(await retention.restoreTag({ id })).toMatchObject({ outcome: 'restored', tag: 'restored' })
    expect(await store.metadata.findManifest('a', { tag: 'restored' })).toMatchObject({ digest: restored })
    store.pass(1)
    const report = await store.apply([newest(2)])
    expect(report).toMatchObject({ tags: 0, manifests: 1, forgotten: 0 })
    expect(report.sample).toEqual([{ repository: 'a', digest: old, because: 'It has had no tag for 7 days.' }])
    expect([await store.isHere(old), await store.isHere(restored)]).toEqual([false, true])
    expect(await retention.listRemovedTags()).toEqual([])
    expect(await retention.restoreTag({ id: rows[0]?.id ?? 0 })).toEqual({ outcome: 'unknown' })
  })

  it('is forgotten when its time is over, also without rules', async () => {
    const old = await store.put('old', ['old'])
    store.pass(1)
    await store.put('new', ['new'])
    await store.apply([newest(1)])
    store.pass(week)
    expect(await store.open([]).apply({ dryRun: true })).toMatchObject({ forgotten: 0 })
    store.pass(1)
    expect(await store.open([]).apply({ dryRun: true })).toMatchObject({ forgotten: 1 })
    expect(await store.open([]).listRemovedTags()).toHaveLength(1)
    expect(await store.apply([])).toMatchObject({ tags: 0, manifests: 0, forgotten: 1 })
    expect(await store.open([]).listRemovedTags()).toEqual([])
    expect(await store.isHere(old)).toBe(true)
  })

  it('leaves its blobs unused: from then on their grace counts', async () => {
    const layer = sample.sha256(new Uint8Array(1))
    await store.metadata.finishUpload({ repository: 'a', digest: layer, size: 1, key: 'k', at: store.now }, grant)
    await store.put('old', ['old'], { references: [{ digest: layer, role: 'layer' }] })
    store.pass(1)
    await store.put('new', ['new'])
    await store.apply([newest(1)])
    store.pass(week + 1)
    expect(await store.metadata.findBlob('a', layer)).toMatchObject({ unusedSince: null })
    await store.apply([newest(1)])
    expect(await store.metadata.findBlob('a', layer)).toMatchObject({ unusedSince: store.now })
    expect(await store.metadata.upkeep.listUnusedBlobs({ unusedBefore: store.now + 1, limit: 10 })).toMatchObject([
      { repository: 'a', digest: layer },
    ])
  })

  describe('a restore', () => {
    const removed = async (): Promise<number> => {
      await store.put('old', ['old'])
      store.pass(1)
      await store.put('new', ['new'])
      await store.apply([newest(1)])
      return (await store.open([]).listRemovedTags()).at(-1)?.id ?? 0
    }

    it('never moves an immutable tag', async () => {
      const id = await removed()
      const current = await store.put('current', ['old', 'v1'])
      const policies = { immutableTags: [{ repositories: 'a', tags: 'v*' }] }
      const retention = store.open([], policies)
      const restore = { id, overwrite: true }
      expect(await retention.restoreTag({ ...restore, as: 'v1' })).toEqual({
        outcome: 'tag-exists',
        repository: 'a',
        tag: 'v1',
        digest: current,
      })
      expect(await retention.restoreTag({ ...restore, overwrite: false })).toMatchObject({ outcome: 'tag-exists' })
      expect(await retention.restoreTag(restore)).toMatchObject({ outcome: 'restored', tag: 'old' })
    })

    it('sets an immutable tag that is not there', async () => {
      const id = await removed()
      const policies = { immutableTags: [{ repositories: 'a', tags: '*' }] }
      expect(await store.open([], policies).restoreTag({ id, as: 'v2' })).toMatchObject({
        outcome: 'restored',
        tag: 'v2',
      })
    })

    it('refuses what is not a tag, and knows no other numbers', async () => {
      const id = await removed()
      for (const as of ['', 'a/b', '.x', 'x'.repeat(129)]) {
        await expect(store.open([]).restoreTag({ id, as })).rejects.toMatchObject({ fault: 'tag-invalid' })
      }
      for (const other of [0, -1, id + 1, id + 0.5, Number.NaN, Infinity, 1e300]) {
        expect(await store.open([]).restoreTag({ id: other })).toEqual({ outcome: 'unknown' })
      }
    })

    it('at the same time as a run leaves the tag or the chance to restore it', async () => {
      for (let round = 0; round < 10; round += 1) {
        const repository = `race${round}`
        const target = await store.put(`old ${round}`, ['x'], { repository })
        store.pass(1)
        await store.put(`new ${round}`, ['y'], { repository })
        await store.apply([newest(1)])
        const id = (await store.open([]).listRemovedTags({ repository }))[0]?.id ?? 0
        const [restored] = await Promise.all([store.open([]).restoreTag({ id }), store.apply([newest(1)])])
        expect(restored.outcome).toBe('restored')
        const rows = await store.open([]).listRemovedTags({ repository })
        expect([...(await store.tags(repository)), ...rows.map(({ tag }) => tag)].toSorted()).toEqual(['x', 'y'])
        expect(await store.metadata.findManifest(repository, { digest: target })).toBeDefined()
      }
    })
  })
})
