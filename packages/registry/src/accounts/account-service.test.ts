import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createTestRegistry, sample, type TestRegistry } from '@stowage/testkit'
import bcrypt from 'bcryptjs'
import { describe, expect, it } from 'vitest'
import { memoryBlobs } from '../blobs/memory/memory-blobs.ts'
import { sqliteMetadata } from '../metadata/sqlite/sqlite-metadata.ts'
import type { RegistryOptions } from '../options.ts'
import type { Accounts } from './accounts.ts'

const open = async (options: Partial<RegistryOptions> = {}): Promise<TestRegistry & { accounts: Accounts }> => {
  const server = await createTestRegistry({ accounts: {}, ...options })
  const { accounts } = server.registry
  if (accounts === undefined) throw new Error('There are no accounts.')
  return { ...server, accounts }
}

const basic = (name: string, password: string): string => `Basic ${btoa(`${name}:${password}`)}`

const statusOf = async (url: string, authorization?: string): Promise<number> => {
  const answer = await fetch(url, authorization === undefined ? {} : { headers: { authorization } })
  await answer.arrayBuffer()
  return answer.status
}

interface Tokens {
  readonly token: string
  readonly refresh_token?: string
  readonly scope: string
}

const tokenFor = async (url: string, scope: string, authorization?: string, more = ''): Promise<Tokens> => {
  const answer = await fetch(`${url}/auth/token?service=stowage&scope=${scope}${more}`, {
    headers: authorization === undefined ? {} : { authorization },
  })
  if (answer.status !== 200) throw new Error(`The token endpoint answered ${answer.status}.`)
  return (await answer.json()) as Tokens
}

const refresh = async (url: string, token: string): Promise<number> =>
  (
    await fetch(`${url}/auth/token`, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'refresh_token',
        refresh_token: token,
        service: 'stowage',
        scope: 'repository:team/app:pull',
      }),
    })
  ).status

const team = { subject: { kind: 'user', name: 'ada' }, repositories: 'team/*', actions: ['pull', 'push'] } as const
const list = '/v2/team/app/tags/list'

describe('a registry with accounts of its own', () => {
  it('lets nobody in without credentials, and a user in with a password, by Basic and by Bearer', async () => {
    await using server = await open()
    await server.accounts.addUser({ name: 'ada', password: 'correct horse' })
    await server.accounts.addRule(team)
    const stranger = await fetch(`${server.url}/v2/`)
    expect([stranger.status, stranger.headers.get('www-authenticate')]).toEqual([
      401,
      `Bearer realm="${server.url}/auth/token",service="stowage",scope="registry:api:ping"`,
    ])
    expect(await statusOf(`${server.url}/v2/`, basic('ada', 'correct horse'))).toBe(200)
    expect(await statusOf(`${server.url}/v2/`, basic('ada', 'wrong horse'))).toBe(401)
    expect(await statusOf(`${server.url}/v2/`, basic('eve', 'correct horse'))).toBe(401)

    const { token, scope } = await tokenFor(
      server.url,
      'repository:team/app:pull,push,delete',
      basic('ada', 'correct horse'),
    )
    expect(scope).toBe('repository:team/app:pull,push')
    expect(await statusOf(`${server.url}/v2/`, `Bearer ${token}`)).toBe(200)
    expect(await statusOf(`${server.url}${list}`, `Bearer ${token}`)).toBe(404)
    const other = await fetch(`${server.url}/v2/team/b/tags/list`, { headers: { authorization: `Bearer ${token}` } })
    expect([other.status, other.headers.get('www-authenticate')]).toEqual([
      401,
      expect.stringContaining('scope="repository:team/b:pull",error="insufficient_scope"'),
    ])
    expect(await statusOf(`${server.url}/v2/other/tags/list`, `Bearer ${token}`)).toBe(403)
  })

  it.each<[string, (accounts: Accounts) => Promise<unknown>]>([
    ['the user is disabled', (accounts) => accounts.changeUser('ada', { disabled: true })],
    ['the user is removed', (accounts) => accounts.removeUser('ada')],
    [
      'the user is removed and another one gets the name',
      async (accounts) => {
        await accounts.removeUser('ada')
        await accounts.addUser({ name: 'ada', password: 'correct horse' })
        await accounts.addRule(team)
      },
    ],
    ['the password is changed', (accounts) => accounts.setPassword('ada', 'battery staple')],
    ['the keys are revoked', (accounts) => accounts.rotateKeys({ revoke: true })],
  ])('ends what was signed in as soon as %s', async (_what, change) => {
    await using server = await open()
    await server.accounts.addUser({ name: 'ada', password: 'correct horse' })
    await server.accounts.addRule(team)
    const { token, refresh_token: again = '' } = await tokenFor(
      server.url,
      'repository:team/app:pull',
      basic('ada', 'correct horse'),
      '&offline_token=true',
    )
    expect(await statusOf(`${server.url}${list}`, `Bearer ${token}`)).toBe(404)
    expect(await refresh(server.url, again)).toBe(200)
    await change(server.accounts)
    expect(await statusOf(`${server.url}${list}`, `Bearer ${token}`)).toBe(401)
    // Keys sign Bearer tokens only: who is still there gets a new one.
    expect(await refresh(server.url, again)).toBe(_what === 'the keys are revoked' ? 200 : 401)
  })

  it('takes a rule away at the next request, whatever the token says', async () => {
    await using server = await open()
    await server.accounts.addUser({ name: 'ada', password: 'correct horse' })
    const rule = await server.accounts.addRule(team)
    const { token } = await tokenFor(server.url, 'repository:team/app:pull', basic('ada', 'correct horse'))
    expect(await statusOf(`${server.url}${list}`, `Bearer ${token}`)).toBe(404)
    await server.accounts.removeRule(rule.id ?? 0)
    expect(await statusOf(`${server.url}${list}`, `Bearer ${token}`)).toBe(403)
  })

  it('takes a personal token for the password of its owner, within its permissions, until it ends', async () => {
    let now = Date.now()
    await using server = await open({ now: () => now })
    await server.accounts.addUser({ name: 'ada', password: 'correct horse' })
    await server.accounts.addUser({ name: 'eve', administrator: true })
    await server.accounts.addRule({ ...team, repositories: '*' })
    const { token, secret } = await server.accounts.addToken({
      user: 'ada',
      label: 'ci',
      permissions: [{ repositories: 'team/*', actions: ['pull'] }],
      expiresIn: 3600,
    })
    expect(await statusOf(`${server.url}${list}`, basic('ada', secret))).toBe(404)
    expect(await statusOf(`${server.url}/v2/other/tags/list`, basic('ada', secret))).toBe(403)
    // The right token under another name is nobody's.
    expect(await statusOf(`${server.url}${list}`, basic('eve', secret))).toBe(401)
    const { token: bearer, refresh_token: again = '' } = await tokenFor(
      server.url,
      'repository:team/app:pull,push',
      basic('ada', secret),
      '&offline_token=true',
    )
    expect(await statusOf(`${server.url}${list}`, `Bearer ${bearer}`)).toBe(404)
    await server.registry.sweep()
    expect((await server.accounts.listTokens())[0]).toMatchObject({ id: token.id, lastUsedAt: now })

    now += 3_600_000
    expect(await statusOf(`${server.url}${list}`, basic('ada', secret))).toBe(401)
    expect(await refresh(server.url, again)).toBe(401)
    now -= 3_600_000
    await server.accounts.removeToken(token.id)
    expect(await statusOf(`${server.url}${list}`, basic('ada', secret))).toBe(401)
    expect(await statusOf(`${server.url}${list}`, `Bearer ${bearer}`)).toBe(401)
    expect(await refresh(server.url, again)).toBe(401)
  })

  it('knows the users of an htpasswd file, until their line changes', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'stowage-accounts-'))
    const path = join(directory, 'htpasswd')
    await writeFile(
      path,
      `lin:${await bcrypt.hash('from the file', 4)}\nada:${await bcrypt.hash('from the file', 4)}\n`,
    )
    let now = Date.now()
    try {
      await using server = await open({ accounts: { htpasswd: path }, now: () => now })
      // A name that the registry has itself is not looked up in the file.
      await server.accounts.addUser({ name: 'ada', password: 'correct horse' })
      await server.accounts.addRule({
        subject: { kind: 'user', name: 'lin' },
        repositories: 'team/*',
        actions: ['pull'],
      })
      expect(await statusOf(`${server.url}/v2/`, basic('ada', 'from the file'))).toBe(401)
      const { token } = await tokenFor(server.url, 'repository:team/app:pull', basic('lin', 'from the file'))
      expect(await statusOf(`${server.url}${list}`, `Bearer ${token}`)).toBe(404)
      await writeFile(path, `lin:${await bcrypt.hash('changed in the file', 5)}\n`)
      now += 2000
      expect(await statusOf(`${server.url}${list}`, `Bearer ${token}`)).toBe(401)
      expect(await statusOf(`${server.url}${list}`, basic('lin', 'from the file'))).toBe(401)
      expect(await statusOf(`${server.url}${list}`, basic('lin', 'changed in the file'))).toBe(404)
    } finally {
      await rm(directory, { recursive: true })
    }
  })

  it('asks the host for credentials that it does not know, each time', async () => {
    let valid = true
    await using server = await open({
      accounts: {
        credentials: (name, password) =>
          valid && password === 'key-1' ? { kind: 'user', name: `customer-${name}`, groups: ['pro'] } : undefined,
      },
    })
    await server.accounts.addRule({
      subject: { kind: 'group', name: 'pro' },
      repositories: 'team/*',
      actions: ['pull'],
    })
    expect(await statusOf(`${server.url}${list}`, basic('acme', 'key-1'))).toBe(404)
    const { token } = await tokenFor(server.url, 'repository:team/app:pull', basic('acme', 'key-1'))
    expect(await statusOf(`${server.url}${list}`, `Bearer ${token}`)).toBe(404)
    valid = false
    expect(await statusOf(`${server.url}${list}`, basic('acme', 'key-1'))).toBe(401)
  })

  it('lets a token narrow what the host allows, too', async () => {
    const asked: string[] = []
    await using server = await open({
      access: {
        authorize: (principal, action, { repository = '' }) => {
          asked.push(`${principal.name} ${action} ${repository}`)
          return principal.kind === 'anonymous'
            ? { allow: false, login: 'required' }
            : { allow: repository !== 'closed' }
        },
        visible: () => ({ kind: 'all' }),
      },
    })
    await server.accounts.addUser({ name: 'ada', password: 'correct horse' })
    const { secret } = await server.accounts.addToken({
      user: 'ada',
      label: 'ci',
      permissions: [{ repositories: 'a/*', actions: ['pull', 'push'] }],
    })
    const push = async (repository: string, authorization: string): Promise<number> =>
      (await fetch(`${server.url}/v2/${repository}/blobs/uploads/`, { method: 'POST', headers: { authorization } }))
        .status
    expect(await push('a/x', basic('ada', 'correct horse'))).toBe(202)
    expect(await push('b/x', basic('ada', 'correct horse'))).toBe(202)
    expect(await push('closed', basic('ada', 'correct horse'))).toBe(403)
    expect(await push('a/x', basic('ada', secret))).toBe(202)
    expect(await push('b/x', basic('ada', secret))).toBe(403)

    // A Bearer token says what the host allows of what was asked, and is good for no more than that.
    const wanted = 'repository:a/x:pull,push,delete repository:b/x:pull repository:closed:pull'
    const { token, scope } = await tokenFor(server.url, wanted, basic('ada', secret))
    expect(scope).toBe('repository:a/x:pull,push')
    expect(asked).toContain('ada delete a/x')
    expect(await push('a/x', `Bearer ${token}`)).toBe(202)
    expect(await push('a/y', `Bearer ${token}`)).toBe(401)
    expect(await push('b/x', `Bearer ${token}`)).toBe(403)

    // So are lists, and the way in that a mount without a source would be.
    const bytes = Buffer.from('of b')
    const digest = sample.sha256(bytes)
    for (const repository of ['a/x', 'b/x']) {
      const url = `${server.url}/v2/${repository}/blobs/uploads/?digest=${digest}`
      const headers = { authorization: basic('ada', 'correct horse') }
      expect((await fetch(url, { method: 'POST', body: bytes, headers })).status).toBe(201)
    }
    const catalog = async (authorization: string): Promise<unknown> =>
      (await fetch(`${server.url}/v2/_catalog`, { headers: { authorization } })).json()
    expect(await catalog(basic('ada', 'correct horse'))).toEqual({ repositories: ['a/x', 'b/x'] })
    expect(await catalog(basic('ada', secret))).toEqual({ repositories: ['a/x'] })
    expect(await statusOf(`${server.url}/v2/_catalog`, `Bearer ${token}`)).toBe(401)
    const listing = await tokenFor(server.url, 'registry:catalog:*', basic('ada', secret))
    expect(await catalog(`Bearer ${listing.token}`)).toEqual({ repositories: ['a/x'] })
  })

  it('asks the host only about what is wanted, and gives nobody more than a few scopes', async () => {
    const asked: string[] = []
    await using server = await open({
      access: {
        authorize: (_principal, action, { repository = '' }) => {
          asked.push(`${action} ${repository}`)
          return { allow: true }
        },
      },
    })
    await tokenFor(server.url, 'repository:a:pull repository:b:push,nonsense repository:c:* registry:catalog:*')
    expect(asked).toEqual(['pull a', 'push b', 'pull c', 'push c', 'delete c'])
    const scopes = (count: number): string =>
      Array.from({ length: count }, (_, index) => `repository:r${index}:pull`).join(' ')
    expect((await tokenFor(server.url, scopes(20))).scope).toBe(scopes(20))
    const refused = await fetch(`${server.url}/auth/token?scope=${scopes(21)}`)
    expect([refused.status, await refused.text()]).toEqual([400, expect.stringContaining('at most 20 scopes')])
    await server.accounts.addUser({ name: 'ada', password: 'correct horse' })
    expect((await tokenFor(server.url, scopes(21), basic('ada', 'correct horse'))).scope).toBe(scopes(21))
  })

  it('lets a token that may not overwrite move no tag, although the host would', async () => {
    await using server = await open({ access: { authorize: () => ({ allow: true }) } })
    await server.accounts.addUser({ name: 'ada', password: 'correct horse' })
    const { secret } = await server.accounts.addToken({
      user: 'ada',
      label: 'create',
      permissions: [{ repositories: '*', actions: ['pull', 'push'] }],
    })
    const put = async (name: string, password: string): Promise<number> => {
      const authorization = basic('ada', password)
      const image = sample.image(name)
      for (const { digest, bytes } of [image.config, image.layer]) {
        const url = `${server.url}/v2/a/blobs/uploads/?digest=${digest}`
        await fetch(url, { method: 'POST', body: bytes, headers: { authorization } })
      }
      const headers = { authorization, 'content-type': image.mediaType }
      return (await fetch(`${server.url}/v2/a/manifests/v1`, { method: 'PUT', body: image.manifest, headers })).status
    }
    expect(await put('one', secret)).toBe(201)
    expect(await put('two', secret)).toBe(403)
    expect(await put('two', 'correct horse')).toBe(201)
  })

  it('makes a first administrator once, and no user by itself', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'stowage-accounts-'))
    const storage = join(directory, 'data')
    try {
      {
        await using server = await open({ storage })
        expect(await server.accounts.listUsers()).toEqual([])
      }
      for (const name of ['root', 'other']) {
        await using server = await open({
          storage,
          accounts: { firstAdministrator: { name, password: 'a long password' } },
        })
        expect(await server.accounts.listUsers()).toMatchObject([{ name: 'root', administrator: true }])
        expect(await statusOf(`${server.url}/v2/any/tags/list`, basic('root', 'a long password'))).toBe(404)
      }
      // A token survives a start: its key is in the store, sealed by the secret of the directory.
      expect(await readFile(join(storage, 'secret.key'), 'utf8')).toMatch(/^[0-9a-f]{64}\s*$/)
    } finally {
      await rm(directory, { recursive: true })
    }
  })

  it('gives out the same tokens after a start', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'stowage-accounts-'))
    try {
      let token = ''
      {
        await using server = await open({ storage: directory })
        await server.accounts.addUser({ name: 'ada', password: 'correct horse' })
        await server.accounts.addRule(team)
        ;({ token } = await tokenFor(server.url, 'repository:team/app:pull', basic('ada', 'correct horse')))
      }
      await using server = await open({ storage: directory })
      expect(await statusOf(`${server.url}${list}`, `Bearer ${token}`)).toBe(404)
    } finally {
      await rm(directory, { recursive: true })
    }
  })

  it('wants a secret where the stores are the host’s, and takes none that is weak', async () => {
    const metadata = await sqliteMetadata({ path: ':memory:' })
    const storage = { metadata, blobs: memoryBlobs() }
    await expect(open({ storage })).rejects.toThrow(/accounts\.secret must be given/)
    const again = { metadata: await sqliteMetadata({ path: ':memory:' }), blobs: memoryBlobs() }
    await expect(open({ storage: again, accounts: { secret: 'short' } })).rejects.toThrow(/secret/)
  })

  it.each([
    ['conditions that let everybody in', { conditions: {} }, 'issuers[0].conditions'],
    ['an issuer over plain http', { issuer: 'http://ci.example' }, 'issuers[0].issuer'],
    ['no permissions', { permissions: [] }, 'issuers[0].permissions'],
  ])('does not open with an issuer in its options that has %s', async (_what, wrong, field) => {
    const issuer = {
      name: 'ci',
      issuer: 'https://ci.example',
      audience: 'registry',
      conditions: { repository: 'org/*' },
      permissions: [{ repositories: 'org/*', actions: ['push'] as const }],
    }
    await expect(open({ accounts: { issuers: [{ ...issuer, ...wrong }] } })).rejects.toMatchObject({ field })
    await expect(open({ accounts: { issuers: [issuer, issuer] } })).rejects.toMatchObject({ code: 'exists' })
    await using server = await open({ accounts: { issuers: [issuer] } })
    expect(await server.accounts.listIssuers()).toEqual([issuer])
  })

  it('goes on signing with a new key, and takes what the old one signed', async () => {
    await using server = await open()
    await server.accounts.addUser({ name: 'ada', password: 'correct horse' })
    await server.accounts.addRule(team)
    const before = await tokenFor(server.url, 'repository:team/app:pull', basic('ada', 'correct horse'))
    await server.accounts.rotateKeys()
    const after = await tokenFor(server.url, 'repository:team/app:pull', basic('ada', 'correct horse'))
    for (const { token } of [before, after]) {
      expect(await statusOf(`${server.url}${list}`, `Bearer ${token}`)).toBe(404)
    }
    expect(await server.accounts.listKeys()).toMatchObject([{ current: true }, { current: false }])
  })

  it('explains what decides', async () => {
    await using server = await open({
      policies: { deletion: false, immutableTags: [{ repositories: '*', tags: 'v*' }] },
    })
    await server.accounts.addUser({ name: 'ada', password: 'correct horse' })
    await server.accounts.addUser({ name: 'root', administrator: true })
    await server.accounts.addRule(team)
    const { explain } = server.accounts
    expect(await explain({ name: 'ada', action: 'push', repository: 'team/app' })).toMatchObject({
      allowed: true,
      because: expect.stringMatching(/number 1, user:ada may pull, push in team\/\*/),
    })
    expect(await explain({ action: 'pull', repository: 'team/app' })).toMatchObject({ allowed: false })
    expect(await explain({ name: 'root', action: 'delete', repository: 'a' })).toMatchObject({
      policy: 'deletion-disabled',
    })
    expect(await explain({ name: 'root', action: 'overwrite', repository: 'a', tag: 'v1' })).toMatchObject({
      allowed: false,
      policy: 'immutable-tag',
    })
    await server.accounts.changeUser('root', { disabled: true })
    expect(await explain({ name: 'root', action: 'pull', repository: 'a' })).toEqual({
      allowed: false,
      decision: { allowed: false, because: 'disabled' },
      because: 'The user root is disabled.',
    })
    await expect(explain({ name: 'nobody', action: 'pull', repository: 'a' })).rejects.toMatchObject({
      code: 'unknown',
    })
    await expect(explain({ action: 'pull', repository: 'a*' })).rejects.toMatchObject({ field: 'repository' })
  })

  it('says what is there already, and what is not there', async () => {
    await using server = await open()
    const { accounts } = server
    await accounts.addUser({ name: 'ada', password: 'correct horse' })
    await accounts.addRule(team)
    await expect(accounts.addUser({ name: 'ada' })).rejects.toMatchObject({ code: 'exists', field: 'name' })
    await expect(accounts.addRule({ ...team, actions: ['push', 'pull'] })).rejects.toMatchObject({ code: 'exists' })
    await expect(accounts.setPassword('eve', 'correct horse')).rejects.toMatchObject({ code: 'unknown' })
    await expect(accounts.removeUser('eve')).rejects.toMatchObject({ code: 'unknown' })
    await expect(accounts.addToken({ user: 'eve', label: 'x' })).rejects.toMatchObject({ code: 'unknown' })
    await expect(accounts.removeToken('none')).rejects.toMatchObject({ code: 'unknown' })
    await expect(accounts.removeRule(99)).rejects.toMatchObject({ code: 'unknown' })
    await expect(accounts.removeIssuer('none')).rejects.toMatchObject({ code: 'unknown' })
  })
})
