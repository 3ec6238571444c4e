import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { newest, openRetentionStore, type RetentionStore, week } from '../testing/retention-store.ts'
import type { RetentionRule } from './upkeep-options.ts'

describe('retention of manifests without a tag', () => {
  let store: RetentionStore

  beforeEach(async () => {
    store = await openRetentionStore()
  })

  afterEach(async () => store[Symbol.asyncDispose]())

  const cases: [string, RetentionRule, boolean][] = [
    ['go where tags are kept by conditions', newest(1), false],
    ['stay where a rule says so', { ...newest(1), untagged: false }, true],
    ['stay where a rule says nothing', { repositories: '*' }, true],
    ['go where a rule says so alone', { repositories: '*', untagged: true }, false],
    ['stay where there is no rule', newest(1, 'b'), true],
  ]
  it.each(cases)('%s', async (_name, rule, stays) => {
    const lonely = await store.put('lonely')
    store.pass(week)
    await store.apply([rule])
    expect(await store.isHere(lonely)).toBe(true)
    store.pass(1)
    await store.apply([rule])
    expect(await store.isHere(lonely)).toBe(stays)
  })

  it('takes indexes, then their children, then what refers to those, in one run', async () => {
    const child = await store.put('child')
    const inner = await store.index([child])
    const outer = await store.index([inner])
    const referrer = await store.put('referrer', [], { subject: child })
    const kept = await store.index([await store.put('child of another')], ['latest'])
    store.pass(week + 1)
    const rules = [{ repositories: '*', untagged: true }]
    // What is due store.now: the rest is held by it.
    expect(await store.open(rules).apply({ dryRun: true })).toMatchObject({ manifests: 1, sample: [{ digest: outer }] })
    const report = await store.apply(rules)
    expect(report.sample.map(({ digest }) => digest)).toEqual([outer, inner, child, referrer])
    expect(report.incomplete).toBe(false)
    expect(await store.isHere(kept)).toBe(true)
    expect((await store.metadata.statistics()).manifests).toBe(2)
  })

  it('leaves children, subjects and what refers to them while the tag can be restored', async () => {
    const child = await store.put('child')
    const outer = await store.index([child], ['old'])
    const referrer = await store.put('referrer', [], { subject: outer })
    store.pass(week + 1)
    await store.put('new', ['new'])
    expect(await store.apply([newest(1)])).toMatchObject({ tags: 1, manifests: 0 })
    store.pass(week)
    expect(await store.apply([newest(1)])).toMatchObject({ manifests: 0 })
    store.pass(1)
    const { sample: gone } = await store.apply([newest(1)])
    expect(gone.map(({ digest }) => digest)).toEqual(expect.arrayContaining([outer, child, referrer]))
    expect(await store.metadata.statistics()).toMatchObject({ manifests: 1 })
  })

  it('leaves the deepest of a nest to the next run', async () => {
    let top = await store.put('child')
    for (let depth = 0; depth < 40; depth += 1) {
      // Each younger than what it lists: it stands behind it in line.
      store.pass(1)
      top = await store.index([top])
    }
    store.pass(week + 1)
    const rules = [{ repositories: '*', untagged: true }]
    expect(await store.apply(rules)).toMatchObject({ manifests: 32, incomplete: true })
    expect(await store.apply(rules)).toMatchObject({ manifests: 9, incomplete: false })
  })
})
