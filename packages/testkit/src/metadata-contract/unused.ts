import type { Digest } from '@stowage/oci'
import { expect, it } from 'vitest'
import {
  deletion,
  digest,
  everything,
  manifest,
  now,
  push,
  put,
  remove,
  type StoreUnderTest,
  unlink,
} from './samples.ts'

/** Since when blobs are unused and manifests without a tag: the two times that decide what goes. */
export const describeUnused = (store: StoreUnderTest): void => {
  const link = async (repository: string, blob: Digest, at: number) =>
    store().finishUpload({ repository, digest: blob, size: 7, key: `${repository} ${blob} ${at}`, at }, push)

  const mount = async (repository: string, blob: Digest, at: number) =>
    store().mountBlob({ repository, digest: blob, readable: everything, at }, push)

  const image = (repository: string, text: string, ...layers: Digest[]) =>
    manifest(repository, text, { references: layers.map((layer) => ({ digest: layer, role: 'layer' })) })

  const unusedSince = async (repository: string, blob: Digest) =>
    (await store().findBlob(repository, blob))?.unusedSince

  const untaggedSince = async (repository: string, target: Digest) =>
    (await store().findManifest(repository, { digest: target }))?.untaggedSince

  const removeAt = async (repository: string, target: Digest, at: number) =>
    store().deleteManifest(
      { repository, digest: target, tags: await store().listTagsOf(repository, target), at },
      deletion,
    )

  it('a blob is unused from its push on, and a later push begins its time again', async () => {
    await link('a', digest(1), now)
    expect(await unusedSince('a', digest(1))).toBe(now)
    await link('a', digest(1), now + 5)
    expect(await unusedSince('a', digest(1))).toBe(now + 5)
    // A clock that was set back takes nothing from the time that was promised.
    await link('a', digest(1), now - 5)
    expect(await unusedSince('a', digest(1))).toBe(now + 5)
  })

  it('a mount begins its time where it is mounted, each time, and not where it was', async () => {
    await link('a', digest(1), now)
    await mount('b', digest(1), now + 3)
    expect(await unusedSince('b', digest(1))).toBe(now + 3)
    await mount('b', digest(1), now + 9)
    expect(await unusedSince('b', digest(1))).toBe(now + 9)
    expect(await unusedSince('a', digest(1))).toBe(now)
  })

  it('who asks for it begins its time again, and never ends it early', async () => {
    await link('a', digest(1), now)
    await link('b', digest(1), now)
    expect(await unusedSince('a', digest(1))).toBe(now)
    await store().upkeep.touchBlob('a', digest(1), now + 4)
    expect(await unusedSince('a', digest(1))).toBe(now + 4)
    await store().upkeep.touchBlob('a', digest(1), now + 2)
    expect(await unusedSince('a', digest(1))).toBe(now + 4)
    expect(await unusedSince('b', digest(1))).toBe(now)
    await store().upkeep.touchBlob('a', digest(9), now + 4)
    await store().upkeep.touchBlob('nowhere', digest(1), now + 4)
    expect(await store().repositoryExists('nowhere')).toBe(false)
  })

  it('a manifest uses its blobs, whatever happens to them meanwhile, until it is deleted', async () => {
    await link('a', digest(1), now)
    await link('a', digest(2), now)
    await link('a', digest(3), now)
    const user = image('a', 'user', digest(1), digest(2), digest(1))
    await put(store(), user)
    expect(await unusedSince('a', digest(1))).toBeNull()
    expect(await unusedSince('a', digest(2))).toBeNull()
    expect(await unusedSince('a', digest(3))).toBe(now)
    await link('a', digest(1), now + 1)
    await mount('a', digest(1), now + 2)
    await store().upkeep.touchBlob('a', digest(1), now + 3)
    await put(store(), { ...user, tags: ['x'], at: now + 4 })
    await store().deleteTag({ repository: 'a', tag: 'x', at: now + 5 }, deletion)
    expect(await unusedSince('a', digest(1))).toBeNull()
    await removeAt('a', user.digest, now + 6)
    expect(await unusedSince('a', digest(1))).toBe(now + 6)
    expect(await unusedSince('a', digest(2))).toBe(now + 6)
    expect(await unusedSince('a', digest(3))).toBe(now)
  })

  it('a layer that two manifests share is used until the second is deleted', async () => {
    await link('a', digest(1), now)
    await link('a', digest(2), now)
    const [first, second] = [image('a', 'first', digest(1), digest(2)), image('a', 'second', digest(1))]
    await put(store(), first)
    await put(store(), second)
    await removeAt('a', first.digest, now + 1)
    expect(await unusedSince('a', digest(1))).toBeNull()
    expect(await unusedSince('a', digest(2))).toBe(now + 1)
    await removeAt('a', second.digest, now + 2)
    expect(await unusedSince('a', digest(1))).toBe(now + 2)
  })

  it('a manifest of another repository uses nothing here', async () => {
    await link('a', digest(1), now)
    await link('b', digest(1), now)
    const user = image('b', 'user', digest(1))
    await put(store(), user)
    expect(await unusedSince('a', digest(1))).toBe(now)
    await put(store(), { ...user, repository: 'a' })
    await removeAt('b', user.digest, now + 1)
    expect(await unusedSince('a', digest(1))).toBeNull()
    expect(await unusedSince('b', digest(1))).toBe(now + 1)
  })

  it('a blob that comes after its manifest is used from the beginning', async () => {
    const user = image('a', 'user', digest(1), digest(2))
    await put(store(), user)
    await link('a', digest(1), now)
    await link('b', digest(2), now)
    await mount('a', digest(2), now)
    expect(await unusedSince('a', digest(1))).toBeNull()
    expect(await unusedSince('a', digest(2))).toBeNull()
    // Taken out although it was used, and brought again.
    await unlink(store(), 'a', digest(1), true)
    await link('a', digest(1), now + 1)
    expect(await unusedSince('a', digest(1))).toBeNull()
  })

  it('an index uses the blobs that it lists as its children', async () => {
    await link('a', digest(1), now)
    const cache = manifest('a', 'cache', { references: [{ digest: digest(1), role: 'manifest' }] })
    await put(store(), cache)
    expect(await unusedSince('a', digest(1))).toBeNull()
    await removeAt('a', cache.digest, now + 1)
    expect(await unusedSince('a', digest(1))).toBe(now + 1)
  })

  it('a manifest that is refused uses nothing', async () => {
    await link('a', digest(1), now)
    const user = { ...image('a', 'user', digest(1)), requiredBlobs: [digest(1), digest(2)] }
    expect(await put(store(), user)).toMatchObject({ outcome: 'missing' })
    const over = { ...push, quotas: [{ kind: 'repositories', glob: 'a', bytes: 7 }] } as const
    expect(await put(store(), image('a', 'user', digest(1)), over)).toMatchObject({ outcome: 'over-quota' })
    expect(await unusedSince('a', digest(1))).toBe(now)
  })

  it('a manifest without a tag has a time, and one with a tag has none', async () => {
    const [first, second] = [manifest('a', 'first'), manifest('a', 'second', { tags: ['x'] })]
    await put(store(), first)
    await put(store(), second)
    expect(await untaggedSince('a', first.digest)).toBe(now)
    expect(await untaggedSince('a', second.digest)).toBeNull()
    expect((await store().findManifest('a', { tag: 'x' }))?.untaggedSince).toBeNull()
  })

  it('a push without a tag begins the time again, and takes away no tag', async () => {
    const wanted = manifest('a', 'first')
    await put(store(), wanted)
    await put(store(), { ...wanted, at: now + 1 })
    expect(await untaggedSince('a', wanted.digest)).toBe(now + 1)
    await put(store(), { ...wanted, tags: ['x'], at: now + 2 })
    expect(await untaggedSince('a', wanted.digest)).toBeNull()
    await put(store(), { ...wanted, at: now + 3 })
    expect(await untaggedSince('a', wanted.digest)).toBeNull()
  })

  it('the time begins when the last tag is moved or deleted', async () => {
    const first = manifest('a', 'first', { tags: ['x', 'y'] })
    const second = manifest('a', 'second')
    await put(store(), first)
    await put(store(), { ...second, tags: ['x'], at: now + 1 })
    expect(await untaggedSince('a', first.digest)).toBeNull()
    await put(store(), { ...second, tags: ['y'], at: now + 2 })
    expect(await untaggedSince('a', first.digest)).toBe(now + 2)
    await store().deleteTag({ repository: 'a', tag: 'x', at: now + 3 }, deletion)
    expect(await untaggedSince('a', second.digest)).toBeNull()
    await store().deleteTag({ repository: 'a', tag: 'y', at: now + 4 }, deletion)
    expect(await untaggedSince('a', second.digest)).toBe(now + 4)
    expect(await untaggedSince('a', first.digest)).toBe(now + 2)
    // Two tags of two manifests go to a third in one push.
    await put(store(), { ...first, tags: ['x'] })
    await put(store(), { ...second, tags: ['y'] })
    await put(store(), manifest('a', 'third', { tags: ['x', 'y'], at: now + 5 }))
    expect(await untaggedSince('a', first.digest)).toBe(now + 5)
    expect(await untaggedSince('a', second.digest)).toBe(now + 5)
  })

  it('who asks for a manifest without a tag begins its time again', async () => {
    const [first, second] = [manifest('a', 'first'), manifest('a', 'second', { tags: ['x'] })]
    await put(store(), first)
    await put(store(), second)
    expect(await untaggedSince('a', first.digest)).toBe(now)
    for (const { digest: target } of [first, second]) await store().upkeep.touchManifest('a', target, now + 4)
    await store().upkeep.touchManifest('a', first.digest, now + 2)
    await store().upkeep.touchManifest('nowhere', first.digest, now + 9)
    expect(await untaggedSince('a', first.digest)).toBe(now + 4)
    expect(await untaggedSince('a', second.digest)).toBeNull()
    await remove(store(), 'a', first.digest)
    await store().upkeep.touchManifest('a', first.digest, now + 9)
    expect(await untaggedSince('a', first.digest)).toBeUndefined()
  })
}
