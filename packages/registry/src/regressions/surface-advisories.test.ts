import { type Answer, doors, sample } from '@stowage/testkit'
import { describe, expect, it } from 'vitest'
import { routeTemplates } from '../http/route.ts'
import { basic, passwordOf, withAccounts } from '../testing/with-accounts.ts'

const image = sample.image('shown')
const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const
const form = { 'content-type': 'application/x-www-form-urlencoded' }

const bodyOf = (parameters: Record<string, string>): string => new URLSearchParams(parameters).toString()

/** What other programs with a door to the Web were caught at. */
describe.each(doors)('advisories about what can be asked, through $name', (door) => {
  it('T17, CVE-2019-16097: nobody makes themselves more than they are with a field of a request', async () => {
    await using registry = await withAccounts(door)
    const login = await registry.user('ann')
    const more = {
      administrator: 'true',
      admin: 'true',
      sysadmin_flag: 'true',
      role: 'administrator',
      groups: 'administrators',
      sub: 'boss',
      name: 'boss',
      uid: '1',
      stw: '{"kind":"host","administrator":true}',
      access: '[{"type":"repository","name":"a","actions":["*"]}]',
      permissions: '[{"repositories":"*","actions":["administer"]}]',
      expires_in: '999999999',
    }
    const scope = 'repository:a:pull,push,delete,*'
    const ask = { grant_type: 'password', username: 'ann', password: passwordOf('ann'), scope, client_id: 'x' }
    const answers: Answer[] = [
      await registry.as().send('POST', '/auth/token', { headers: form, body: bodyOf({ ...ask, ...more }) }),
      await registry.as(login).send('GET', `/auth/token?${bodyOf({ scope, ...more })}`),
    ]
    for (const answer of answers) {
      expect(answer.status).toBe(200)
      const {
        token,
        scope: granted,
        expires_in: life,
      } = answer.json() as { token: string; scope: string; expires_in: number }
      expect([granted, life]).toEqual(['', 600])
      const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as object
      expect(claims).toMatchObject({ sub: 'ann', access: [], stw: { kind: 'user' } })
      expect(JSON.stringify(claims)).not.toMatch(/administrator|groups|boss/)
      expect((await registry.as(`Bearer ${token}`).send('GET', '/v2/a/tags/list')).status).toBe(403)
    }
    // A body in another form is not read at all.
    for (const type of ['application/json', 'text/plain', 'multipart/form-data; boundary=x']) {
      const answer = await registry.as().send('POST', '/auth/token', {
        headers: { 'content-type': type },
        body: JSON.stringify({ ...ask, ...more }),
      })
      expect([type, answer.status >= 400 && answer.status < 500]).toEqual([type, true])
    }
    // Nor does a program that hands over what somebody sent it.
    const { administrator: _, groups: __, name: ___, ...extra } = more
    const given = { ...extra, name: 'bob', password: 'the password of bob', id: 'x', passwordHash: 'y', createdAt: 0 }
    const bob = await registry.accounts.addUser(given)
    expect(bob).toMatchObject({ name: 'bob', administrator: false, groups: [] })
    await registry.accounts.changeUser('bob', { ...({ name: 'boss', id: 'z', role: 'administrator' } as object) })
    expect((await registry.accounts.listUsers()).map(({ name, administrator }) => [name, administrator])).toEqual([
      ['ann', false],
      ['bob', false],
    ])
  })

  it('T19, CVE-2019-19026: no word of a client is read as SQL', async () => {
    await using registry = await withAccounts(door)
    const boss = await registry.user('boss', { administrator: true })
    const send = registry.as(boss)
    await sample.pushImage(send, 'a', 'latest', image)
    const before = await registry.metadata.statistics()
    const words = [
      "'",
      '"',
      "''",
      '`',
      ';',
      '--',
      "' or '1'='1",
      "' or 1=1 --",
      '" or ""="',
      "'; drop table users; --",
      "'); delete from tags; --",
      "' union select name, password_hash from users --",
      "a' and sleep(5) --",
      "a' and pg_sleep(5) --",
      "1; attach database '/tmp/x' as x",
      '%',
      '_',
      '%27%20or%201=1',
      '\\',
      "\\' or 1=1 --",
      '?1',
      ':name',
      '$1',
      '0x27',
      '(select password_hash from users limit 1)',
      'order by 99',
      '1e400',
      '\u2019 or 1=1',
      'x'.repeat(3000),
    ]
    for (const word of words) {
      const encoded = encodeURIComponent(word)
      const requests: [string, string][] = [
        ['GET', `/v2/_catalog?last=${encoded}`],
        ['GET', `/v2/_catalog?n=${encoded}`],
        ['GET', `/v2/_catalog?sort=${encoded}&order=${encoded}&q=${encoded}`],
        ['GET', `/v2/a/tags/list?last=${encoded}`],
        ['GET', `/v2/a/tags/list?n=${encoded}`],
        ['GET', `/v2/a/referrers/${image.digest}?artifactType=${encoded}`],
        ['GET', `/v2/a/referrers/${image.digest}?last=${encoded}`],
        ['GET', `/v2/a/manifests/${encoded}`],
        ['GET', `/v2/${encoded}/tags/list`],
        ['POST', `/v2/a/blobs/uploads/?mount=${image.digest}&from=${encoded}`],
        ['POST', `/v2/a/blobs/uploads/?digest=${encoded}`],
        ['GET', `/v2/a/blobs/uploads/${encoded}`],
        ['PUT', `/v2/a/manifests/${image.digest}?tag=${encoded}`],
        ['GET', `/auth/token?scope=${encoded}`],
        ['GET', `/auth/token?scope=repository:${encoded}:pull`],
        ['GET', `/auth/token?service=${encoded}`],
        ['GET', `/auth/token?account=${encoded}&client_id=${encoded}`],
      ]
      for (const [method, target] of requests) {
        const answer = await send.send(method, target)
        expect([method, target, answer.status < 500]).toEqual([method, target, true])
        // Without what the client said itself.
        expect(answer.text().replaceAll(JSON.stringify(word).slice(1, -1), '')).not.toMatch(
          /argon2|password_hash|SQLITE|syntax error|no such (?:table|column)/i,
        )
      }
      for (const grant of [
        { grant_type: 'password', username: word, password: word },
        { grant_type: 'refresh_token', refresh_token: word },
        { grant_type: word },
      ]) {
        const answer = await registry.as().send('POST', '/auth/token', { headers: form, body: bodyOf(grant) })
        expect([JSON.stringify(grant).slice(0, 80), answer.status < 500]).toEqual([
          JSON.stringify(grant).slice(0, 80),
          true,
        ])
      }
      expect((await registry.as(basic(word, word)).send('GET', '/v2/')).status).toBeLessThan(500)
    }
    expect(await registry.metadata.statistics()).toMatchObject({ ...before, uploads: expect.any(Number) as number })
    expect((await registry.accounts.listUsers()).map(({ name }) => name)).toEqual(['boss'])
  })

  it('T20, CVE-2025-30086: nothing is filtered or sorted by what a list does not show', async () => {
    await using registry = await withAccounts(door)
    const boss = await registry.user('boss', { administrator: true })
    const send = registry.as(boss)
    await sample.pushImage(send, 'a', 'one', image)
    await sample.pushImage(send, 'b', 'two', image)
    for (const path of ['/v2/_catalog', '/v2/a/tags/list', `/v2/a/referrers/${image.digest}`]) {
      const plain = await send.send('GET', path)
      for (const query of [
        'q=password=~$argon2',
        'q=name=~b',
        'filter=passwordHash eq x',
        'filter[password_hash]=x',
        'where=pushed_by%3Dboss',
        'sort=-pushed_by',
        'order_by=password_hash',
        'fields=password_hash,secret_hash',
        'include=users,tokens',
        'expand=owner',
        'actor=boss',
        '$filter=x',
      ]) {
        const answer = await send.send('GET', `${path}?${query.replaceAll(' ', '%20')}`)
        expect([query, answer.status, answer.text()]).toEqual([query, 200, plain.text()])
      }
    }
  })

  it('T21, CVE-2019-19025: no page of another origin writes with the rights of its visitor', async () => {
    await using registry = await withAccounts(door)
    const boss = await registry.user('boss', { administrator: true })
    await sample.pushImage(registry.as(boss), 'a', 'latest', image)
    const state = async (): Promise<unknown> => [
      (await registry.as(boss).send('GET', '/v2/a/tags/list')).json(),
      await registry.metadata.statistics(),
    ]
    const before = await state()
    const requests: [string, string, object][] = [
      ['POST', '/v2/a/blobs/uploads/', {}],
      ['POST', `/v2/a/blobs/uploads/?digest=${sample.sha256(Buffer.from('x'))}`, { body: 'x' }],
      ['PUT', '/v2/a/manifests/new', { body: image.manifest }],
      ['DELETE', '/v2/a/manifests/latest', {}],
      ['DELETE', `/v2/a/manifests/${image.digest}`, {}],
      [
        'POST',
        '/auth/token',
        { body: bodyOf({ grant_type: 'password', username: 'boss', password: passwordOf('boss') }) },
      ],
    ]
    for (const page of [
      { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' },
      { 'sec-fetch-site': 'same-site', origin: 'https://neighbour.registry.test' },
      { origin: 'https://evil.example' },
      { origin: 'null' },
      { origin: 'https://registry.test.evil.example' },
      { origin: 'file://' },
    ]) {
      for (const [method, target, sent] of requests) {
        for (const type of ['text/plain', 'application/x-www-form-urlencoded', image.mediaType]) {
          const headers = { ...page, authorization: boss, 'content-type': type }
          const answer = await registry.door.send(method, target, { ...sent, headers })
          expect([JSON.stringify(page), method, target, answer.status]).toEqual([
            JSON.stringify(page),
            method,
            target,
            403,
          ])
          expect(answer.header('access-control-allow-origin')).toBe(null)
        }
      }
    }
    expect(await state()).toEqual(before)
    // No read changes anything, and no method is another by a header or a parameter.
    for (const override of ['DELETE', 'PUT', 'PATCH']) {
      const headers = { 'x-http-method-override': override, 'x-http-method': override, 'x-method-override': override }
      for (const method of ['GET', 'HEAD']) {
        const answer = await registry.as(boss).send(method, `/v2/a/manifests/latest?_method=${override}`, { headers })
        expect(answer.status).toBe(200)
      }
    }
    expect(await state()).toEqual(before)
    // No cookie is ever given, nor taken.
    const given = await registry.as(boss).send('GET', '/v2/')
    const token = await registry.token(boss, 'repository:a:pull')
    expect([given.header('set-cookie'), token.header('set-cookie')]).toEqual([null, null])
    const jwt = (token.json() as { token: string }).token
    const cookie = `authorization=${jwt}; token=${jwt}; access_token=${jwt}; session=${jwt}`
    expect((await registry.door.send('GET', '/v2/a/tags/list', { headers: { cookie } })).status).toBe(401)
  })

  it('T25, CVE-2024-22244: nothing is redirected anywhere', async () => {
    await using registry = await withAccounts(door)
    const boss = await registry.user('boss', { administrator: true })
    await sample.pushImage(registry.as(boss), 'a', 'latest', image)
    const targets = [
      '//evil.example',
      '/\\evil.example',
      '/%09/evil.example',
      'https://evil.example',
      'javascript:alert(1)',
    ]
    for (const [id, template] of Object.entries(routeTemplates)) {
      const path = template
        .replace('<name>', 'a')
        .replace('<reference>', 'latest')
        .replace('<digest>', image.digest)
        .replace('<id>', '00000000-0000-4000-8000-000000000000')
      for (const method of methods) {
        for (const target of targets) {
          const query = ['redirect_to', 'redirect_uri', 'next', 'return', 'url', 'continue', 'realm']
            .map((name) => `${name}=${encodeURIComponent(target)}`)
            .join('&')
          for (const authorization of [undefined, boss]) {
            const answer = await registry.as(authorization).send(method, `${path}?${query}`)
            expect([id, method, answer.status >= 300 && answer.status < 400]).toEqual([id, method, false])
            expect(answer.header('location') ?? '/').toMatch(/^\/(?:v2\/a\/[a-z/0-9:-]+)?$/)
            expect(answer.header('refresh')).toBe(null)
            expect(answer.header('www-authenticate') ?? '').not.toContain('evil.example')
          }
          // What was there is there for the next.
          if (method === 'DELETE') await sample.pushImage(registry.as(boss), 'a', 'latest', image)
        }
      }
    }
  })
})
