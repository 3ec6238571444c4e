import type { Grant, Quota } from '@stowage/registry/metadata'
import { expect, it } from 'vitest'
import {
  digest,
  everything,
  garbageKeys,
  manifest,
  now,
  push,
  put,
  remove,
  type StoreUnderTest,
  unlink,
  upload,
} from './samples.ts'

const of = (glob: string, bytes = 0): Quota => ({ kind: 'repositories', glob, bytes })
const by = (actor: string, bytes = 0): Quota => ({ kind: 'actor', actor, bytes })
const as = (actor: string, ...quotas: Quota[]): Grant => ({ ...push, actor, quotas })

export const describeQuotas = (store: StoreUnderTest): void => {
  const used = async (...quotas: Quota[]): Promise<number[]> => Promise.all(quotas.map((quota) => store().usage(quota)))

  const finish = async (
    repository: string,
    number: number,
    size: number,
    grant: Grant,
    key = `${repository}${number}`,
  ) => store().finishUpload({ repository, digest: digest(number), size, key, at: now }, grant)

  const mount = async (repository: string, number: number, grant: Grant) =>
    store().mountBlob({ repository, digest: digest(number), readable: everything, at: now }, grant)

  it('count blobs and manifests, once for each repository and for who brought them there', async () => {
    expect(await used(of('*'), of('a'), by('ann'))).toEqual([0, 0, 0])
    await finish('a', 1, 5_000_000_000, as('ann'))
    await put(store(), manifest('a', '12345'), as('bob'))
    expect(await used(of('*'), of('a'), of('b'), by('ann'), by('bob'))).toEqual([
      5_000_000_005, 5_000_000_005, 0, 5_000_000_000, 5,
    ])
    // Whoever brings it again brought nothing.
    await finish('a', 1, 5_000_000_000, as('bob'), 'again')
    expect(await mount('a', 1, as('bob'))).toMatchObject({ outcome: 'mounted' })
    expect(await used(of('a'), by('ann'), by('bob'))).toEqual([5_000_000_005, 5_000_000_000, 5])
    // To another repository it is new.
    await mount('b', 1, as('bob'))
    await mount('b', 1, as('cid'))
    expect(await used(of('*'), of('b'), by('ann'), by('bob'), by('cid'))).toEqual([
      10_000_000_005, 5_000_000_000, 5_000_000_000, 5_000_000_005, 0,
    ])
  })

  it('count a manifest for who brought it, whoever pushes it again', async () => {
    const wanted = manifest('a', '12345')
    await put(store(), wanted, as('zoe'))
    await put(store(), wanted, as('ann'))
    await put(store(), { ...wanted, tags: ['x'], mediaType: 'application/json' }, as('ann', by('ann', 1)))
    expect(await used(of('a'), by('zoe'), by('ann'))).toEqual([5, 5, 0])
    // Otherwise somebody could hand on what fills his limit, to whom it does not matter, and go on.
    const full = as('zoe', by('zoe', 5))
    expect(await put(store(), manifest('a', '1'), full)).toMatchObject({ outcome: 'over-quota', used: 5 })
    await remove(store(), 'a', wanted.digest)
    await put(store(), wanted, as('ann'))
    expect(await used(of('a'), by('zoe'), by('ann'))).toEqual([5, 0, 5])
  })

  it('give back what is deleted, to who had brought it', async () => {
    const wanted = manifest('a', '12345', { tags: ['x'] })
    await put(store(), wanted, as('ann'))
    await finish('a', 1, 100, as('ann'))
    await mount('b', 1, as('bob'))
    await remove(store(), 'a', wanted.digest)
    expect(await used(of('a'), of('b'), by('ann'), by('bob'), by('dora'))).toEqual([100, 100, 100, 100, 0])
    await unlink(store(), 'a', digest(1))
    await unlink(store(), 'a', digest(1))
    expect(await used(of('a'), of('b'), by('ann'), by('bob'))).toEqual([0, 100, 0, 100])
    await unlink(store(), 'b', digest(1))
    expect(await used(of('*'), by('bob'), by('dora'))).toEqual([0, 0, 0])
  })

  it('do not count what was refused', async () => {
    await put(store(), manifest('a', '1', { tags: ['x'] }), as('ann'))
    await put(store(), manifest('a', '22', { tags: ['x'] }), { ...as('ann'), overwriteTags: false })
    await put(store(), manifest('a', '333', { requiredBlobs: [digest(1)] }), as('ann'))
    await finish('a', 1, 100, as('ann'))
    const gone = { repository: 'a', uploadId: 'gone', digest: digest(2), size: 100, key: 'k', at: now }
    await store().finishUpload(gone, as('ann'))
    await mount('b', 3, as('ann'))
    await store().unlinkBlob({ repository: 'b', digest: digest(1), at: now, evenIfUsed: true }, as('ann'))
    expect(await used(of('*'), by('ann'))).toEqual([101, 101])
  })

  it.each([
    ['a', 1],
    ['a*', 3],
    ['*', 63],
    ['*/x', 24],
    ['team/*', 24],
    ['team_*', 32],
    ['t*m/x', 8],
    // `_` and `%` are LIKE's, `?` and `[` are GLOB's: here each is itself.
    ['team?/x', 0],
    ['team%', 0],
    ['[a]b', 0],
    ['A*', 0],
    ['nothing', 0],
  ])('add up the repositories that %s matches', async (glob, expected) => {
    const names = ['a', 'ab', 'b', 'team/x', 'team/y/x', 'team_z']
    for (const [number, name] of names.entries()) await finish(name, number, 2 ** number, as('ann'))
    expect(await store().usage(of(glob))).toBe(expected)
  })

  it('are held to the byte, and what goes beyond leaves nothing behind', async () => {
    await store().enrollReceivers(['one'])
    const limited = as('ann', of('b', 1000), by('ann', 100))
    expect(await finish('a', 1, 100, limited)).toEqual({ outcome: 'linked' })
    const before = await store().readEvents('one', 100)
    await store().createUpload(upload('a', 'id', { actor: 'ann' }))
    const over = { outcome: 'over-quota', quota: by('ann', 100), used: 100 }
    const last = { repository: 'a', uploadId: 'id', digest: digest(2), size: 1, key: 'k', at: now }
    expect(await store().finishUpload(last, limited)).toEqual(over)
    expect(await mount('b', 1, limited)).toEqual(over)
    expect(await put(store(), manifest('c', '1', { tags: ['x'] }), limited)).toEqual(over)
    expect(await store().findBlob('a', digest(2))).toBeUndefined()
    expect(await store().findUpload('a', 'id')).toBeDefined()
    expect(await store().repositoryExists('b')).toBe(false)
    expect(await store().repositoryExists('c')).toBe(false)
    expect(await garbageKeys(store())).toEqual([])
    expect(await store().readEvents('one', 100)).toEqual(before)
    expect(await used(of('*'), by('ann'))).toEqual([100, 100])
  })

  it('of repositories are held together, and say which', async () => {
    const quotas = [of('team/*', 10), of('*', 13), by('ann', 1000)]
    expect(await finish('team/a', 1, 6, as('ann', ...quotas))).toEqual({ outcome: 'linked' })
    expect(await finish('team/b', 2, 5, as('bob', ...quotas))).toEqual({
      outcome: 'over-quota',
      quota: of('team/*', 10),
      used: 6,
    })
    expect(await finish('team/b', 2, 4, as('bob', ...quotas))).toEqual({ outcome: 'linked' })
    expect(await put(store(), manifest('other', '1234'), as('bob', of('*', 13)))).toEqual({
      outcome: 'over-quota',
      quota: of('*', 13),
      used: 10,
    })
    expect(await put(store(), manifest('other', '123'), as('bob', of('*', 13)))).toMatchObject({ outcome: 'stored' })
    await unlink(store(), 'team/a', digest(1))
    expect(await mount('team/c', 2, as('bob', ...quotas))).toMatchObject({ outcome: 'mounted', size: 4 })
  })

  it('do not stop what adds nothing, even when the limit was lowered', async () => {
    const wanted = manifest('a', '12345', { tags: ['x'] })
    await put(store(), wanted, as('ann'))
    await finish('a', 1, 100, as('ann'))
    const full = as('ann', of('*', 1), by('ann', 1))
    expect(await finish('a', 1, 100, full, 'again')).toEqual({ outcome: 'linked' })
    expect(await mount('a', 1, full)).toMatchObject({ outcome: 'mounted' })
    expect(await put(store(), { ...wanted, tags: ['y'] }, full)).toEqual({ outcome: 'stored', created: false })
    // Nor what somebody else brought.
    const fullToo = as('cid', of('*', 1), by('cid', 0))
    expect(await put(store(), { ...wanted, tags: ['z'] }, fullToo)).toEqual({ outcome: 'stored', created: false })
    expect(await finish('a', 1, 100, fullToo, 'once more')).toEqual({ outcome: 'linked' })
    expect(await used(of('a'), by('ann'), by('cid'))).toEqual([105, 105, 0])
    // Another actor's limit is not his.
    expect(await finish('b', 2, 10, as('cid', by('ann', 1)))).toEqual({ outcome: 'linked' })
  })
}
