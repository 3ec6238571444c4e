import { expect, it } from 'vitest'
import {
  deletion,
  digest,
  garbageKeys,
  link,
  manifest,
  now,
  push,
  put,
  remove,
  type StoreUnderTest,
  unlink,
} from './samples.ts'

export const describeBlobs = (store: StoreUnderTest): void => {
  it('are found in the repository that links them and in no other', async () => {
    expect(await link(store(), 'a', digest(1), 'k', 5_000_000_000)).toEqual({ outcome: 'linked' })
    await link(store(), 'b', digest(2), 'k2')
    expect(await store().findBlob('a', digest(1))).toMatchObject({ digest: digest(1), size: 5_000_000_000, key: 'k' })
    expect(await store().findBlob('b', digest(1))).toBeUndefined()
    expect(await store().findBlob('a', digest(2))).toBeUndefined()
    expect(await store().findBlob('nowhere', digest(1))).toBeUndefined()
  })

  it('take the new key when they are pushed again, in any repository, and the old one becomes garbage', async () => {
    await link(store(), 'a', digest(1), 'first')
    expect(await garbageKeys(store())).toEqual([])
    await link(store(), 'a', digest(1), 'second')
    expect(await store().findBlob('a', digest(1))).toMatchObject({ key: 'second' })
    expect(await garbageKeys(store())).toEqual(['first'])
    await link(store(), 'b', digest(1), 'third')
    expect(await store().findBlob('a', digest(1))).toMatchObject({ key: 'third' })
    expect(await store().findBlob('b', digest(1))).toMatchObject({ key: 'third' })
    expect(await garbageKeys(store())).toEqual(['first', 'second'])
  })

  it('go from one repository and stay in the other; the last takes the bytes along', async () => {
    await link(store(), 'a', digest(1), 'k')
    await store().mountBlob({ repository: 'b', digest: digest(1), from: 'a', readable: { kind: 'all' }, at: now }, push)
    expect(await unlink(store(), 'a', digest(1))).toEqual({ outcome: 'deleted' })
    expect(await store().findBlob('a', digest(1))).toBeUndefined()
    expect(await store().findBlob('b', digest(1))).toMatchObject({ key: 'k' })
    expect(await garbageKeys(store())).toEqual([])
    expect(await unlink(store(), 'b', digest(1))).toEqual({ outcome: 'deleted' })
    expect(await garbageKeys(store())).toEqual(['k'])
    expect((await store().statistics()).blobs).toBe(0)
  })

  it('that are not there cannot go', async () => {
    expect(await unlink(store(), 'a', digest(1))).toEqual({ outcome: 'unknown' })
    await link(store(), 'b', digest(1), 'k')
    expect(await unlink(store(), 'a', digest(1))).toEqual({ outcome: 'unknown' })
    expect(await unlink(store(), 'b', digest(2))).toEqual({ outcome: 'unknown' })
    expect(await store().findBlob('b', digest(1))).toBeDefined()
  })

  it('that a manifest of the repository references are in use', async () => {
    await link(store(), 'a', digest(1), 'k')
    await link(store(), 'b', digest(1), 'k2')
    const user = manifest('a', '{}', { references: [{ digest: digest(1), role: 'layer' }] })
    await put(store(), user)
    expect(await unlink(store(), 'a', digest(1))).toEqual({ outcome: 'in-use', by: user.digest })
    expect(await store().findBlob('a', digest(1))).toBeDefined()
    expect(await unlink(store(), 'b', digest(1))).toEqual({ outcome: 'deleted' })
    await remove(store(), 'a', user.digest)
    expect(await unlink(store(), 'a', digest(1))).toEqual({ outcome: 'deleted' })
  })

  it('go although they are in use if that is wanted', async () => {
    await link(store(), 'a', digest(1), 'k1')
    await put(store(), manifest('a', '{}', { references: [{ digest: digest(1), role: 'config' }] }))
    expect(await unlink(store(), 'a', digest(1), true)).toEqual({ outcome: 'deleted' })
    expect(await garbageKeys(store())).toEqual(['k1'])
  })

  it('are in use for an index that lists them, unless it means a manifest with their digest', async () => {
    await link(store(), 'a', digest(1), 'k1')
    const cache = manifest('a', '{}', { references: [{ digest: digest(1), role: 'manifest' }] })
    await put(store(), cache)
    expect(await unlink(store(), 'a', digest(1))).toEqual({ outcome: 'in-use', by: cache.digest })
    await put(store(), manifest('b', 'child', { digest: digest(1) }))
    expect(await unlink(store(), 'a', digest(1))).toEqual({ outcome: 'in-use', by: cache.digest })
    await put(store(), manifest('a', 'child', { digest: digest(1) }))
    expect(await unlink(store(), 'a', digest(1))).toEqual({ outcome: 'deleted' })
    expect(await garbageKeys(store())).toEqual(['k1'])
  })

  it('leave garbage that is listed oldest first and forgotten by key', async () => {
    for (const [number, at] of [30, 10, 20].entries()) {
      await store().finishUpload({ repository: 'a', digest: digest(number), size: 1, key: `k${number}`, at: now }, push)
      await store().unlinkBlob({ repository: 'a', digest: digest(number), at, evenIfUsed: false }, deletion)
    }
    expect(await store().listGarbage({ limit: 2 })).toEqual([
      { key: 'k1', since: 10 },
      { key: 'k2', since: 20 },
    ])
    await store().forgetGarbage(['k1', 'never there', 'k0'])
    await store().forgetGarbage([])
    expect(await store().listGarbage({ limit: 2 })).toEqual([{ key: 'k2', since: 20 }])
    await store().forgetGarbage(Array.from({ length: 5000 }, (_, number) => `k${number}`))
    expect(await store().listGarbage({ limit: 2 })).toEqual([])
  })

  it('come back after they have gone, under the new key alone', async () => {
    await link(store(), 'a', digest(1), 'first')
    await unlink(store(), 'a', digest(1))
    await link(store(), 'a', digest(1), 'second')
    expect(await store().findBlob('a', digest(1))).toMatchObject({ key: 'second' })
    expect(await garbageKeys(store())).toEqual(['first'])
  })
}
