import { expect, it } from 'vitest'
import { digest, garbageKeys, now, push, type StoreUnderTest, upload } from './samples.ts'

export const describeUploads = (store: StoreUnderTest): void => {
  const finish = async (repository: string, uploadId: string, number: number, key = uploadId) =>
    store().finishUpload({ repository, uploadId, digest: digest(number), size: 7, key, at: now }, push)

  it('belong to their repository', async () => {
    const row = upload('a', 'id-1', { actor: 'bob', startedAt: now - 5, state: '{"part":1}' })
    await store().createUpload(row)
    expect(await store().findUpload('a', 'id-1')).toEqual(row)
    expect(await store().findUpload('b', 'id-1')).toBeUndefined()
    expect(await store().findUpload('a', 'id-2')).toBeUndefined()
    expect(await finish('b', 'id-1', 1)).toEqual({ outcome: 'upload-unknown' })
    expect(await store().cancelUpload('b', 'id-1')).toBe(false)
    expect(await store().findUpload('a', 'id-1')).toEqual(row)
  })

  it('need no state', async () => {
    await store().createUpload(upload('a', 'id'))
    expect(await store().findUpload('a', 'id')).toEqual(upload('a', 'id'))
  })

  it('keep their progress, and their state until there is another', async () => {
    await store().createUpload(upload('a', 'id'))
    expect(await store().saveUpload('id', { touchedAt: now + 1, state: 'one' })).toBe(true)
    expect(await store().saveUpload('id', { touchedAt: now + 2 })).toBe(true)
    expect(await store().findUpload('a', 'id')).toEqual(upload('a', 'id', { touchedAt: now + 2, state: 'one' }))
    expect(await store().saveUpload('id', { touchedAt: now + 3, state: 'two' })).toBe(true)
    expect(await store().findUpload('a', 'id')).toMatchObject({ state: 'two', startedAt: now })
    expect(await store().saveUpload('other', { touchedAt: now })).toBe(false)
  })

  it('end when they are finished, once', async () => {
    await store().createUpload(upload('a', 'id'))
    expect(await finish('a', 'id', 1, 'k1')).toEqual({ outcome: 'linked' })
    expect(await store().findUpload('a', 'id')).toBeUndefined()
    expect(await store().findBlob('a', digest(1))).toMatchObject({ digest: digest(1), size: 7, key: 'k1' })
    expect(await finish('a', 'id', 1, 'k2')).toEqual({ outcome: 'upload-unknown' })
    expect(await store().saveUpload('id', { touchedAt: now })).toBe(false)
    expect(await store().cancelUpload('a', 'id')).toBe(false)
    expect(await store().expireUpload('id', now + 1)).toBe(false)
    // Nothing was written: the key of the second try is neither the blob's nor garbage.
    expect(await store().findBlob('a', digest(1))).toMatchObject({ key: 'k1' })
    expect(await garbageKeys(store())).toEqual([])
  })

  it('end when they are cancelled', async () => {
    await store().createUpload(upload('a', 'id'))
    expect(await store().cancelUpload('a', 'id')).toBe(true)
    expect(await store().cancelUpload('a', 'id')).toBe(false)
    expect(await store().findUpload('a', 'id')).toBeUndefined()
    expect(await finish('a', 'id', 1)).toEqual({ outcome: 'upload-unknown' })
    expect(await store().findBlob('a', digest(1))).toBeUndefined()
  })

  it('expire when nothing came for long enough, oldest first', async () => {
    for (const [number, touchedAt] of [50, 10, 40, 20, 30].entries()) {
      await store().createUpload(upload(`r${number}`, `id-${number}`, { touchedAt, state: `s${number}` }))
    }
    const expired = async (limit: number) =>
      (await store().listExpiredUploads({ touchedBefore: 40, limit })).map((row) => row.id)
    expect(await expired(10)).toEqual(['id-1', 'id-3', 'id-4'])
    expect(await expired(2)).toEqual(['id-1', 'id-3'])
    expect(await store().listExpiredUploads({ touchedBefore: 20, limit: 10 })).toEqual([
      upload('r1', 'id-1', { touchedAt: 10, state: 's1' }),
    ])
    expect(await store().expireUpload('id-1', 40)).toBe(true)
    expect(await store().expireUpload('id-1', 40)).toBe(false)
    expect(await expired(10)).toEqual(['id-3', 'id-4'])
  })

  it('are not begun when there are enough of one actor, or of all', async () => {
    const limits = { ofActor: 2, ofAll: 3 }
    const begin = async (id: string, actor: string) =>
      (await store().createUpload(upload(`r-${id}`, id, { actor }), limits)).outcome === 'created'
    expect(await begin('1', 'ann')).toBe(true)
    expect(await begin('2', 'ann')).toBe(true)
    expect(await begin('3', 'ann')).toBe(false)
    expect(await store().findUpload('r-3', '3')).toBeUndefined()
    expect(await begin('4', 'bob')).toBe(true)
    expect(await begin('5', 'bob')).toBe(false)
    expect((await store().statistics()).uploads).toBe(3)
    await store().cancelUpload('r-1', '1')
    expect(await begin('5', 'bob')).toBe(true)
    await store().cancelUpload('r-4', '4')
    expect(await begin('6', 'ann')).toBe(true)
    expect(await begin('7', 'bob')).toBe(false)
    // Without limits there are none.
    expect(await store().createUpload(upload('a', '7', { actor: 'ann' }))).toEqual({ outcome: 'created' })
  })

  it('take the place of the oldest of whoever has most when all are too many', async () => {
    const limits = { ofActor: 30, ofAll: 40 }
    const begin = async (actor: string, id: string, touchedAt = now) =>
      store().createUpload(upload('a', id, { actor, touchedAt, state: id }), limits)
    const fill = async (actor: string, count: number) => {
      for (let number = 0; number < count; number += 1) await begin(actor, `${actor} ${number}`, now + number)
    }
    await fill('ann', 30)
    await fill('bob', 10)
    await store().saveUpload('ann 0', { touchedAt: now + 100 })
    const before = await store().listExpiredUploads({ touchedBefore: now + 1000, limit: 100 })
    // Each has many already, and waits.
    expect(await begin('bob', 'more')).toEqual({ outcome: 'too-many' })
    expect(await begin('ann', 'more')).toEqual({ outcome: 'too-many' })
    expect(await store().listExpiredUploads({ touchedBefore: now + 1000, limit: 100 })).toEqual(before)
    for (const number of [1, 2, 3]) {
      expect(await begin('cid', `cid ${number}`)).toEqual({
        outcome: 'created',
        replaced: upload('a', `ann ${number}`, { actor: 'ann', touchedAt: now + number, state: `ann ${number}` }),
      })
      expect(await store().findUpload('a', `ann ${number}`)).toBeUndefined()
      expect(await store().findUpload('a', `cid ${number}`)).toBeDefined()
    }
    // A tenth of what an actor may have: from then on he waits like everybody else.
    expect(await begin('cid', 'more')).toEqual({ outcome: 'too-many' })
    expect((await store().statistics()).uploads).toBe(40)
    // What is there goes on.
    expect(await finish('a', 'cid 1', 1)).toEqual({ outcome: 'linked' })
    expect(await begin('ann', 'more')).toEqual({ outcome: 'created' })
  })

  it('take no place from who has hardly more', async () => {
    const limits = { ofActor: 20, ofAll: 3 }
    for (const actor of ['ann', 'bob', 'cid']) await store().createUpload(upload('a', actor, { actor }), limits)
    const late = async (id: string) => store().createUpload(upload('a', id, { actor: 'dan' }), limits)
    expect(await late('1')).toEqual({ outcome: 'too-many' })
    await store().cancelUpload('a', 'cid')
    await store().createUpload(upload('a', 'ann 2', { actor: 'ann', touchedAt: now + 1 }), limits)
    expect(await late('1')).toMatchObject({ outcome: 'created', replaced: { id: 'ann' } })
    expect(await late('2')).toEqual({ outcome: 'too-many' })
  })

  it('do not expire when they woke up meanwhile', async () => {
    await store().createUpload(upload('a', 'id', { touchedAt: 10 }))
    await store().saveUpload('id', { touchedAt: 40 })
    expect(await store().expireUpload('id', 40)).toBe(false)
    expect(await store().findUpload('a', 'id')).toBeDefined()
    expect(await store().expireUpload('id', 41)).toBe(true)
  })
}
