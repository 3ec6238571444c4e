import type { RepositoryFilter } from '@stowage/registry/metadata'
import { expect, it } from 'vitest'
import { changes, digest, everything, garbageKeys, link, now, only, push, type StoreUnderTest } from './samples.ts'

export const describeMounts = (store: StoreUnderTest): void => {
  const mount = async (repository: string, number: number, readable: RepositoryFilter, from?: string) =>
    store().mountBlob(
      { repository, digest: digest(number), readable, at: now, ...(from !== undefined && { from }) },
      push,
    )

  it('link a blob from the repository that is named', async () => {
    await link(store(), 'a', digest(1), 'k', 9)
    expect(await mount('b', 1, everything, 'a')).toEqual({ outcome: 'mounted', size: 9, from: 'a' })
    expect(await store().findBlob('b', digest(1))).toMatchObject({ digest: digest(1), size: 9, key: 'k' })
    expect(await garbageKeys(store())).toEqual([])
  })

  it('find nothing where the named repository does not hold it, though another does', async () => {
    await link(store(), 'a', digest(1), 'k')
    await link(store(), 'b', digest(2), 'k2')
    expect(await mount('c', 1, everything, 'b')).toBeUndefined()
    expect(await mount('c', 1, everything, 'nowhere')).toBeUndefined()
    expect(await mount('c', 3, everything, 'a')).toBeUndefined()
    expect(await store().findBlob('c', digest(1))).toBeUndefined()
    expect(await store().repositoryExists('c')).toBe(false)
  })

  it('look for a source themselves, among those that may be read', async () => {
    await link(store(), 'secret/a', digest(1), 'k')
    expect(await mount('b', 1, only())).toBeUndefined()
    expect(await mount('b', 1, only('public/*', 'secret'))).toBeUndefined()
    expect(await mount('b', 1, only('secret?a', 'secret_a', 'SECRET/*', 'secret/[a]'))).toBeUndefined()
    expect(await store().findBlob('b', digest(1))).toBeUndefined()
    expect(await mount('b', 1, only('public/*', 'secret/*'))).toEqual({ outcome: 'mounted', size: 7, from: 'secret/a' })
    expect(await mount('c', 1, everything)).toMatchObject({ size: 7 })
    expect(await store().findBlob('b', digest(1))).toBeDefined()
    expect(await store().findBlob('c', digest(1))).toBeDefined()
  })

  it('take no source that what narrows the rest leaves out, and any that is always shown', async () => {
    await link(store(), 'team/a', digest(1), 'k')
    const narrowed = (...within: string[][]): RepositoryFilter => ({ kind: 'any-of', globs: ['team/*'], within })
    expect(await mount('b', 1, narrowed(['team/b']))).toBeUndefined()
    expect(await mount('b', 1, narrowed(['*'], []))).toBeUndefined()
    expect(await mount('b', 1, narrowed(['*/a'], ['x', 'team']))).toBeUndefined()
    expect(await mount('b', 1, { kind: 'any-of', globs: [], always: ['team'] })).toBeUndefined()
    expect(await store().findBlob('b', digest(1))).toBeUndefined()
    expect(await mount('b', 1, narrowed(['*/a'], ['x', 'team/*']))).toMatchObject({ from: 'team/a' })
    expect(await mount('c', 1, { kind: 'any-of', globs: [], within: [[]], always: ['*/a'] })).toMatchObject({
      from: 'team/a',
    })
  })

  it('find the one source that may be read among many', async () => {
    for (let number = 0; number < 150; number += 1) await link(store(), `secret/${number}`, digest(1), `k${number}`)
    const filter = { kind: 'any-of', globs: ['public/*', 'none', 'z*'], within: [['*x', 'z*/y']] } as const
    expect(await mount('b', 1, filter)).toBeUndefined()
    await link(store(), 'public/y', digest(1), 'y')
    expect(await mount('b', 1, filter)).toBeUndefined()
    await link(store(), 'public/x', digest(1), 'x')
    expect(await mount('b', 1, filter)).toMatchObject({ from: 'public/x' })
    expect(await mount('c', 1, everything)).toMatchObject({ size: 7 })
    await link(store(), 'public/other/x', digest(2), 'other')
    expect(await mount('b', 2, { ...filter, globs: ['public/x'] })).toBeUndefined()
  })

  it('take LIKE wildcards in a glob as the characters they are', async () => {
    await link(store(), 'a_b', digest(1), 'k')
    await link(store(), 'axb', digest(2), 'k2')
    expect(await mount('c', 2, only('a_b'))).toBeUndefined()
    expect(await mount('c', 2, only('a%'))).toBeUndefined()
    expect(await mount('c', 1, only('a_b'))).toEqual({ outcome: 'mounted', size: 7, from: 'a_b' })
  })

  it('succeed twice and tell once', async () => {
    await store().enrollReceivers(['one'])
    await link(store(), 'a', digest(1), 'k')
    expect(await mount('b', 1, everything, 'a')).toEqual({ outcome: 'mounted', size: 7, from: 'a' })
    expect(await mount('b', 1, everything, 'a')).toEqual({ outcome: 'mounted', size: 7, from: 'a' })
    expect(await mount('a', 1, everything, 'a')).toEqual({ outcome: 'mounted', size: 7, from: 'a' })
    expect(await changes(store(), 'one')).toEqual([
      { type: 'blob.pushed', repository: 'a', digest: digest(1), size: 7 },
      { type: 'blob.mounted', repository: 'b', digest: digest(1), size: 7, from: 'a' },
    ])
  })
}
