import { expect, it } from 'vitest'
import { growth, issuer, rule, signingKey } from './accounts-samples.ts'
import { now, type StoreUnderTest } from './samples.ts'

export const describeRules = (store: StoreUnderTest): void => {
  const accounts = () => store().accounts

  it('are kept as they were said, in the order in which they came', async () => {
    const rules = [
      rule({ kind: 'user', name: 'zoe' }, 'team/*', 'pull', 'push', 'overwrite'),
      rule({ kind: 'anonymous' }, 'public/*', 'pull'),
      rule({ kind: 'group', name: 'zoe' }, '*', 'administer'),
      rule({ kind: 'authenticated' }, '*', 'pull', 'delete'),
    ]
    const added = []
    for (const wanted of rules) added.push(await accounts().addRule(wanted))
    expect(added).toMatchObject(rules)
    expect(await accounts().listRules()).toEqual(added)
  })

  it('are there once: the same whatever the order of their actions', async () => {
    await accounts().addRule(rule({ kind: 'anonymous' }, 'a', 'pull', 'push'))
    const same = rule({ kind: 'anonymous' }, 'a', 'push', 'pull', 'push')
    expect(await growth(store(), async () => expect(await accounts().addRule(same)).toBe(false))).toBe(0)
    const others = [
      rule({ kind: 'authenticated' }, 'a', 'pull', 'push'),
      rule({ kind: 'anonymous' }, 'b', 'pull', 'push'),
      rule({ kind: 'anonymous' }, 'a', 'pull'),
      rule({ kind: 'user', name: 'a' }, 'a', 'pull', 'push'),
      rule({ kind: 'group', name: 'a' }, 'a', 'pull', 'push'),
    ]
    for (const other of others) expect(await accounts().addRule(other)).toMatchObject(other)
    expect(await accounts().listRules()).toHaveLength(6)
  })

  it('say their actions in one order', async () => {
    const added = await accounts().addRule(rule({ kind: 'anonymous' }, 'a', 'delete', 'pull'))
    expect(added).toMatchObject({ actions: ['pull', 'delete'] })
    expect(await accounts().listRules()).toEqual([added])
  })

  it('go by a number that no later one gets', async () => {
    const add = async (repositories: string) => {
      const added = await accounts().addRule(rule({ kind: 'anonymous' }, repositories, 'pull'))
      return added === false ? Number.NaN : added.id
    }
    const [first, second] = [await add('a'), await add('b')]
    expect(second).toBeGreaterThan(first)
    expect(await accounts().removeRule(second)).toBe(true)
    expect(await accounts().removeRule(second)).toBe(false)
    expect(await accounts().removeRule(second + 1000)).toBe(false)
    expect(await add('b')).toBeGreaterThan(second)
    expect((await accounts().listRules()).map(({ id }) => id)).not.toContain(second)
  })
}

export const describeIssuers = (store: StoreUnderTest): void => {
  const accounts = () => store().accounts

  it('are kept with all that is said of them, by name', async () => {
    const plain = issuer('b')
    const rich = issuer('a', {
      issuer: plain.issuer,
      jwksUri: 'https://a.example/keys',
      conditions: { repository: 'team/*', ['__proto__']: 'a claim like any other', 'ä "': '*' },
      permissions: [],
    })
    expect(await accounts().addIssuer(plain)).toBe(true)
    expect(await accounts().addIssuer(rich)).toBe(true)
    expect(await accounts().listIssuers()).toEqual([rich, plain])
  })

  it('have names of their own, and go by them', async () => {
    await accounts().addIssuer(issuer('a'))
    const second = issuer('a', { id: 'another id', audience: 'other' })
    expect(await growth(store(), async () => expect(await accounts().addIssuer(second)).toBe(false))).toBe(0)
    expect(await accounts().listIssuers()).toEqual([issuer('a')])
    expect(await accounts().removeIssuer('A')).toBe(false)
    expect(await accounts().removeIssuer('a')).toBe(true)
    expect(await accounts().removeIssuer('a')).toBe(false)
    expect(await accounts().addIssuer(second)).toBe(true)
    expect(await accounts().listIssuers()).toEqual([second])
  })
}

export const describeSigningKeys = (store: StoreUnderTest): void => {
  const accounts = () => store().accounts

  it('are listed newest first', async () => {
    const [one, two] = [signingKey('b'), signingKey('a', { algorithm: 'ES256', createdAt: now + 5 })]
    expect(await accounts().addSigningKey(one, null)).toBe(true)
    expect(await accounts().addSigningKey(two, 'b')).toBe(true)
    expect(await accounts().listSigningKeys()).toEqual([two, one])
  })

  it('are added only where the newest is the one that was seen', async () => {
    const refused = async (ifNewestIs: string | null) => {
      const add = async () => expect(await accounts().addSigningKey(signingKey('x'), ifNewestIs)).toBe(false)
      expect(await growth(store(), add)).toBe(0)
    }
    await refused('a')
    await accounts().addSigningKey(signingKey('a'), null)
    await refused(null)
    await refused('b')
    await accounts().addSigningKey(signingKey('b', { createdAt: now + 1 }), 'a')
    await refused('a')
    expect((await accounts().listSigningKeys()).map(({ id }) => id)).toEqual(['b', 'a'])
  })

  it('are the newest when they come last, whatever the clock of who makes them says', async () => {
    await accounts().addSigningKey(signingKey('b', { createdAt: now + 9 }), null)
    expect(await accounts().addSigningKey(signingKey('a', { createdAt: now }), 'b')).toBe(true)
    expect(await accounts().addSigningKey(signingKey('c', { createdAt: now }), 'a')).toBe(true)
    const keys = await accounts().listSigningKeys()
    expect(keys.map(({ id, createdAt }) => [id, createdAt - now])).toEqual([
      ['c', 11],
      ['a', 10],
      ['b', 9],
    ])
  })

  it('go', async () => {
    await accounts().addSigningKey(signingKey('a'), null)
    expect(await accounts().removeSigningKey('b')).toBe(false)
    expect(await accounts().removeSigningKey('a')).toBe(true)
    expect(await accounts().removeSigningKey('a')).toBe(false)
    expect(await accounts().addSigningKey(signingKey('b'), null)).toBe(true)
  })
}
