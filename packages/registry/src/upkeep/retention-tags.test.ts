import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { MetadataStore } from '../metadata/metadata-store.ts'
import { day, days, newest, openRetentionStore, type RetentionStore } from '../testing/retention-store.ts'

describe('retention of tags', () => {
  let store: RetentionStore

  beforeEach(async () => {
    store = await openRetentionStore()
  })

  afterEach(async () => store[Symbol.asyncDispose]())

  it('applies the first rule that matches to each repository, and none where none does', async () => {
    for (const repository of ['a', 'b', 'c']) {
      for (const tag of ['1', '2', '3']) {
        store.pass(1)
        await store.put(`${repository}:${tag}`, [tag], { repository, at: store.now })
      }
    }
    const report = await store.apply([newest(2, 'a'), { repositories: 'a' }, { repositories: 'b' }])
    expect(await Promise.all(['a', 'b', 'c'].map(store.tags))).toEqual([
      ['2', '3'],
      ['1', '2', '3'],
      ['1', '2', '3'],
    ])
    expect(report).toEqual({
      dryRun: false,
      tags: 1,
      manifests: 0,
      forgotten: 0,
      incomplete: false,
      sample: [
        {
          repository: 'a',
          tag: '1',
          digest: expect.stringMatching(/^sha256:/) as string,
          because: 'By the rule for a: not among the 2 newest, set less than a minute ago.',
        },
      ],
    })
  })

  it('goes through more repositories and tags than one page has', async () => {
    const names = Array.from({ length: 120 }, (_, number) => `r${number}`)
    await Promise.all(names.map((repository) => store.put(repository, ['x', 'y'], { repository })))
    await store.put(
      'many',
      Array.from({ length: 250 }, (_, number) => `t${number}`),
    )
    expect(await store.apply([newest(1)])).toMatchObject({ tags: 120 + 249, incomplete: false })
    expect(await store.tags()).toEqual(['t99'])
    expect(await store.tags('r119')).toEqual(['y'])
  })

  it('looks at when the manifest was pulled, under whatever tag', async () => {
    const pulled = await store.put('pulled', ['x', 'y'])
    await store.put('not', ['z'])
    store.pass(10 * day)
    await store.metadata.recordPulls([{ repository: 'a', digest: pulled, tag: 'x', count: 1, lastAt: store.now - day }])
    await store.apply([{ repositories: '*', keep: { pulledWithin: days(2) } }])
    expect(await store.tags()).toEqual(['x', 'y'])
  })

  it('leaves immutable tags', async () => {
    await store.put('one', ['v1', 'x', 'latest'])
    const rule = { repositories: '*', keep: { youngerThan: 0 } }
    store.pass(1)
    await store.apply([rule], {
      immutableTags: [
        { repositories: 'a', tags: 'v*' },
        { repositories: 'b', tags: 'x' },
      ],
    })
    expect(await store.tags()).toEqual(['v1'])
  })

  it('leaves the signatures of what is here, and not those of what has gone', async () => {
    const image = await store.put('image', ['latest'])
    const hex = image.slice('sha256:'.length)
    const other = 'ab'.repeat(32)
    await store.put('signature', [`sha256-${hex}.sig`, `sha256-${hex}`, `sha256-${other}.sig`])
    store.pass(day)
    await store.apply([{ repositories: '*', keep: { matching: ['latest'] } }])
    expect(await store.tags()).toEqual(['latest', `sha256-${hex}`, `sha256-${hex}.sig`])
  })

  it('leaves a tag that is set between the look and the removal', async () => {
    await store.put('old', ['moved', 'same', 'x'])
    store.pass(day)
    const changing: MetadataStore = {
      ...store.metadata,
      describeTags: async (page) => {
        const seen = await store.metadata.describeTags(page)
        await store.put('new', ['moved'])
        await store.put('old', ['same'])
        return seen
      },
    }
    const rules = [{ repositories: '*', keep: { youngerThan: 60 } }]
    expect(await store.open(rules, {}, changing).apply({ trustClock: true })).toMatchObject({
      tags: 1,
      sample: [{ tag: 'x' }],
    })
    expect(await store.tags()).toEqual(['moved', 'same'])
  })

  it('previews exactly what a run does to tags, and a second run does nothing more', async () => {
    const sets = fc.array(
      fc.record({
        tag: fc.constantFrom('a', 'b', 'c1', 'c2', 'v1.0.0', 'v1.1.0-rc.1', 'latest', '1.2.3'),
        content: fc.integer({ min: 0, max: 4 }),
        wait: fc.integer({ min: 0, max: 5 }),
        pull: fc.boolean(),
      }),
      { maxLength: 25 },
    )
    const keep = fc.record(
      {
        newest: fc.integer({ min: 1, max: 4 }),
        youngerThan: fc.integer({ min: 0, max: 20 }).map(days),
        pulledWithin: fc.integer({ min: 0, max: 20 }).map(days),
        matching: fc.subarray(['semver', 'c*', 'latest'], { minLength: 1 }),
      },
      { requiredKeys: [] },
    )
    let round = 0
    await fc.assert(
      fc.asyncProperty(sets, keep, fc.subarray(['a', 'c*']), async (list, kept, fixed) => {
        round += 1
        const repository = `property${round}`
        for (const { tag, content, wait, pull } of list) {
          store.pass(wait * day)
          const digest = await store.put(`${content}`, [tag], { repository, at: store.now })
          if (pull) await store.metadata.recordPulls([{ repository, digest, count: 1, lastAt: store.now }])
        }
        const rules = [{ repositories: repository, keep: kept, untagged: false }]
        const policies = { immutableTags: fixed.map((glob) => ({ repositories: '*', tags: glob })) }
        const preview = await store.open(rules, policies).apply({ dryRun: true, trustClock: true })
        const before = await store.tags(repository)
        const { tags: number, sample: gone } = await store.apply(rules, policies)
        expect({ number, gone }).toEqual({ number: preview.tags, gone: preview.sample })
        const names = gone.flatMap((item) => ('tag' in item ? [item.tag] : []))
        expect(await store.tags(repository)).toEqual(before.filter((tag) => !names.includes(tag)))
        expect(await store.apply(rules, policies)).toMatchObject({ tags: 0, manifests: 0 })
      }),
      { numRuns: 40 },
    )
  })
})
