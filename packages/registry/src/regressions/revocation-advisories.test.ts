import { doors } from '@stowage/testkit'
import { describe, expect, it } from 'vitest'
import { withAccounts, type WithAccounts } from '../testing/with-accounts.ts'

describe.each(doors)('advisories about what was taken away, through $name', (door) => {
  describe('T9, CVE-2025-23208: what was taken away is gone with the next request', () => {
    const everything = ['pull', 'push', 'overwrite', 'delete'] as const
    const withAnn = async (): Promise<
      { registry: WithAccounts; ways: () => Promise<Record<string, string>> } & AsyncDisposable
    > => {
      const registry = await withAccounts(door)
      const { accounts } = registry
      const login = await registry.user('ann', { groups: ['a', 'b'] })
      await accounts.addRule({ subject: { kind: 'group', name: 'a' }, repositories: 'a/*', actions: everything })
      await accounts.addRule({ subject: { kind: 'group', name: 'b' }, repositories: 'b/*', actions: everything })
      const token = await accounts.addToken({ user: 'ann', label: 'one' })
      const byToken = `Basic ${Buffer.from(`ann:${token.secret}`).toString('base64')}`
      const scopes = ['repository:a/x:pull,push', 'repository:b/x:pull,push']
      const ways = {
        password: login,
        'Bearer by password': await registry.bearer(login, ...scopes),
        token: byToken,
        'Bearer by token': await registry.bearer(byToken, ...scopes),
      }
      return {
        registry,
        ways: async () => ways,
        [Symbol.asyncDispose]: async () => registry[Symbol.asyncDispose](),
      }
    }
    const verdicts = async (registry: WithAccounts, ways: Record<string, string>, name: string): Promise<object> => {
      const found: Record<string, number> = {}
      for (const [way, authorization] of Object.entries(ways)) {
        found[way] = (await registry.as(authorization).send('POST', `/v2/${name}/blobs/uploads/`)).status
      }
      return found
    }
    const all = (status: number): object => ({
      password: status,
      'Bearer by password': status,
      token: status,
      'Bearer by token': status,
    })

    it('a group that somebody left, and came back to', async () => {
      await using ann = await withAnn()
      const { registry } = ann
      const ways = await ann.ways()
      expect(await verdicts(registry, ways, 'a/x')).toEqual(all(202))
      await registry.accounts.changeUser('ann', { groups: ['b'] })
      expect(await verdicts(registry, ways, 'a/x')).toEqual(all(403))
      expect(await verdicts(registry, ways, 'b/x')).toEqual(all(202))
      await registry.accounts.changeUser('ann', { groups: ['a'] })
      expect(await verdicts(registry, ways, 'a/x')).toEqual(all(202))
      expect(await verdicts(registry, ways, 'b/x')).toEqual(all(403))
    })

    it('a rule', async () => {
      await using ann = await withAnn()
      const { registry } = ann
      const ways = await ann.ways()
      expect(await verdicts(registry, ways, 'a/x')).toEqual(all(202))
      const [rule] = await registry.accounts.listRules()
      await registry.accounts.removeRule(rule?.id ?? 0)
      expect(await verdicts(registry, ways, 'a/x')).toEqual(all(403))
    })

    it('a user who was disabled, and enabled again', async () => {
      await using ann = await withAnn()
      const { registry } = ann
      const ways = await ann.ways()
      expect(await verdicts(registry, ways, 'a/x')).toEqual(all(202))
      await registry.accounts.changeUser('ann', { disabled: true })
      expect(await verdicts(registry, ways, 'a/x')).toEqual(all(401))
      await registry.accounts.changeUser('ann', { disabled: false })
      expect(await verdicts(registry, ways, 'a/x')).toEqual(all(202))
    })

    it('a user who was removed, also when there is another of that name', async () => {
      await using ann = await withAnn()
      const { registry } = ann
      const ways = await ann.ways()
      expect(await verdicts(registry, ways, 'a/x')).toEqual(all(202))
      await registry.accounts.removeUser('ann')
      expect(await verdicts(registry, ways, 'a/x')).toEqual(all(401))
      await registry.accounts.addUser({ name: 'ann', password: 'quite another password', groups: ['a'] })
      expect(await verdicts(registry, ways, 'a/x')).toEqual(all(401))
    })

    it('a password', async () => {
      await using ann = await withAnn()
      const { registry } = ann
      const ways = await ann.ways()
      expect(await verdicts(registry, ways, 'a/x')).toEqual(all(202))
      await registry.accounts.setPassword('ann', 'quite another password')
      const old = { password: 401, 'Bearer by password': 401 }
      expect(await verdicts(registry, ways, 'a/x')).toEqual({ ...all(202), ...old })
    })

    it('a token', async () => {
      await using ann = await withAnn()
      const { registry } = ann
      const ways = await ann.ways()
      expect(await verdicts(registry, ways, 'a/x')).toEqual(all(202))
      const [token] = await registry.accounts.listTokens()
      await registry.accounts.removeToken(token?.id ?? '')
      expect(await verdicts(registry, ways, 'a/x')).toEqual({ ...all(202), token: 401, 'Bearer by token': 401 })
    })

    it('a key', async () => {
      await using ann = await withAnn()
      const { registry } = ann
      const ways = await ann.ways()
      expect(await verdicts(registry, ways, 'a/x')).toEqual(all(202))
      await registry.accounts.rotateKeys()
      expect(await verdicts(registry, ways, 'a/x')).toEqual(all(202))
      await registry.accounts.rotateKeys({ revoke: true })
      const old = { 'Bearer by password': 401, 'Bearer by token': 401 }
      expect(await verdicts(registry, ways, 'a/x')).toEqual({ ...all(202), ...old })
    })
  })
})
