import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { MetadataStore } from '../metadata/metadata-store.ts'
import { day, newest, openRetentionStore, type RetentionStore, week } from '../testing/retention-store.ts'

describe('a run of retention', () => {
  let store: RetentionStore

  beforeEach(async () => {
    store = await openRetentionStore()
  })

  afterEach(async () => store[Symbol.asyncDispose]())

  it('ends where it is told to, and says so', async () => {
    await store.put(
      'many',
      Array.from({ length: 250 }, (_, number) => `t${number}`),
    )
    const stop = new AbortController()
    const changing: MetadataStore = {
      ...store.metadata,
      describeTags: async (page) => {
        if (page.last !== undefined) stop.abort()
        return store.metadata.describeTags(page)
      },
    }
    const report = await store.open([newest(1)], {}, changing).apply({ trustClock: true, signal: stop.signal })
    expect(report).toMatchObject({ tags: 199, incomplete: true })
    expect(await store.tags()).toHaveLength(51)
    const stopped = await store.open([newest(1)]).apply({ trustClock: true, signal: AbortSignal.abort() })
    expect(stopped).toMatchObject({ tags: 0, incomplete: true })
  })

  it('shows a thousand of what goes', async () => {
    for (let round = 0; round < 11; round += 1) {
      await store.put(
        `${round}`,
        Array.from({ length: 100 }, (_, number) => `t${round}-${number}`),
      )
    }
    const report = await store.open([newest(1)]).apply({ dryRun: true })
    expect(report).toMatchObject({ dryRun: true, tags: 1099 })
    expect(report.sample).toHaveLength(1000)
    expect(await store.tags()).toHaveLength(1000)
  })

  it('removes nothing while the clock is in doubt', async () => {
    const lonely = await store.put('lonely')
    await store.put('old', ['old'])
    store.pass(1)
    await store.put('new', ['new'])
    const rules = [newest(1)]
    expect(await store.apply(rules)).toMatchObject({ tags: 1 })
    const retention = store.open(rules)
    expect(await retention.apply({})).not.toHaveProperty('withheld')
    // Nobody waited as long as the clock says.
    store.now += 8 * day
    await store.put('newer', ['newer'])
    expect(await retention.apply({ dryRun: true })).toMatchObject({ manifests: 2, withheld: { reason: 'clock' } })
    const report = await retention.apply({})
    expect(report).toMatchObject({ tags: 0, manifests: 0, forgotten: 0, withheld: { reason: 'clock' } })
    expect(report.withheld?.message).toContain('The clock jumped')
    expect(await retention.listRemovedTags()).toHaveLength(1)
    expect(await store.isHere(lonely)).toBe(true)
    store.pass(3_600_000)
    const next = await retention.apply({})
    expect(next).not.toHaveProperty('withheld')
    expect(next).toMatchObject({ manifests: 2 })
    expect(await store.isHere(lonely)).toBe(false)
  })

  it('changes nothing while the registry is read-only', async () => {
    await store.put('old', ['old', 'new'])
    await store.put('lonely')
    store.pass(week + 1)
    const readOnly = { readOnly: true }
    expect(await store.apply([newest(1)], readOnly)).toMatchObject({
      tags: 0,
      manifests: 0,
      withheld: { reason: 'read-only' },
    })
    expect(await store.open([newest(1)], readOnly).apply({ dryRun: true })).toMatchObject({ tags: 1, manifests: 1 })
    expect(await store.tags()).toEqual(['new', 'old'])
    await expect(store.open([], readOnly).restoreTag({ id: 1 })).rejects.toMatchObject({ fault: 'read-only' })
  })
})
