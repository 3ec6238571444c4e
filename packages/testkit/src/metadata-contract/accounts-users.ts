import { expect, it } from 'vitest'
import { growth, rule, token, user } from './accounts-samples.ts'
import { now, pages, type StoreUnderTest } from './samples.ts'

export const describeUsers = (store: StoreUnderTest): void => {
  const accounts = () => store().accounts

  it('are kept with all that is said of them', async () => {
    const plain = user('plain')
    const rich = user('rich', {
      passwordHash: '$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA',
      administrator: true,
      groups: ['b', 'a', 'ä "quoted"'],
      disabledAt: now + 5,
      createdAt: now - 5,
      passwordChangedAt: now - 1,
    })
    expect(await accounts().addUser(plain, false)).toBe('added')
    expect(await accounts().addUser(rich, false)).toBe('added')
    expect(await accounts().findUser('plain')).toEqual(plain)
    expect(await accounts().findUser('rich')).toEqual(rich)
    expect(await accounts().listUsers({ limit: 10 })).toEqual([plain, rich])
  })

  it('are found by their whole name, letter by letter', async () => {
    await accounts().addUser(user('alice'), false)
    for (const name of ['', 'Alice', 'alic', 'alice ', 'al%', 'alice\u0000', '\u0000', "' or 1=1 --"]) {
      expect(await accounts().findUser(name), JSON.stringify(name)).toBeUndefined()
    }
  })

  it('have names of their own', async () => {
    await accounts().addUser(user('alice'), false)
    const second = user('alice', { id: 'another id', administrator: true })
    expect(await growth(store(), async () => expect(await accounts().addUser(second, false)).toBe('exists'))).toBe(0)
    expect(await accounts().findUser('alice')).toEqual(user('alice'))
    expect(await accounts().addUser(user('Alice'), false)).toBe('added')
  })

  it('are added as the first only where there is none', async () => {
    expect(await accounts().addUser(user('root'), true)).toBe('added')
    expect(await accounts().addUser(user('other'), true)).toBe('not-first')
    expect(await accounts().addUser(user('root'), true)).toBe('not-first')
    expect(await accounts().listUsers({ limit: 10 })).toEqual([user('root')])
    await accounts().removeUser('root')
    expect(await accounts().addUser(user('other'), true)).toBe('added')
  })

  it('are listed in byte order, in pages of any size', async () => {
    const names = ['A', 'Z', '_', 'a', 'a-b', 'a.b', 'a0', 'a@b', 'aa', 'b']
    for (const name of names.toReversed()) await accounts().addUser(user(name), false)
    for (const limit of [1, 3, names.length, 100]) {
      const found = await pages(
        (page) => accounts().listUsers(page),
        limit,
        ({ name }) => name,
      )
      expect(
        found.map(({ name }) => name),
        `in pages of ${limit}`,
      ).toEqual(names)
    }
    expect((await accounts().listUsers({ last: 'a-', limit: 1 })).map(({ name }) => name)).toEqual(['a-b'])
  })

  it('change in what is named, and stay in the rest', async () => {
    const before = user('alice', { passwordHash: 'old', groups: ['a'], disabledAt: 3 })
    await accounts().addUser(before, false)
    await accounts().addUser(user('bob'), false)
    const changes = [
      [{ administrator: true }, { ...before, administrator: true }],
      [{ groups: ['x', 'y'] }, { ...before, administrator: true, groups: ['x', 'y'] }],
      [
        { administrator: false, groups: [] },
        { ...before, groups: [] },
      ],
      [{}, { ...before, groups: [] }],
      [{ disabledAt: 9 }, { ...before, groups: [], disabledAt: 9 }],
    ] as const
    for (const [change, expected] of changes) {
      expect(await accounts().changeUser('alice', change)).toEqual(expected)
      expect(await accounts().findUser('alice')).toEqual(expected)
    }
    const enabled = await accounts().changeUser('alice', { disabledAt: null })
    expect(enabled).toEqual(user('alice', { passwordHash: 'old' }))
    expect(await accounts().findUser('alice')).toEqual(enabled)
    expect(await accounts().findUser('bob')).toEqual(user('bob'))
    expect(await accounts().changeUser('carol', { administrator: true })).toBeUndefined()
    expect(await accounts().findUser('carol')).toBeUndefined()
  })

  it('get a password at another time than the one before, whatever the clock says', async () => {
    await accounts().addUser(user('alice'), false)
    const later = await accounts().changeUser('alice', { passwordHash: 'one', passwordChangedAt: now + 5 })
    expect(later).toEqual(user('alice', { passwordHash: 'one', passwordChangedAt: now + 5 }))
    const earlier = await accounts().changeUser('alice', { passwordHash: 'two', passwordChangedAt: now })
    expect(earlier).toEqual(user('alice', { passwordHash: 'two', passwordChangedAt: now + 6 }))
    expect(await accounts().findUser('alice')).toEqual(earlier)
  })

  it('lose their refresh tokens, and only those, with a password', async () => {
    for (const name of ['alice', 'bob']) {
      await accounts().addUser(user(name), false)
      await accounts().addToken(token(`personal-${name}`, name))
      await accounts().addToken(token(`refresh-${name}`, name, { kind: 'refresh' }))
    }
    await accounts().changeUser('alice', { groups: ['a'] })
    expect(await accounts().findToken('refresh-alice')).toBeDefined()
    await accounts().changeUser('alice', { passwordHash: 'new', passwordChangedAt: now + 1 })
    expect((await accounts().listTokens({ limit: 10 })).map(({ id }) => id)).toEqual([
      'personal-alice',
      'personal-bob',
      'refresh-bob',
    ])
  })

  it('go with their tokens and with the rules that name them', async () => {
    for (const name of ['alice', 'bob']) {
      await accounts().addUser(user(name), false)
      await accounts().addToken(token(`personal-${name}`, name))
      await accounts().addToken(token(`refresh-${name}`, name, { kind: 'refresh', parentId: `personal-${name}` }))
      await accounts().addRule(rule({ kind: 'user', name }, '*', 'pull'))
      await accounts().addRule(rule({ kind: 'group', name }, '*', 'pull'))
    }
    expect(await accounts().removeUser('alice')).toBe(true)
    expect(await accounts().removeUser('alice')).toBe(false)
    expect(await accounts().findUser('alice')).toBeUndefined()
    expect((await accounts().listTokens({ limit: 10 })).map(({ id }) => id)).toEqual(['personal-bob', 'refresh-bob'])
    expect((await accounts().listRules()).map(({ subject }) => subject)).toEqual([
      { kind: 'group', name: 'alice' },
      { kind: 'user', name: 'bob' },
      { kind: 'group', name: 'bob' },
    ])
  })

  it('leave nothing to a later one of their name', async () => {
    await accounts().addUser(user('alice'), false)
    await accounts().removeUser('alice')
    await accounts().addUser(user('alice', { id: 'another id' }), false)
    expect(await accounts().addToken(token('t', 'alice'))).toBe('user-unknown')
    expect(await accounts().listTokens({ limit: 10 })).toEqual([])
  })
}
