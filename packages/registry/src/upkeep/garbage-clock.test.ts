import { afterEach, beforeEach, expect, it } from 'vitest'
import { day, type GarbageStore, hour, minute, nothing, openGarbageStore } from '../testing/garbage-store.ts'

let store: GarbageStore

beforeEach(async () => {
  store = await openGarbageStore()
})
afterEach(() => store[Symbol.asyncDispose]())

it('a clock that is set forward by days does not take what was pushed a moment ago, until that had an hour', async () => {
  const collect = store.collection()
  store.pass(2 * hour)
  expect(await collect({})).toMatchObject(nothing)
  const digest = await store.push('a', 'one')
  store.now += 3 * day
  const withheld = await collect({})
  expect(withheld).toMatchObject({ ...nothing, withheld: { reason: 'clock' } })
  expect(withheld.withheld?.message).toContain('The clock jumped')
  store.pass(hour - 1)
  expect(await collect({})).toHaveProperty('withheld')
  expect(await store.metadata.findBlob('a', digest)).toBeDefined()
  store.pass(1)
  expect(await collect({})).toMatchObject({ links: 1, blobs: 1 })
})

it('a clock that is set back makes nothing older, and what was pushed by it has its time when it is set right', async () => {
  const collect = store.collection()
  store.pass(2 * hour)
  await collect({})
  store.now -= 3 * day
  const digest = await store.push('a', 'one')
  store.pass(minute)
  expect(await collect({})).toHaveProperty('withheld')
  store.pass(2 * hour)
  expect(await collect({})).toMatchObject(nothing)
  store.now += 3 * day
  expect(await collect({})).toHaveProperty('withheld')
  expect(await store.metadata.findBlob('a', digest)).toBeDefined()
})

it('a clock is trusted after a short restart, and not after a long one', async () => {
  store.pass(2 * hour)
  const before = store.collection()
  store.pass(hour)
  expect(await before({})).not.toHaveProperty('withheld')
  store.now += 20 * minute
  expect(await store.collection()({})).not.toHaveProperty('withheld')
  store.now += 2 * hour
  expect(await store.collection()({})).toHaveProperty('withheld')
})

it('a clock that jumps while a run is under way makes nothing older', async () => {
  const [old] = [await store.push('a', 'old')]
  store.pass(2 * day)
  const digest = await store.push('a', 'new')
  const key = await store.orphan('young')
  const sweep = async (): Promise<number> => {
    store.now += 9 * day
    return 0
  }
  // A file's time is the machine's: this one is as old as the clock of the test says.
  store.now = Date.now() + minute
  const collect = store.collection({ sweep })
  expect(await collect({ trustClock: true, grace: 0 })).toMatchObject({ links: 1, orphans: 0 })
  expect(await store.metadata.findBlob('a', old)).toBeUndefined()
  expect(await store.metadata.findBlob('a', digest)).toBeDefined()
  expect(await store.keys()).toContain(key)
})
