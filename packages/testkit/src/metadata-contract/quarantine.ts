import { createHash } from 'node:crypto'
import type { Digest } from '@stowage/oci'
import type { PutManifest } from '@stowage/registry/metadata'
import { expect, it } from 'vitest'
import {
  digest,
  everything,
  garbageKeys,
  link,
  manifest,
  now,
  pages,
  push,
  put,
  remove,
  type StoreUnderTest,
  unlink,
} from './samples.ts'

/** Content of a manifest that is not what its digest says. */
const wrong = (repository: string, number: number, more: Partial<PutManifest> = {}): PutManifest =>
  manifest(repository, `not what ${number} is`, { digest: digest(number), ...more })

export const describeQuarantine = (store: StoreUnderTest): void => {
  const mount = async (repository: string, blob: Digest, from?: string) =>
    store().mountBlob(
      { repository, digest: blob, readable: everything, at: now, ...(from !== undefined && { from }) },
      push,
    )

  const needing = async (repository: string, needs: Partial<PutManifest>) =>
    put(store(), manifest(repository, 'needy', needs))

  it('every blob is listed with what is known of it, in pages of any size', async () => {
    for (const number of [5, 2, 9, 1, 7]) await link(store(), 'a', digest(number), `k${number}`, number)
    await link(store(), 'b', digest(2), 'k2 again', 2)
    const expected = [1, 2, 5, 7, 9].map((number) => ({
      digest: digest(number),
      size: number,
      key: number === 2 ? 'k2 again' : `k${number}`,
    }))
    for (const limit of [1, 2, 5, 100]) {
      const list = ({ last, limit: most }: { last?: string; limit: number }) =>
        store().upkeep.listBlobs({ limit: most, ...(last !== undefined && { last: last as Digest }) })
      expect(await pages(list, limit, (row) => row.digest)).toEqual(expected)
    }
    expect(await store().upkeep.storedBlob(digest(5))).toEqual(expected[2])
    expect(await store().upkeep.storedBlob(digest(6))).toBeUndefined()
  })

  it('a blob is nobody’s, and a push to one repository heals it in all', async () => {
    await link(store(), 'a', digest(1), 'bad')
    await mount('b', digest(1), 'a')
    // Remembered, if a store remembers.
    await store().findBlob('a', digest(1))
    const { quarantineBlob, storedBlob } = store().upkeep
    expect(await quarantineBlob({ digest: digest(1), key: 'bad', at: 5 })).toBe('quarantined')
    expect(await quarantineBlob({ digest: digest(1), key: 'bad', at: 6 })).toBe('known')
    expect(await storedBlob(digest(1))).toMatchObject({ key: 'bad', corruptSince: 5 })
    for (const repository of ['a', 'b']) {
      expect(await store().findBlob(repository, digest(1))).toBeUndefined()
      expect(await needing(repository, { requiredBlobs: [digest(1)] })).toMatchObject({
        outcome: 'missing',
        blobs: [digest(1)],
      })
    }
    expect(await mount('c', digest(1), 'a')).toBeUndefined()
    expect(await mount('c', digest(1))).toBeUndefined()
    expect(await store().repositoryExists('c')).toBe(false)
    expect(await garbageKeys(store())).toEqual([])

    await link(store(), 'b', digest(1), 'good')
    for (const repository of ['a', 'b']) {
      expect(await store().findBlob(repository, digest(1))).toMatchObject({ key: 'good' })
      expect(await needing(repository, { requiredBlobs: [digest(1)] })).toMatchObject({ outcome: 'stored' })
    }
    expect(await garbageKeys(store())).toEqual(['bad'])
    expect(await storedBlob(digest(1))).toEqual({ digest: digest(1), size: 7, key: 'good' })
  })

  it('a blob is only put there for the bytes that were found to be wrong', async () => {
    await link(store(), 'a', digest(1), 'old')
    await link(store(), 'a', digest(1), 'new')
    expect(await store().upkeep.quarantineBlob({ digest: digest(1), key: 'old', at: 5 })).toBe('moved')
    expect(await store().upkeep.quarantineBlob({ digest: digest(2), key: 'old', at: 5 })).toBe('moved')
    expect(await store().findBlob('a', digest(1))).toMatchObject({ key: 'new' })
  })

  it('a blob can be deleted from there', async () => {
    await link(store(), 'a', digest(1), 'bad')
    await store().upkeep.quarantineBlob({ digest: digest(1), key: 'bad', at: 5 })
    expect(await unlink(store(), 'a', digest(1))).toEqual({ outcome: 'deleted' })
    expect(await garbageKeys(store())).toEqual(['bad'])
  })

  it('blobs that were read and were right are remembered, and come back from quarantine', async () => {
    for (const number of [1, 2, 3]) await link(store(), 'a', digest(number), `k${number}`)
    const { quarantineBlob, storedBlob, verifiedBlobs, listBlobs } = store().upkeep
    await quarantineBlob({ digest: digest(2), key: 'k2', at: 5 })
    const listed = await listBlobs({ limit: 10 })
    // Since it was listed this one has got other bytes.
    await link(store(), 'b', digest(3), 'k3 again')
    await verifiedBlobs(listed, 100)
    await verifiedBlobs([], 200)
    expect(await storedBlob(digest(1))).toMatchObject({ verifiedAt: 100 })
    expect(await storedBlob(digest(2))).toEqual({ digest: digest(2), size: 7, key: 'k2', verifiedAt: 100 })
    expect(await storedBlob(digest(3))).toEqual({ digest: digest(3), size: 7, key: 'k3 again' })
    expect(await store().findBlob('a', digest(2))).toMatchObject({ key: 'k2' })
  })

  it('a blob that was found to be wrong since it was read stays there', async () => {
    await link(store(), 'a', digest(1), 'k')
    const { quarantineBlob, storedBlob, verifiedBlobs, listBlobs } = store().upkeep
    const before = await listBlobs({ limit: 10 })
    await quarantineBlob({ digest: digest(1), key: 'k', at: 5 })
    await verifiedBlobs(before, 100)
    expect(await storedBlob(digest(1))).toEqual({ digest: digest(1), size: 7, key: 'k', corruptSince: 5 })
    const then = await listBlobs({ limit: 10 })
    await verifiedBlobs(then, 100)
    await quarantineBlob({ digest: digest(1), key: 'k', at: 200 })
    await verifiedBlobs(then, 300)
    expect(await storedBlob(digest(1))).toMatchObject({ key: 'k', corruptSince: 200 })
  })

  it('many blobs are verified at once, while others are, too', async () => {
    const numbers = Array.from({ length: 100 }, (_, index) => index)
    for (const number of numbers) await link(store(), 'a', digest(number), `k${number}`)
    const blobs = await store().upkeep.listBlobs({ limit: 1000 })
    await Promise.all([
      store().upkeep.verifiedBlobs(blobs, 100),
      store().upkeep.verifiedBlobs(blobs.toReversed(), 100),
      ...numbers.map(async (number) => link(store(), `b${number % 7}`, digest(number), `again ${number}`)),
    ])
    for (const { key } of await store().upkeep.listBlobs({ limit: 1000 })) expect(key).toContain('again')
  })

  it('the bytes of manifests are listed once each, few or large, until none are left', async () => {
    const large = 'x'.repeat(700_000)
    const texts = ['one', 'two', `${large}1`, `${large}2`, `${large}3`, 'three']
    const wanted = texts
      .map((text) => manifest('a', text))
      .toSorted((one, other) => (one.digest < other.digest ? -1 : 1))
    for (const each of wanted) {
      await put(store(), each)
      await put(store(), { ...each, repository: 'b' })
    }
    for (const limit of [1, 4, 100]) {
      const found: { readonly digest: Digest; readonly bytes: Uint8Array; readonly corrupt: boolean }[] = []
      for (;;) {
        const last = found.at(-1)?.digest
        // Each page begins where the one before ended.
        const page = await store().upkeep.listContents({ limit, ...(last !== undefined && { last }) })
        if (page.length === 0) break
        expect(page.length).toBeLessThanOrEqual(limit)
        expect(page.reduce((sum, { bytes }) => sum + bytes.byteLength, 0)).toBeLessThan(1_800_000)
        found.push(...page)
      }
      expect(found.map((each) => each.digest)).toEqual(wanted.map((each) => each.digest))
      expect(found.every(({ corrupt }) => !corrupt)).toBe(true)
      expect(found.map(({ digest: of, bytes }) => of === hashOf(bytes))).toEqual(wanted.map(() => true))
    }
  })

  it('a manifest is nobody’s, and its tags stay', async () => {
    await put(store(), wrong('a', 1, { tags: ['latest'], subject: digest(9) }))
    await put(store(), wrong('b', 1))
    await store().findManifest('a', { tag: 'latest' })
    await store().findManifest('a', { digest: digest(1) })
    expect(await store().upkeep.quarantineManifest(digest(1), 5)).toBe('quarantined')
    expect(await store().upkeep.quarantineManifest(digest(1), 6)).toBe('known')
    expect(await store().upkeep.quarantineManifest(digest(2), 6)).toBe('gone')
    expect(await store().findManifest('a', { tag: 'latest' })).toBeUndefined()
    expect(await store().findManifest('a', { digest: digest(1) })).toBeUndefined()
    expect(await store().findManifest('b', { digest: digest(1) })).toBeUndefined()
    expect(await store().listReferrers({ repository: 'a', subject: digest(9), limit: 10 })).toEqual([])
    expect(await needing('a', { requiredManifests: [digest(1)] })).toMatchObject({
      outcome: 'missing',
      manifests: [digest(1)],
    })
    expect(await store().listTags({ repository: 'a', limit: 10 })).toEqual(['latest'])
    expect(await store().describeTags({ repository: 'a', limit: 10 })).toMatchObject([
      { tag: 'latest', corruptSince: 5 },
    ])
    expect(await store().upkeep.listContents({ limit: 10 })).toMatchObject([{ digest: digest(1), corrupt: true }])
  })

  it('a manifest is healed by a push to one repository in all', async () => {
    const right = manifest('a', 'right', { tags: ['latest'] })
    await put(store(), { ...right, bytes: new TextEncoder().encode('wrong') })
    await put(store(), { ...right, bytes: new TextEncoder().encode('wrong'), repository: 'b' })
    expect(await store().upkeep.quarantineManifest(right.digest, 5)).toBe('quarantined')
    await put(store(), { ...right, repository: 'b', tags: [] })
    for (const repository of ['a', 'b']) {
      expect(await store().findManifest(repository, { tag: 'latest' })).toMatchObject({ digest: right.digest })
      expect(await store().readManifest(repository, right.digest)).toEqual(new Uint8Array(right.bytes))
      expect((await store().describeTags({ repository, limit: 10 }))[0]).not.toHaveProperty('corruptSince')
    }
    expect(await store().upkeep.quarantineManifest(right.digest, 6)).toBe('right')
  })

  it('a manifest can be deleted from there', async () => {
    await put(store(), wrong('a', 1, { tags: ['latest'] }))
    await store().upkeep.quarantineManifest(digest(1), 5)
    expect(await remove(store(), 'a', digest(1))).toEqual({ outcome: 'deleted', tags: ['latest'] })
    expect(await store().upkeep.listContents({ limit: 10 })).toEqual([])
  })

  it('a manifest that is pushed while it is judged is not put there for bytes it no longer has', async () => {
    for (let round = 0; round < 20; round += 1) {
      const right = manifest(`a${round}`, `right ${round}`)
      await put(store(), { ...right, bytes: new TextEncoder().encode('wrong') })
      await Promise.all([
        store().upkeep.quarantineManifest(right.digest, 5),
        put(store(), right),
        store().upkeep.quarantineManifest(right.digest, 6),
      ])
      expect(await store().findManifest(right.repository, { digest: right.digest })).toBeDefined()
    }
  })
}

const hashOf = (bytes: Uint8Array): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`
