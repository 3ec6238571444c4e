import { beforeEach, expect, it } from 'vitest'
import type { TokenRow } from '@stowage/registry/metadata'
import { growth, token, user } from './accounts-samples.ts'
import { now, pages, type StoreUnderTest } from './samples.ts'

export const describeTokens = (store: StoreUnderTest): void => {
  const accounts = () => store().accounts
  const ids = async (): Promise<string[]> => (await accounts().listTokens({ limit: 1000 })).map(({ id }) => id)

  beforeEach(async () => {
    for (const name of ['alice', 'bob']) await accounts().addUser(user(name), false)
  })

  it('are kept with all that is said of them, and the name of their user', async () => {
    const plain = token('plain', 'alice')
    const rich = token('rich', 'bob', {
      kind: 'refresh',
      label: 'a "label" of ä\ud83d\ude00',
      permissions: [
        { repositories: 'team/*', actions: ['pull', 'push'] },
        { repositories: 'x', actions: ['administer'] },
      ],
      expiresAt: now + 5,
      lastUsedAt: now - 5,
      parentId: 'plain',
    })
    expect(await accounts().addToken(plain)).toBe('added')
    expect(await accounts().addToken({ ...rich, user: '' })).toBe('added')
    expect(await accounts().findToken('plain')).toEqual(plain)
    expect(await accounts().findToken('rich')).toEqual(rich)
    expect(await accounts().listTokens({ limit: 10 })).toEqual([plain, rich])
    for (const id of ['', 'Plain', 'plai', '%', 'plain\u0000']) expect(await accounts().findToken(id)).toBeUndefined()
  })

  it('may permit nothing, which is not everything', async () => {
    await accounts().addToken(token('t', 'alice', { permissions: [] }))
    expect(await accounts().findToken('t')).toEqual(token('t', 'alice', { permissions: [] }))
  })

  it('need a user who is there, and what they were got with', async () => {
    const refused = [
      token('t', 'carol'),
      token('t', 'carol', { kind: 'refresh' }),
      token('t', 'alice', { kind: 'refresh', parentId: 'gone' }),
    ]
    for (const wanted of refused) {
      const added = async () => expect(await accounts().addToken(wanted)).toBe('user-unknown')
      expect(await growth(store(), added)).toBe(0)
    }
    expect(await ids()).toEqual([])
  })

  it('that refresh depend on the password under which their holder logged in', async () => {
    const add = async (id: string, more: Partial<TokenRow> = {}) =>
      accounts().addToken(token(id, 'alice', { kind: 'refresh', ...more }))
    expect(await add('one')).toBe('added')
    await accounts().changeUser('alice', { groups: ['a'] })
    expect(await add('two')).toBe('added')
    await accounts().changeUser('alice', { passwordHash: 'new', passwordChangedAt: now + 1 })
    expect(await add('three')).toBe('user-unknown')
    const { passwordChangedAt: _, ...unsaid } = token('four', 'alice', { kind: 'refresh' })
    expect(await accounts().addToken(unsaid)).toBe('user-unknown')
    expect(await ids()).toEqual([])
    expect(await add('five', { passwordChangedAt: now + 1 })).toBe('added')
    expect(await accounts().findToken('five')).toMatchObject({ passwordChangedAt: now + 1 })
  })

  it('that refresh end when their user is disabled, and there are no new ones', async () => {
    const refresh = (id: string, name: string, more: Partial<TokenRow> = {}) =>
      accounts().addToken(token(id, name, { kind: 'refresh', ...more }))
    await accounts().addToken(token('personal', 'alice'))
    expect(await refresh('one', 'alice')).toBe('added')
    expect(await refresh('two', 'alice', { parentId: 'personal' })).toBe('added')
    expect(await refresh('other', 'bob')).toBe('added')
    await accounts().changeUser('alice', { disabledAt: 7 })
    expect(await ids()).toEqual(['personal', 'other'])
    expect(await refresh('three', 'alice')).toBe('user-unknown')
    expect(await refresh('four', 'alice', { parentId: 'personal' })).toBe('user-unknown')
    await accounts().changeUser('alice', { disabledAt: null })
    expect(await ids()).toEqual(['personal', 'other'])
    expect(await refresh('five', 'alice')).toBe('added')
  })

  it('that refresh are fifty of one user and parent at most: the oldest go', async () => {
    const ofOne = (name: string, count: number, more: Partial<TokenRow> = {}) =>
      Promise.all(
        Array.from({ length: count }, (_, index) =>
          accounts().addToken(
            token(`${name}-${more.parentId ?? ''}-${index}`, name, {
              kind: 'refresh',
              createdAt: now + index,
              ...more,
            }),
          ),
        ),
      )
    const howMany = async (): Promise<Record<string, number>> =>
      Object.fromEntries(
        [
          ...Map.groupBy(await accounts().listTokens({ limit: 1000 }), ({ id }) => id.slice(0, id.lastIndexOf('-'))),
        ].map(([group, tokens]) => [group, tokens.length]),
      )
    await accounts().addToken(token('of-alice-', 'alice'))
    await ofOne('alice', 50)
    await ofOne('alice', 50, { parentId: 'of-alice-' })
    await ofOne('bob', 50)
    const full = { 'of-alice': 1, 'alice-': 50, 'alice-of-alice-': 50, 'bob-': 50 }
    expect(await howMany()).toEqual(full)
    // By its clock it is older than all that are there.
    const late = token('alice--late', 'alice', { kind: 'refresh', createdAt: now - 1 })
    const more = async () => expect(await accounts().addToken(late)).toBe('added')
    expect(await growth(store(), more)).toBe(0)
    expect(await howMany()).toEqual(full)
    expect(await accounts().findToken('alice--late')).toEqual(late)
    expect(await accounts().findToken('alice--0')).toBeUndefined()
    expect(await accounts().findToken('alice--1')).toBeDefined()
    await accounts().addToken(
      token('alice-of-alice--new', 'alice', { kind: 'refresh', parentId: 'of-alice-', createdAt: now + 99 }),
    )
    expect(await howMany()).toEqual(full)
    expect(await accounts().findToken('alice-of-alice--0')).toBeUndefined()
    // What was refused makes no room.
    expect(await accounts().addToken(token('no', 'alice', { kind: 'refresh', passwordChangedAt: 1 }))).toBe(
      'user-unknown',
    )
    expect(await howMany()).toEqual(full)
  })

  it('are listed by user and age, in pages of any size', async () => {
    // Not in the order in which they are added, nor in that of their ids.
    await accounts().addToken(token('a', 'bob', { createdAt: now + 1 }))
    await accounts().addToken(token('b', 'alice', { createdAt: now + 2 }))
    await accounts().addToken(token('e', 'alice', { createdAt: now + 1, kind: 'refresh' }))
    await accounts().addToken(token('d', 'alice', { createdAt: now + 1 }))
    await accounts().addToken(token('c', 'bob', { createdAt: now }))
    const lists = [
      [{}, ['d', 'e', 'b', 'c', 'a']],
      [{ user: 'alice' }, ['d', 'e', 'b']],
      [{ user: 'bob' }, ['c', 'a']],
      [{ kind: 'personal' }, ['d', 'b', 'c', 'a']],
      [{ kind: 'refresh' }, ['e']],
      [{ user: 'alice', kind: 'personal' }, ['d', 'b']],
      [{ user: 'bob', kind: 'refresh' }, []],
      [{ user: 'carol' }, []],
      [{ user: 'al' }, []],
    ] as const
    for (const [which, expected] of lists) {
      for (const limit of [1, 2, 5, 100]) {
        const found = await pages(
          (page) => accounts().listTokens({ ...page, ...which }),
          limit,
          ({ id }) => id,
        )
        expect(
          found.map(({ id }) => id),
          `${JSON.stringify(which)} in pages of ${limit}`,
        ).toEqual(expected)
      }
    }
  })

  it('are all seen by who removes a page and asks for the next', async () => {
    for (const id of ['a', 'b', 'c', 'd', 'e']) await accounts().addToken(token(id, 'alice'))
    let last: string | undefined
    const seen: string[] = []
    for (;;) {
      const page = await accounts().listTokens({ limit: 2, ...(last !== undefined && { last }) })
      if (page.length === 0) break
      for (const { id } of page) await accounts().removeToken(id)
      seen.push(...page.map(({ id }) => id))
      last = page.at(-1)?.id
    }
    expect(seen).toEqual(['a', 'b', 'c', 'd', 'e'])
  })

  it('go, and with a personal token what was got with it', async () => {
    await accounts().addToken(token('parent', 'alice'))
    await accounts().addToken(token('child', 'alice', { kind: 'refresh', parentId: 'parent' }))
    await accounts().addToken(token('other', 'alice', { kind: 'refresh' }))
    expect(await accounts().removeToken('parent')).toBe(true)
    expect(await accounts().removeToken('parent')).toBe(false)
    expect(await accounts().removeToken('child')).toBe(false)
    expect(await ids()).toEqual(['other'])
  })

  it('keep their last use, the latest of all', async () => {
    await accounts().addToken(token('a', 'alice'))
    await accounts().addToken(token('b', 'bob'))
    const touches = async () => {
      await accounts().touchTokens([])
      await accounts().touchTokens([
        { id: 'a', at: now + 1 },
        { id: 'gone', at: now + 1 },
        { id: 'a', at: now + 3 },
        { id: 'a', at: now + 2 },
      ])
      await accounts().touchTokens([{ id: 'a', at: now }])
    }
    expect(await growth(store(), touches)).toBe(0)
    expect(await accounts().findToken('a')).toEqual(token('a', 'alice', { lastUsedAt: now + 3 }))
    expect(await accounts().findToken('b')).toEqual(token('b', 'bob'))
  })

  it('are removed when they have ended, however many', async () => {
    await accounts().addToken(token('endless', 'alice'))
    await accounts().addToken(token('later', 'alice', { expiresAt: now }))
    await accounts().addToken(token('parent', 'alice', { expiresAt: now - 1 }))
    await accounts().addToken(token('child', 'alice', { kind: 'refresh', parentId: 'parent', expiresAt: now + 9 }))
    await Promise.all(
      Array.from({ length: 1200 }, (_, number) =>
        accounts().addToken(token(`t${number}`, 'bob', { expiresAt: number })),
      ),
    )
    expect(await accounts().removeExpiredTokens(now)).toBe(1201)
    expect(await ids()).toEqual(['endless', 'later'])
    expect(await growth(store(), async () => expect(await accounts().removeExpiredTokens(now)).toBe(0))).toBe(0)
  })
}
