import { expect, it } from 'vitest'
import { growth, rule, signingKey, token, user } from './accounts-samples.ts'
import { now, rounds, type StoreUnderTest } from './samples.ts'

const numbers = (count: number): number[] => Array.from({ length: count }, (_, number) => number)

export const describeAccountRaces = (store: StoreUnderTest): void => {
  const accounts = () => store().accounts

  it('fifty first users at once: one is the first', async () => {
    const names = numbers(50).map((number) => `root-${number}`)
    const results = await Promise.all(names.map((name) => accounts().addUser(user(name), true)))
    const first = names.filter((_, index) => results[index] === 'added')
    expect(first).toHaveLength(1)
    expect(results.filter((result) => result === 'not-first')).toHaveLength(49)
    expect((await accounts().listUsers({ limit: 100 })).map(({ name }) => name)).toEqual(first)
  })

  it('one name taken by many at once: one has it', async () => {
    await rounds(10, async (place) => {
      const wanted = numbers(5).map((number) => user('alice', { id: `${place} ${number}` }))
      const results = await Promise.all(wanted.map((each) => accounts().addUser(each, false)))
      const [winner, ...more] = wanted.filter((_, index) => results[index] === 'added')
      expect(more).toEqual([])
      expect(await accounts().findUser('alice')).toEqual(winner)
      await accounts().removeUser('alice')
    })
  })

  it('many signing keys at once: one is added to what each has seen', async () => {
    let newest: string | null = null
    await rounds(10, async (place) => {
      const keys = numbers(5).map((number) => signingKey(`${place} ${number}`))
      const seen = newest
      const results = await Promise.all(keys.map((key) => accounts().addSigningKey(key, seen)))
      const [winner, ...more] = keys.filter((_, index) => results[index])
      expect(more).toEqual([])
      newest = winner?.id ?? null
      expect((await accounts().listSigningKeys())[0]?.id).toBe(newest)
    })
    expect(await accounts().listSigningKeys()).toHaveLength(10)
  })

  it('changes at once all count, and none undoes another', async () => {
    await accounts().addUser(user('alice'), false)
    const work = async (): Promise<void> => {
      await Promise.all([
        accounts().changeUser('alice', { administrator: true }),
        accounts().changeUser('alice', { groups: ['a'] }),
        accounts().changeUser('alice', { disabledAt: 7 }),
        accounts().changeUser('alice', { passwordHash: 'x', passwordChangedAt: now + 1 }),
        ...numbers(10).map((number) => accounts().addRule(rule({ kind: 'anonymous' }, `a${number}`, 'pull'))),
        accounts().addRule(rule({ kind: 'anonymous' }, 'a0', 'pull')),
      ])
    }
    // The last rule is there already, or was the first of the two.
    expect(await growth(store(), work)).toBe(14)
    expect(await accounts().findUser('alice')).toEqual(
      user('alice', {
        administrator: true,
        groups: ['a'],
        disabledAt: 7,
        passwordHash: 'x',
        passwordChangedAt: now + 1,
      }),
    )
    expect(await accounts().listRules()).toHaveLength(10)
  })

  it('a token against the end of its user: it is gone, or was never there', async () => {
    await rounds(20, async (place, round) => {
      await accounts().addUser(user('alice', { id: place }), false)
      await accounts().addToken(token(`${place} parent`, 'alice', { userId: place }))
      const wanted = token(`${place} token`, 'alice', {
        userId: place,
        kind: 'refresh',
        ...(round % 2 === 0 && { parentId: `${place} parent` }),
      })
      const [removed] = await Promise.all([accounts().removeUser('alice'), accounts().addToken(wanted)])
      expect(removed).toBe(true)
      expect(await accounts().listTokens({ limit: 10 })).toEqual([])
    })
  })

  it('a refresh token against a new password: it does not outlive the old one', async () => {
    await accounts().addUser(user('alice'), false)
    let password = now
    await rounds(20, async (place) => {
      const refresh = (number: number) =>
        accounts().addToken(token(`${place} ${number}`, 'alice', { kind: 'refresh', passwordChangedAt: password }))
      const [, changed] = await Promise.all([
        refresh(1),
        accounts().changeUser('alice', { passwordHash: place, passwordChangedAt: password + 1 }),
        refresh(2),
      ])
      password = changed?.passwordChangedAt ?? 0
      expect(await accounts().listTokens({ limit: 10 })).toEqual([])
    })
  })

  it('touches against each other and against the end of what they touch', async () => {
    await accounts().addUser(user('alice'), false)
    const ids = numbers(20).map((number) => `t${number}`)
    await Promise.all(ids.map((id) => accounts().addToken(token(id, 'alice'))))
    const uses = ids.map((id) => ({ id, at: now + 1 }))
    await Promise.all([
      ...numbers(20).map((number) =>
        accounts().touchTokens(
          (number % 2 === 0 ? uses : uses.toReversed()).map(({ id, at }) => ({ id, at: at + number })),
        ),
      ),
      accounts().removeToken('t3'),
    ])
    const left = await accounts().listTokens({ limit: 100 })
    expect(left.map(({ id }) => id)).toEqual(ids.filter((id) => id !== 't3').toSorted())
    expect(new Set(left.map(({ lastUsedAt }) => lastUsedAt))).toEqual(new Set([now + 20]))
    await Promise.all([accounts().touchTokens(uses), accounts().removeUser('alice'), accounts().touchTokens(uses)])
    expect(await accounts().listTokens({ limit: 100 })).toEqual([])
  })
}
