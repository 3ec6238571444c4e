import { expect, it } from 'vitest'
import { growth, issuer, rule, signingKey, token, user } from './accounts-samples.ts'
import { now, type StoreUnderTest, tagged } from './samples.ts'

export const describeAccessVersion = (store: StoreUnderTest): void => {
  const accounts = () => store().accounts

  it('grows with each change that could change a verdict', async () => {
    let ruleId = 0
    const changes: Record<string, () => Promise<unknown>> = {
      addUser: () => accounts().addUser(user('alice'), false),
      addFirstUser: async () => {
        await accounts().removeUser('alice')
        return accounts().addUser(user('alice'), true)
      },
      disable: () => accounts().changeUser('alice', { disabledAt: now }),
      enable: () => accounts().changeUser('alice', { disabledAt: null }),
      password: () => accounts().changeUser('alice', { passwordHash: 'x', passwordChangedAt: now + 1 }),
      groups: () => accounts().changeUser('alice', { groups: ['a'] }),
      addToken: () => accounts().addToken(token('personal', 'alice')),
      removeToken: () => accounts().removeToken('personal'),
      addRule: async () => {
        const added = await accounts().addRule(rule({ kind: 'anonymous' }, '*', 'pull'))
        if (added !== false) ruleId = added.id
      },
      removeRule: () => accounts().removeRule(ruleId),
      addIssuer: () => accounts().addIssuer(issuer('a')),
      removeIssuer: () => accounts().removeIssuer('a'),
      addSigningKey: () => accounts().addSigningKey(signingKey('a'), null),
      removeSigningKey: () => accounts().removeSigningKey('a'),
      removeUser: () => accounts().removeUser('alice'),
    }
    for (const [name, change] of Object.entries(changes)) {
      expect(await growth(store(), change), name).toBeGreaterThan(0)
    }
  })

  it('stays where nothing could', async () => {
    await accounts().addUser(user('alice'), false)
    const others: Record<string, () => Promise<unknown>> = {
      addRefreshToken: () => accounts().addToken(token('t', 'alice', { kind: 'refresh' })),
      // Whoever looks at a token looks at its end.
      removeExpiredTokens: async () => {
        await accounts().addToken(token('ended', 'alice', { kind: 'refresh', expiresAt: now }))
        expect(await accounts().removeExpiredTokens(now + 1)).toBe(1)
      },
      touchTokens: () => accounts().touchTokens([{ id: 't', at: now }]),
      reads: () => Promise.all([accounts().findUser('alice'), accounts().listTokens({ limit: 1 })]),
      push: () => tagged(store(), 'a', ['x']),
      changeNobody: () => accounts().changeUser('bob', { administrator: true }),
      removeNothing: () =>
        Promise.all([
          accounts().removeUser('bob'),
          accounts().removeToken('x'),
          accounts().removeRule(1),
          accounts().removeIssuer('x'),
          accounts().removeSigningKey('x'),
        ]),
    }
    for (const [name, work] of Object.entries(others)) expect(await growth(store(), work), name).toBe(0)
  })
}
