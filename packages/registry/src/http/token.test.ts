import { describe, expect, it, test } from 'vitest'
import { RegistryError } from '../errors.ts'
import { openGuarded } from '../testing/guarded-registry.ts'
import { expectRefusal, exchange, json, post } from '../testing/tokens.ts'
import { oauthErrorOf } from './token.ts'

const ann = `Basic ${Buffer.from('ann:secret').toString('base64')}`
const password = { kind: 'password', name: 'ann', password: 'secret' }

describe('GET of a token', () => {
  it.each(['/auth/token', '/auth/token/'])('answers at %s, at once', async (path) => {
    await using guarded = await openGuarded()
    const answer = await guarded.send(
      'GET',
      `${path}?service=registry.test&scope=repository:private:pull&account=ann`,
      {
        headers: { authorization: ann },
      },
    )
    expect([answer.status, json(answer)]).toEqual([
      200,
      {
        token: 'pull',
        access_token: 'pull',
        token_type: 'Bearer',
        expires_in: 600,
        issued_at: '2026-11-24T12:00:00.000Z',
        scope: 'repository:private:pull',
      },
    ])
    expect(answer.headers['content-type']).toBe('application/json')
    expect(answer.headers['cache-control']).toBe('no-store')
    expect(guarded.asked).toEqual([
      {
        grant: password,
        service: 'registry.test',
        scopes: ['repository:private:pull'],
        offline: false,
        remoteAddress: '127.0.0.1',
      },
    ])
  })

  it('takes any number of scopes, and hands on who asks', async () => {
    await using guarded = await openGuarded()
    const query =
      'scope=repository:a:pull%20repository:b:pull&scope=registry:catalog:*&scope=&client_id=docker&offline_token=true'
    const answer = await guarded.send('GET', `/auth/token?${query}`, { headers: { authorization: ann } })
    expect(json(answer)).toMatchObject({ refresh_token: 'good' })
    expect(guarded.asked).toMatchObject([
      { scopes: ['repository:a:pull repository:b:pull', 'registry:catalog:*'], offline: true, clientId: 'docker' },
    ])
  })

  // `docker login` sends no scope; Reggie for Go sends Basic with neither name nor password when it has none.
  it.each([{}, { authorization: 'Basic Og==' }])(
    'gives an anonymous token to who says nothing (%j)',
    async (headers) => {
      await using guarded = await openGuarded()
      expect((await guarded.send('GET', '/auth/token?account=whoever', { headers })).status).toBe(200)
      expect(guarded.asked).toEqual([
        { grant: { kind: 'anonymous' }, scopes: [], offline: false, remoteAddress: '127.0.0.1' },
      ])
    },
  )

  it('answers wrong credentials with a challenge that does not lead here', async () => {
    await using guarded = await openGuarded()
    const authorization = `Basic ${Buffer.from('ann:hunter2').toString('base64')}`
    const answer = await guarded.send('GET', '/auth/token', { headers: { authorization } })
    expectRefusal(answer, 401, 'invalid_client', /wrong/)
    expect(json(answer)).toMatchObject({ errors: [{ code: 'UNAUTHORIZED' }] })
    expect(answer.headers['www-authenticate']).toBe('Basic realm="registry.test"')
  })

  it('answers schemes that it does not take in the same way', async () => {
    await using guarded = await openGuarded()
    for (const authorization of ['Bearer pull', 'Negotiate YII=', 'Digest']) {
      const answer = await guarded.send('GET', '/auth/token', { headers: { authorization } })
      expectRefusal(answer, 401, 'invalid_client', /takes Basic/)
      expect(answer.headers['www-authenticate']).toBe('Basic realm="registry.test"')
    }
    expect(guarded.asked).toEqual([])
  })

  test.each<[string, string, RegExp]>([
    ['service=a&service=b', '', /`service` is there more than once/],
    ['client_id=a&client_id=a', '', /`client_id` is there more than once/],
    ['account=bob', ann, /`account` is not the user name/],
    ['service=a%00b', '', /`service` has control characters/],
    ['scope=repository:a%0d%0a:pull', '', /`scope` has control characters/],
    ['scope=%ff', '', /`scope` is not in UTF-8/],
    [`service=${'a'.repeat(1025)}`, '', /`service` has more than 1024 characters/],
    ['', 'Basic !', /`Authorization` has no base64/],
    ['', `Basic ${Buffer.from('hunter2').toString('base64')}`, /`Authorization` has no colon/],
    ['', `Basic ${Buffer.from([0x61, 0x3a, 0xff]).toString('base64')}`, /`Authorization` is not in UTF-8/],
    ['', `Basic ${'A'.repeat(9000)}`, /`Authorization` is longer/],
  ])('names what is wrong with ?%s (%#)', async (query, authorization, message) => {
    await using guarded = await openGuarded()
    const headers = authorization === '' ? {} : { authorization }
    expectRefusal(await guarded.send('GET', `/auth/token?${query}`, { headers }), 400, 'invalid_request', message)
    expect(guarded.asked).toEqual([])
  })
})

describe('the token endpoint', () => {
  it.each(['HEAD', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'])('takes no %s', async (method) => {
    await using guarded = await openGuarded()
    const answer = await guarded.send(method, '/auth/token')
    expect([answer.status, answer.headers.allow]).toEqual([405, 'GET, POST'])
  })

  it.each([{ realm: 'https://auth.example/token' }, { login: false as const }])(
    'is not there with %j',
    async (options) => {
      await using guarded = await openGuarded(options)
      for (const path of ['/auth/token', '/auth/token/', '/auth/token?scope=a']) {
        const answer = await guarded.send('GET', path, { headers: { authorization: ann } })
        expect([answer.status, json(answer)]).toEqual([
          404,
          { errors: [expect.objectContaining({ code: 'UNSUPPORTED' })] },
        ])
      }
      expect(guarded.registry.handles('/auth/token')).toBe(false)
    },
  )

  it('has nothing beside it', async () => {
    await using guarded = await openGuarded()
    for (const path of ['/auth', '/auth/', '/auth/tokens', '/auth/token/x', '/AUTH/token', '/x/auth/token']) {
      expect([path, (await guarded.send('GET', path)).status]).toEqual([path, 404])
      expect(guarded.registry.handles(path)).toBe(false)
    }
    for (const path of ['/auth//token', '/auth/%74oken', '/auth/./token']) {
      expect([path, (await guarded.send('GET', path)).status]).toEqual([path, 400])
    }
  })

  it('shows a page that `cors` lets in what it answers', async () => {
    await using guarded = await openGuarded({ cors: { origins: ['http://app.test'] } })
    const answer = await post(guarded, exchange, { origin: 'http://app.test' })
    expect([answer.status, answer.headers['access-control-allow-origin']]).toEqual([200, 'http://app.test'])
  })
})

describe('an error in the words of OAuth', () => {
  it('has only characters that it may have', () => {
    const error = new RegistryError('query-invalid', 'The "name" is \\ not ä.\n', { hints: { oauth: 'invalid_scope' } })
    expect(oauthErrorOf(error, false)).toEqual({ error: 'invalid_scope', error_description: "The 'name' is ' not ?.?" })
    const busy = new RegistryError('overloaded', 'Later.')
    expect(oauthErrorOf(busy, false).error).toBe('temporarily_unavailable')
  })
})
