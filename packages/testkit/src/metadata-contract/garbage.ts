import type { Grant, UnusedBlob } from '@stowage/registry/metadata'
import { expect, it } from 'vitest'
import { changes, digest, everything, garbageKeys, manifest, now, push, put, type StoreUnderTest } from './samples.ts'

/** What garbage collection asks of a store. */
export const describeGarbage = (store: StoreUnderTest): void => {
  const link = async (repository: string, number: number, at: number, grant: Grant = push) =>
    store().finishUpload(
      { repository, digest: digest(number), size: 10 ** number, key: `${repository} ${number} ${at}`, at },
      grant,
    )

  const mount = async (repository: string, number: number, at: number) =>
    store().mountBlob({ repository, digest: digest(number), readable: everything, at }, push)

  const collect = async (repository: string, numbers: readonly number[], unusedBefore: number) =>
    store().upkeep.collectBlobs({ repository, digests: numbers.map(digest), unusedBefore, at: now + 1000 })

  const bytesOf = async (repository: string) => store().usage({ kind: 'repositories', glob: repository, bytes: 0 })

  const use = async (repository: string, ...numbers: number[]) =>
    put(
      store(),
      manifest(repository, `uses ${numbers.join()}`, {
        references: numbers.map((number) => ({ digest: digest(number), role: 'layer' })),
        requiredBlobs: numbers.map(digest),
      }),
    )

  const places = (unused: readonly UnusedBlob[]) => unused.map((row) => [row.repository, row.digest, row.unusedSince])

  it('lists what is unused, longest first', async () => {
    await link('b', 1, now + 3)
    await link('a', 2, now + 1)
    await link('a', 3, now + 2)
    await link('a', 4, now + 9)
    await link('a', 5, now)
    await use('a', 5)
    const unused = await store().upkeep.listUnusedBlobs({ unusedBefore: now + 9, limit: 10 })
    expect(unused).toEqual([
      { repository: 'a', digest: digest(2), size: 100, unusedSince: now + 1, last: true },
      { repository: 'a', digest: digest(3), size: 1000, unusedSince: now + 2, last: true },
      { repository: 'b', digest: digest(1), size: 10, unusedSince: now + 3, last: true },
    ])
    expect(await store().upkeep.listUnusedBlobs({ unusedBefore: now + 9, limit: 2 })).toEqual(unused.slice(0, 2))
    expect(await store().upkeep.listUnusedBlobs({ unusedBefore: now + 1, limit: 2 })).toEqual([])
  })

  it('goes on behind a place, also of the same time, and when it is gone', async () => {
    for (const repository of ['b', 'a', 'c']) {
      for (const number of [1, 2, 3]) await link(repository, number, number === 3 ? now + 1 : now)
    }
    const all = await store().upkeep.listUnusedBlobs({ unusedBefore: now + 2, limit: 100 })
    expect(all).toHaveLength(9)
    for (const limit of [1, 2, 4]) {
      const found: UnusedBlob[] = []
      for (;;) {
        const after = found.at(-1)
        const page = await store().upkeep.listUnusedBlobs({
          unusedBefore: now + 2,
          limit,
          ...(after !== undefined && { after }),
        })
        found.push(...page)
        if (page.length < limit) break
      }
      expect(places(found)).toEqual(places(all))
    }
    const [first, second] = all
    if (first === undefined || second === undefined) throw new Error('nothing is listed')
    await store().upkeep.touchBlob(first.repository, first.digest, now + 50)
    const rest = await store().upkeep.listUnusedBlobs({ unusedBefore: now + 2, after: first, limit: 100 })
    expect(places(rest)).toEqual(places(all.slice(1)))
  })

  it('says with which link a blob goes: the last, if none is used or younger', async () => {
    await link('a', 1, now)
    await mount('b', 1, now + 1)
    await link('a', 2, now)
    await mount('b', 2, now)
    await link('a', 3, now)
    await mount('b', 3, now)
    await use('b', 3)
    await link('a', 4, now)
    await mount('b', 4, now + 7)
    const unused = await store().upkeep.listUnusedBlobs({ unusedBefore: now + 5, limit: 100 })
    const lasts = unused.filter((row) => row.last).map((row) => row.digest)
    expect(lasts.toSorted()).toEqual([digest(1), digest(2)])
    expect(unused).toHaveLength(6)
    // Of one time, too, it is the one that the list comes to last.
    for (const number of [1, 2]) {
      expect(unused.filter((row) => row.digest === digest(number)).map((row) => row.last)).toEqual([false, true])
    }
  })

  it('takes unused blobs out of the repository, with their bytes and an event for each', async () => {
    await store().enrollReceivers(['one'])
    for (const number of [1, 2, 3]) await link('a', number, now)
    const before = (await changes(store(), 'one')).length
    // As a pull would, that asks again afterwards.
    for (const number of [1, 2, 3]) expect(await store().findBlob('a', digest(number))).toBeDefined()
    expect(await collect('a', [3, 1, 9], now + 1)).toEqual({ links: [digest(1), digest(3)], blobs: 2, bytes: 1010 })
    expect(await store().findBlob('a', digest(1))).toBeUndefined()
    expect(await store().findBlob('a', digest(2))).toBeDefined()
    expect(await store().findBlob('a', digest(3))).toBeUndefined()
    expect(await store().listGarbage({ limit: 10 })).toEqual([
      { key: `a 1 ${now}`, since: now + 1000 },
      { key: `a 3 ${now}`, since: now + 1000 },
    ])
    const events = (await store().readEvents('one', 100)).slice(before)
    expect(events.map(({ at, actor }) => ({ at, actor }))).toEqual([
      { at: now + 1000, actor: 'stowage:garbage-collection' },
      { at: now + 1000, actor: 'stowage:garbage-collection' },
    ])
    expect((await changes(store(), 'one')).slice(before)).toEqual([
      { type: 'blob.deleted', repository: 'a', digest: digest(1) },
      { type: 'blob.deleted', repository: 'a', digest: digest(3) },
    ])
    expect(await bytesOf('a')).toBe(100)
    expect((await store().statistics()).blobs).toBe(1)
  })

  it('leaves what is used, what was asked for since, and what is not there', async () => {
    for (const number of [1, 2, 3]) await link('a', number, now)
    await use('a', 1)
    await store().upkeep.touchBlob('a', digest(2), now + 5)
    const nothing = { links: [], blobs: 0, bytes: 0 }
    expect(await collect('a', [1, 2, 4], now + 5)).toEqual(nothing)
    expect(await collect('nowhere', [1], now + 5)).toEqual(nothing)
    expect(await collect('a', [], now + 5)).toEqual(nothing)
    expect(await collect('a', [3], now)).toEqual(nothing)
    for (const number of [1, 2, 3]) expect(await store().findBlob('a', digest(number))).toBeDefined()
    expect(await garbageKeys(store())).toEqual([])
  })

  it('leaves the blob where another repository has it, and takes it with the last', async () => {
    await link('a', 1, now)
    await mount('b', 1, now)
    expect(await collect('a', [1], now + 1)).toEqual({ links: [digest(1)], blobs: 0, bytes: 0 })
    expect(await store().findBlob('a', digest(1))).toBeUndefined()
    expect(await store().findBlob('b', digest(1))).toBeDefined()
    expect(await garbageKeys(store())).toEqual([])
    expect(await collect('b', [1], now + 1)).toEqual({ links: [digest(1)], blobs: 1, bytes: 10 })
    expect(await garbageKeys(store())).toEqual([`a 1 ${now}`])
  })

  it('gives everybody back the bytes that he brought', async () => {
    const bob = { ...push, actor: 'bob' }
    await link('a', 1, now)
    await link('a', 2, now, bob)
    await link('b', 2, now)
    await link('a', 3, now, bob)
    await link('a', 4, now, bob)
    await collect('a', [1, 2, 4], now + 1)
    const ofActor = async (actor: string) => store().usage({ kind: 'actor', actor, bytes: 0 })
    expect([await ofActor('alice'), await ofActor('bob')]).toEqual([100, 1000])
    expect([await bytesOf('a'), await bytesOf('b')]).toEqual([1000, 100])
  })

  it('knows the keys that a blob or the list of garbage has', async () => {
    await link('a', 1, now)
    await link('a', 2, now)
    await collect('a', [2], now + 1)
    const keys = [`a 1 ${now}`, `a 2 ${now}`]
    expect((await store().upkeep.knownKeys(['x', ...keys, `a 1 ${now}`])).toSorted()).toEqual(keys)
    await store().forgetGarbage([`a 2 ${now}`])
    expect(await store().upkeep.knownKeys(keys)).toEqual([`a 1 ${now}`])
    expect(await store().upkeep.knownKeys([])).toEqual([])
    const many = Array.from({ length: 500 }, (_, number) => `never ${number}`)
    expect(await store().upkeep.knownKeys(many)).toEqual([])
  })

  it('keeps where the work stands', async () => {
    expect(await store().upkeep.readState('garbage')).toBeUndefined()
    await store().upkeep.writeState('garbage', '{"at":1}')
    await store().upkeep.writeState('scrub', '{}')
    await store().upkeep.writeState('garbage', '{"at":2}')
    expect(await store().upkeep.readState('garbage')).toBe('{"at":2}')
  })
}
