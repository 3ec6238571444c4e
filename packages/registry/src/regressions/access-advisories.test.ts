import { type Answer, doors, type OpenDoor, sample } from '@stowage/testkit'
import { describe, expect, it } from 'vitest'
import { basic, passwordOf, withAccounts, type WithAccounts } from '../testing/with-accounts.ts'

const { sha256 } = sample
const bytes = (text: string): Uint8Array => Buffer.from(text)
const image = sample.image('advised')
const other = sample.image('another')

const errorOf = (answer: Answer): [number, string | undefined] => [
  answer.status,
  (answer.json() as { errors: { code: string }[] }).errors[0]?.code,
]

const put = async (who: Pick<OpenDoor, 'send'>, target: string, pushed = image): Promise<Answer> =>
  who.send('PUT', target, { body: pushed.manifest, headers: { 'content-type': pushed.mediaType } })

const everything = ['pull', 'push', 'overwrite', 'delete'] as const

/** `ann` has everything in `a/*`, `bob` in `b/*`. */
const tenants = async (registry: WithAccounts): Promise<{ ann: string; bob: string }> => {
  const rule = (name: string, repositories: string): Promise<unknown> =>
    registry.accounts.addRule({ subject: { kind: 'user', name }, repositories, actions: everything })
  const ann = await registry.user('ann')
  const bob = await registry.user('bob')
  await rule('ann', 'a/*')
  await rule('bob', 'b/*')
  return { ann, bob }
}

/** What other registries were caught at, where the registry's own accounts decide. */
describe.each(doors)('advisories about access, with accounts, through $name', (door) => {
  it('T8, CVE-2024-39897: no blob comes out of a repository that may not be pulled', async () => {
    await using registry = await withAccounts(door)
    const { ann, bob } = await tenants(registry)
    const hidden = await sample.pushBlob(registry.as(ann), 'a/theirs', image.layer.bytes)
    await sample.pushBlob(registry.as(bob), 'b/mine', image.config.bytes)
    const nowhere = sha256(bytes('nowhere at all'))
    const scopes = ['b/mine', 'a/theirs', 'a/unknown'].map((name) => `repository:${name}:pull,push,delete`)
    for (const authorization of [bob, await registry.bearer(bob, ...scopes)]) {
      const user = registry.as(authorization)
      const attempts = async (digest: string): Promise<unknown[]> => {
        const answers = [
          await user.send('HEAD', `/v2/b/mine/blobs/${digest}`),
          await user.send('GET', `/v2/b/mine/blobs/${digest}`),
          await user.send('GET', `/v2/b/mine/blobs/${digest}`, { headers: { range: 'bytes=0-0' } }),
          await user.send('GET', `/v2/b/mine/blobs/${digest}`, { headers: { 'if-none-match': `"${digest}"` } }),
          await user.send('DELETE', `/v2/b/mine/blobs/${digest}`),
          await user.send('POST', `/v2/b/mine/blobs/uploads/?mount=${digest}&from=a/theirs`),
          await user.send('POST', `/v2/b/mine/blobs/uploads/?mount=${digest}&from=b/mine`),
          await user.send('POST', `/v2/b/mine/blobs/uploads/?mount=${digest}&from=a/unknown`),
          await user.send('POST', `/v2/b/mine/blobs/uploads/?mount=${digest}`),
        ]
        // All that may differ is what the client said itself, and the ids of uploads.
        return answers.map((answer) => [
          answer.status,
          answer.text().replaceAll(digest, ''),
          answer.header('content-length')?.length,
          answer.header('docker-content-digest'),
        ])
      }
      const seen = await attempts(hidden)
      expect(seen.map((each) => (each as number[])[0])).toEqual([404, 404, 404, 404, 404, 202, 202, 202, 202])
      expect(await attempts(nowhere)).toEqual(seen)
      expect(errorOf(await put(user, '/v2/b/mine/manifests/x'))).toEqual([400, 'MANIFEST_BLOB_UNKNOWN'])
      expect((await user.send('GET', `/v2/b/mine/blobs/${hidden}`)).status).toBe(404)
      expect((await user.send('GET', `/v2/a/theirs/blobs/${hidden}`)).status).toBe(403)
    }
    // And what may be pulled may be mounted, so that all this was not for want of trying.
    await registry.accounts.addRule({
      subject: { kind: 'user', name: 'bob' },
      repositories: 'a/theirs',
      actions: ['pull'],
    })
    expect((await registry.as(bob).send('POST', `/v2/b/mine/blobs/uploads/?mount=${hidden}`)).status).toBe(201)
  })

  it('T11, CVE-2026-31801: who may only create tags moves none, by no way and in no race', async () => {
    await using registry = await withAccounts(door, { manifests: { allowMissingBlobs: true } })
    const login = await registry.user('creator')
    await registry.accounts.addRule({
      subject: { kind: 'user', name: 'creator' },
      repositories: 'a',
      actions: ['pull', 'push'],
    })
    for (const authorization of [login, await registry.bearer(login, 'repository:a:pull,push,delete,*')]) {
      const creator = registry.as(authorization)
      for (const tag of ['latest', 'v1', 'LATEST']) {
        expect((await put(creator, `/v2/a/manifests/${tag}`)).status).toBe(201)
        expect(errorOf(await put(creator, `/v2/a/manifests/${tag}`, other))).toEqual([403, 'DENIED'])
        const byDigest = `/v2/a/manifests/${other.digest}?tag=new&tag=${tag}`
        expect(errorOf(await put(creator, byDigest, other))).toEqual([403, 'DENIED'])
      }
      expect((await creator.send('GET', '/v2/a/tags/list')).json()).toEqual({
        name: 'a',
        tags: ['LATEST', 'latest', 'v1'],
      })
      expect((await creator.send('GET', `/v2/a/manifests/${other.digest}`)).status).toBe(404)
    }
    const creator = registry.as(login)
    for (let round = 0; round < 10; round++) {
      const rivals = [sample.image('first'), sample.image('second'), sample.image('third')].map(async (rival, at) => {
        const reference = at === 1 ? `${rival.digest}?tag=race${round}` : `race${round}`
        return { digest: rival.digest, status: (await put(creator, `/v2/a/manifests/${reference}`, rival)).status }
      })
      const results = await Promise.all(rivals)
      expect(results.map(({ status }) => status).toSorted()).toEqual([201, 403, 403])
      const tagged = await creator.send('HEAD', `/v2/a/manifests/race${round}`)
      expect(tagged.header('docker-content-digest')).toBe(results.find(({ status }) => status === 201)?.digest)
    }
  })

  it('T12, CVE-2026-27771: what is private is private on every route, and looks like what does not exist', async () => {
    await using registry = await withAccounts(door)
    const { ann } = await tenants(registry)
    await sample.pushImage(registry.as(ann), 'a/private', 'latest', image)
    const upload = (await registry.as(ann).send('POST', '/v2/a/private/blobs/uploads/')).header('location') ?? ''
    const id = upload.slice(upload.lastIndexOf('/') + 1)
    const routes = (name: string): [string, string][] => [
      ['GET', `/v2/${name}/tags/list`],
      ...['latest', 'none', image.digest].flatMap((reference): [string, string][] =>
        ['GET', 'HEAD', 'PUT', 'DELETE'].map((method) => [method, `/v2/${name}/manifests/${reference}`]),
      ),
      ...['GET', 'HEAD', 'DELETE'].map((method): [string, string] => [
        method,
        `/v2/${name}/blobs/${image.layer.digest}`,
      ]),
      ['GET', `/v2/${name}/referrers/${image.digest}`],
      ['POST', `/v2/${name}/blobs/uploads/`],
      ['POST', `/v2/${name}/blobs/uploads/?digest=${image.layer.digest}`],
      ['POST', `/v2/${name}/blobs/uploads/?mount=${image.layer.digest}&from=${name}`],
      ...['GET', 'PATCH', 'PUT', 'DELETE'].map((method): [string, string] => [
        method,
        `/v2/${name}/blobs/uploads/${id}`,
      ]),
    ]
    const ask = async (name: string, authorization?: string): Promise<unknown[]> => {
      const verdicts: unknown[] = []
      for (const [method, target] of routes(name)) {
        const answer = await registry.as(authorization).send(method, target)
        expect(answer.text()).not.toMatch(/private|absent|sha256|latest|[0-9a-f]{8}-/)
        const headers = ['content-length', 'docker-content-digest', 'location', 'range', 'etag'].map(answer.header)
        // The challenge repeats the name that the client asked for, and no other.
        const challenge = answer.header('www-authenticate')?.replace(`repository:${name}:`, 'repository:')
        verdicts.push([method, answer.status, answer.text(), challenge, ...headers])
      }
      return verdicts
    }
    const strangers: [number, string | undefined][] = [
      [401, undefined],
      [401, await registry.bearer(undefined, 'repository:a/private:pull,push,delete')],
      [403, basic('bob', passwordOf('bob'))],
      [403, await registry.bearer(basic('bob', passwordOf('bob')), 'repository:a/private:pull,push,delete')],
    ]
    for (const [status, authorization] of strangers) {
      const verdicts = await ask('a/private', authorization)
      expect(new Set(verdicts.map((verdict) => (verdict as unknown[])[1]))).toEqual(new Set([status]))
      expect(await ask('a/absent', authorization)).toEqual(verdicts)
    }
    const anonymous = await registry.bearer(undefined, 'registry:catalog:*')
    expect((await registry.as(anonymous).send('GET', '/v2/_catalog')).json()).toEqual({ repositories: [] })
    expect((await registry.as(ann).send('GET', '/v2/a/private/manifests/latest')).status).toBe(200)
    expect((await registry.as(ann).send('GET', upload)).status).toBe(204)
  })

  it('T15, CVE-2026-32589: the id of an upload opens nothing', async () => {
    await using registry = await withAccounts(door)
    const rule = (name: string, repositories: string): Promise<unknown> =>
      registry.accounts.addRule({ subject: { kind: 'user', name }, repositories, actions: ['pull', 'push'] })
    const [ann, bob, cy] = [await registry.user('ann'), await registry.user('bob'), await registry.user('cy')]
    await rule('ann', 'a')
    await rule('bob', 'b')
    await rule('cy', '*')
    const boss = await registry.user('boss', { administrator: true })
    const scopes = ['repository:a:pull,push', 'repository:b:pull,push']
    const location = (await registry.as(ann).send('POST', '/v2/a/blobs/uploads/')).header('location') ?? ''
    await registry.as(ann).send('PATCH', location, { body: 'mine' })
    const elsewhere = location.replace('/v2/a/', '/v2/b/')
    for (const [who, user, path, status] of [
      ['bob', bob, elsewhere, 404],
      ['bob', bob, location, 403],
      ['bob', await registry.bearer(bob, ...scopes), elsewhere, 404],
      ['bob', await registry.bearer(bob, ...scopes), location, 403],
      ['cy', cy, elsewhere, 404],
      // Another who may push here, were it an administrator: it is not his upload either.
      ['cy', cy, location, 404],
      ['cy', await registry.bearer(cy, ...scopes), location, 404],
      ['boss', boss, location, 404],
      ['ann', ann, elsewhere, 403],
      ['nobody', undefined, location, 401],
      ['nobody', 'Bearer nonsense', location, 401],
    ] as const) {
      for (const method of ['GET', 'HEAD', 'PATCH', 'PUT', 'DELETE']) {
        const query = method === 'PUT' ? `?digest=${sha256(bytes('mine'))}` : ''
        const answer = await registry.as(user).send(method, path + query)
        expect([who, method, answer.status, answer.header('range')]).toEqual([who, method, status, null])
      }
    }
    // By whatever token of hers: it is she who began it.
    const hers = await registry.bearer(ann, ...scopes)
    expect((await registry.as(hers).send('GET', location)).header('range')).toBe('0-3')
    const closed = await registry.as(hers).send('PUT', `${location}?digest=${sha256(bytes('mine'))}`)
    expect(closed.status).toBe(201)
  })

  it('T13, CVE-2025-68944: the same credential is worth the same however it is shown', async () => {
    await using registry = await withAccounts(door)
    const { ann } = await tenants(registry)
    await sample.pushImage(registry.as(ann), 'a/app', 'latest', image)
    await registry.accounts.addRule({ subject: { kind: 'anonymous' }, repositories: 'public', actions: ['pull'] })
    const narrow = await registry.accounts.addToken({
      user: 'ann',
      label: 'narrow',
      permissions: [{ repositories: 'a/*', actions: ['pull'] }],
    })
    const requests: [string, string][] = []
    for (const name of ['a/app', 'a/absent', 'b/app', 'public']) {
      for (const reference of ['latest', image.digest]) {
        for (const method of ['GET', 'HEAD', 'DELETE']) requests.push([method, `/v2/${name}/manifests/${reference}`])
      }
      for (const method of ['GET', 'HEAD', 'DELETE']) {
        requests.push([method, `/v2/${name}/blobs/${image.layer.digest}`])
      }
      requests.push(['GET', `/v2/${name}/tags/list`], ['GET', `/v2/${name}/referrers/${image.digest}`])
      requests.push(['POST', `/v2/${name}/blobs/uploads/`], ['PUT', `/v2/${name}/manifests/new`])
    }
    requests.push(['GET', '/v2/'], ['GET', '/v2/_catalog'])
    const verdicts = async (authorization: (name: string) => Promise<string>): Promise<unknown[]> => {
      const found: unknown[] = []
      for (const [method, target] of requests) {
        // Only what refuses is sent twice: what is deleted is not there for the second.
        const name = /^\/v2\/(.+)\/(?:manifests|blobs|tags|referrers)\//.exec(target)?.[1] ?? ''
        const answer = await registry.as(await authorization(name)).send(method, target)
        found.push([method, target, answer.status, /"code":"[A-Z_]+"/.exec(answer.text())?.[0]])
      }
      return found
    }
    const login = basic('ann', narrow.secret)
    const byBasic = await verdicts(async () => login)
    const byBearer = await verdicts(async (name) =>
      registry.bearer(login, 'registry:catalog:*', `repository:${name}:pull,push,delete,*`),
    )
    expect(byBearer).toEqual(byBasic)
    expect(new Set(byBasic.map((each) => (each as unknown[])[2]))).toEqual(new Set([200, 403, 404]))
    // No other way to show one is known: none of these is more than nothing at all.
    const { secret } = narrow
    const jwt = (await registry.bearer(login, 'repository:a/app:pull')).slice('Bearer '.length)
    for (const headers of [
      { cookie: `token=${jwt}; authorization=${secret}; session=ann` },
      { 'x-api-key': secret, 'x-auth-token': jwt, 'private-token': secret, 'x-registry-auth': secret },
      { 'x-remote-user': 'ann', 'x-forwarded-user': 'ann', 'x-webauth-user': 'ann', 'remote-user': 'ann' },
      { 'proxy-authorization': login },
    ]) {
      expect((await registry.door.send('GET', '/v2/a/app/manifests/latest', { headers })).status).toBe(401)
    }
    for (const query of [`access_token=${jwt}`, `token=${jwt}`, `private_token=${secret}`, 'user=ann', 'account=ann']) {
      expect((await registry.door.send('GET', `/v2/a/app/manifests/latest?${query}`)).status).toBe(401)
    }
  })
})
