import { expect, it } from 'vitest'
import {
  digest,
  everything,
  link,
  manifest,
  now,
  only,
  pages,
  push,
  put,
  remove,
  type StoreUnderTest,
  upload,
} from './samples.ts'

/** Neighbours in byte order that a locale would sort in another way, and that LIKE would mix up. */
const names = [
  'a',
  'a-b',
  'a.b',
  'a/b',
  'a0',
  'a_b',
  'aa',
  'ab',
  'b',
  'team/one',
  'team/two',
  'team_x/one',
  'teams/one',
  'z',
]

export const describeRepositories = (store: StoreUnderTest): void => {
  const fill = async (): Promise<void> => {
    for (const name of names.toReversed()) await put(store(), manifest(name, name))
  }

  const after = async (last: string) => store().listRepositories({ last, limit: 2, visible: everything })

  it('exist from the first manifest or blob on', async () => {
    expect(await store().repositoryExists('a')).toBe(false)
    await put(store(), manifest('a', '{}'))
    await link(store(), 'b', digest(1), 'key')
    await store().mountBlob({ repository: 'c', digest: digest(1), readable: everything, at: now }, push)
    expect(await store().repositoryExists('a')).toBe(true)
    expect(await store().repositoryExists('b')).toBe(true)
    expect(await store().repositoryExists('c')).toBe(true)
    expect(await store().repositoryExists('A')).toBe(false)
  })

  it('do not come into being by an upload, or by a write that failed', async () => {
    await store().createUpload(upload('a', 'id'))
    await put(store(), manifest('a', '{}', { requiredBlobs: [digest(1)] }))
    await store().finishUpload(
      { repository: 'a', uploadId: 'other', digest: digest(1), size: 1, key: 'k', at: now },
      push,
    )
    await store().mountBlob({ repository: 'a', digest: digest(1), readable: everything, at: now }, push)
    await store().unlinkBlob({ repository: 'a', digest: digest(1), at: now, evenIfUsed: true }, push)
    await store().deleteTag({ repository: 'a', tag: 'x', at: now }, push)
    await remove(store(), 'a', digest(1))
    expect(await store().repositoryExists('a')).toBe(false)
    expect(await store().listRepositories({ limit: 10, visible: everything })).toEqual([])
  })

  it('stay when their last manifest goes', async () => {
    const wanted = manifest('a', '{}')
    await put(store(), wanted)
    await remove(store(), 'a', wanted.digest)
    expect(await store().repositoryExists('a')).toBe(true)
    expect(await store().listTags({ repository: 'a', limit: 10 })).toEqual([])
  })

  it('are listed in byte order, in pages of any size', async () => {
    await fill()
    for (const limit of [1, 2, 3, names.length - 1, names.length, 1000]) {
      const found = await pages(
        (page) => store().listRepositories({ ...page, visible: everything }),
        limit,
        (name) => name,
      )
      expect(found, `in pages of ${limit}`).toEqual(names)
    }
  })

  it('are listed from behind a name that need not exist', async () => {
    await fill()
    expect(await after('a/')).toEqual(['a/b', 'a0'])
    expect(await after('a/b')).toEqual(['a0', 'a_b'])
    expect(await after('')).toEqual(['a', 'a-b'])
    expect(await after('zz')).toEqual([])
  })

  it.each([
    [['a'], ['a']],
    [['*'], names],
    [['a*'], ['a', 'a-b', 'a.b', 'a/b', 'a0', 'a_b', 'aa', 'ab']],
    // `_` and `%` are LIKE's, `?` and `[` are GLOB's, and `.` is a regular expression's: here each is itself.
    [['a_b'], ['a_b']],
    [['a_*'], ['a_b']],
    [['a%'], []],
    [['a?b'], []],
    [['[ab]'], []],
    [['a[a-z]'], []],
    [['a.b'], ['a.b']],
    [['A*'], []],
    [['team/*'], ['team/one', 'team/two']],
    [['*/one'], ['team/one', 'team_x/one', 'teams/one']],
    [['t*/o*e'], ['team/one', 'team_x/one', 'teams/one']],
    [['team_*/*'], ['team_x/one']],
    [
      ['team/*', 'a', 'team/one', 'nothing'],
      ['a', 'team/one', 'team/two'],
    ],
    [['a\\*'], []],
    [[], []],
  ] as const)('are shown to those who may see %j', async (globs, expected) => {
    await fill()
    for (const limit of [1, 2, 100]) {
      const found = await pages(
        (page) => store().listRepositories({ ...page, visible: only(...globs) }),
        limit,
        (name) => name,
      )
      expect(found, `in pages of ${limit}`).toEqual(expected)
    }
  })

  it.each([
    ['the rest narrowed', { globs: ['*'], within: [['team/*', 'a']] }, ['a', 'team/one', 'team/two']],
    [
      'narrowed twice',
      { globs: ['t*', 'a*'], within: [['team*', 'a'], ['*/one']] },
      ['team/one', 'team_x/one', 'teams/one'],
    ],
    ['narrowed to nothing', { globs: ['a*'], within: [['team/*']] }, []],
    ['narrowed by nothing at all', { globs: ['*'], within: [[]] }, []],
    ['narrowed to all', { globs: ['team/*'], within: [['*'], ['b', '*']] }, ['team/one', 'team/two']],
    [
      'narrowed by what is narrower in part',
      { globs: ['team/*', 'z'], within: [['team/one', '*z']] },
      ['team/one', 'z'],
    ],
    ['what is always shown', { globs: [], always: ['b', '*_x/*'] }, ['b', 'team_x/one']],
    [
      'what is always shown beside the rest narrowed',
      { globs: ['team/*'], within: [['*/two']], always: ['team/o*', 'z', 'team/two'] },
      ['team/one', 'team/two', 'z'],
    ],
    ['all, because all is always shown', { globs: [], within: [['b']], always: ['*'] }, names],
    ['narrowed by special characters that are themselves', { globs: ['a*'], within: [['a_b', 'a?b', 'a%']] }, ['a_b']],
  ] as const)('are shown to those who see %s', async (_, filter, expected) => {
    await fill()
    for (const limit of [1, 2, 100]) {
      const found = await pages(
        (page) => store().listRepositories({ ...page, visible: { kind: 'any-of', ...filter } }),
        limit,
        (name) => name,
      )
      expect(found, `in pages of ${limit}`).toEqual(expected)
    }
  })

  it('are shown through hundreds of globs, in byte order and none twice', async () => {
    await fill()
    const nothing = Array.from({ length: 300 }, (_, number) => [`a/${number}/*`, `t${number}`, `*/n${number}`]).flat()
    const found = await pages(
      (page) => store().listRepositories({ ...page, visible: only(...nothing, ...names, '*/one') }),
      3,
      (name) => name,
    )
    expect(found).toEqual(names)
    const within = [
      [...nothing, 'team*', '*o'],
      [...nothing, 'team/*', 'b', '*/one'],
    ]
    const visible = { kind: 'any-of', globs: [...nothing, ...names], within } as const
    expect(await store().listRepositories({ limit: 100, visible })).toEqual([
      'team/one',
      'team/two',
      'team_x/one',
      'teams/one',
    ])
    expect(await store().listRepositories({ limit: 2, last: 'team/one', visible })).toEqual(['team/two', 'team_x/one'])
    expect(await store().listRepositories({ limit: 2, last: 'team/', visible })).toEqual(['team/one', 'team/two'])
    expect(await store().listRepositories({ limit: 2, last: 'zz', visible })).toEqual([])
  })

  it('are counted', async () => {
    const { repositories, ...rest } = await store().statistics()
    expect({ repositories, ...rest }).toEqual({
      repositories: 0,
      manifests: 0,
      tags: 0,
      blobs: 0,
      blobBytes: 0,
      corruptBlobs: 0,
      uploads: 0,
      pendingEvents: 0,
    })
    await store().enrollReceivers(['one'])
    await link(store(), 'a', digest(1), 'k1', 5_000_000_000)
    await link(store(), 'b', digest(1), 'k2', 5_000_000_000)
    await link(store(), 'b', digest(2), 'k3', 3)
    await store().createUpload(upload('a', 'id'))
    await put(store(), manifest('a', '{}', { tags: ['x', 'y'] }))
    await store().upkeep.quarantineBlob({ digest: digest(2), key: 'k3', at: 1 })
    expect(await store().statistics()).toEqual({
      repositories: 2,
      manifests: 1,
      tags: 2,
      blobs: 2,
      blobBytes: 5_000_000_003,
      corruptBlobs: 1,
      uploads: 1,
      pendingEvents: 6,
    })
  })
}
