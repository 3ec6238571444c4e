import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { describe, expect, it, test } from 'vitest'
import { createDice, isOciError, volume } from '../testing/fuzzing.ts'
import { openGuarded, type Sent } from '../testing/guarded-registry.ts'
import { exchange, expectRefusal, json, post } from '../testing/tokens.ts'

const ann = `Basic ${Buffer.from('ann:secret').toString('base64')}`
const password = { kind: 'password', name: 'ann', password: 'secret' }

describe('POST for a token', () => {
  test.each([
    [{ grant_type: 'password', username: 'ann', password: 'secret' }, {}, { grant: password }],
    [{ grant_type: 'password' }, { authorization: ann }, { grant: password }],
    [
      {
        grant_type: 'refresh_token',
        refresh_token: 'good',
        service: 'registry.test',
        client_id: 'containerd',
        scope: 'a b',
      },
      {},
      {
        grant: { kind: 'refresh_token', token: 'good' },
        scopes: ['a b'],
        service: 'registry.test',
        clientId: 'containerd',
      },
    ],
    [exchange, {}, { grant: { kind: 'exchange', token: 'good' } }],
    [
      {
        ...exchange,
        subject_token_type: 'urn:ietf:params:oauth:token-type:id_token',
        requested_token_type: 'urn:ietf:params:oauth:token-type:access_token',
        audience: 'registry.test',
      },
      {},
      { grant: { kind: 'exchange', token: 'good' }, service: 'registry.test' },
    ],
    [{ grant_type: 'password', username: 'ann', password: 'secret', access_type: 'online' }, {}, { offline: false }],
    [{ grant_type: 'password', username: 'ann', password: 'secret', access_type: 'offline' }, {}, { offline: true }],
  ])('takes %j', async (form, headers, asked) => {
    await using guarded = await openGuarded()
    const answer = await post(guarded, form, headers)
    expect([answer.status, json(answer)]).toMatchObject([200, { token: 'pull', access_token: 'pull', expires_in: 600 }])
    expect('refresh_token' in json(answer)).toBe('access_type' in form && form.access_type === 'offline')
    expect('issued_token_type' in json(answer)).toBe(form.grant_type === exchange.grant_type)
    expect(answer.headers['cache-control']).toBe('no-store')
    expect(guarded.asked).toEqual([expect.objectContaining(asked)])
  })

  it('takes the type of a form as clients write it, and passwords as forms encode them', async () => {
    await using guarded = await openGuarded()
    const type = { 'content-type': 'Application/X-WWW-Form-URLEncoded; charset=UTF-8' }
    await post(guarded, 'grant_type=password&username=ann&password=a+b%2B%26%C3%A4', type)
    expect(guarded.asked).toMatchObject([{ grant: { password: 'a b+&ä' } }])
  })

  test.each<[string, string, string, Sent['headers'], RegExp]>([
    ['nothing', '', 'invalid_request', {}, /`grant_type` is missing/],
    [
      'another grant',
      'grant_type=client_credentials',
      'unsupported_grant_type',
      {},
      /`grant_type` is none of password/,
    ],
    ['two grants', 'grant_type=password&grant_type=password', 'invalid_request', {}, /`grant_type` is there more than/],
    ['no name', 'grant_type=password&password=secret', 'invalid_request', {}, /`username` is missing/],
    ['no password', 'grant_type=password&username=ann', 'invalid_request', {}, /`password` is missing/],
    ['an empty password', 'grant_type=password&username=ann&password=', 'invalid_request', {}, /`password` is missing/],
    [
      'a name that is no UTF-8',
      'grant_type=password&username=%ff&password=secret',
      'invalid_request',
      {},
      /`username` is not in UTF-8/,
    ],
    [
      'a name with a newline',
      'grant_type=password&username=a%0ab&password=secret',
      'invalid_request',
      {},
      /`username` has control/,
    ],
    [
      'two sets of credentials',
      'grant_type=password&username=ann&password=secret',
      'invalid_request',
      { authorization: ann },
      /not into both/,
    ],
    ['no token', 'grant_type=refresh_token', 'invalid_request', {}, /`refresh_token` is missing/],
    [
      'a token and credentials',
      'grant_type=refresh_token&refresh_token=good',
      'invalid_request',
      { authorization: ann },
      /Leave the header `Authorization` away/,
    ],
    [
      'no token to exchange',
      new URLSearchParams({ ...exchange, subject_token: '' }).toString(),
      'invalid_request',
      {},
      /`subject_token` is missing/,
    ],
    [
      'no type of it',
      new URLSearchParams({ ...exchange, subject_token_type: '' }).toString(),
      'invalid_request',
      {},
      /`subject_token_type` is missing/,
    ],
    [
      'a type of it that is not taken',
      new URLSearchParams({ ...exchange, subject_token_type: 'urn:ietf:params:oauth:token-type:saml2' }).toString(),
      'invalid_request',
      {},
      /`subject_token_type` is none of/,
    ],
    [
      'a wish for another type',
      new URLSearchParams({ ...exchange, requested_token_type: 'saml' }).toString(),
      'invalid_request',
      {},
      /`requested_token_type` is none of/,
    ],
    [
      'an actor',
      new URLSearchParams({ ...exchange, actor_token: 'good' }).toString(),
      'invalid_request',
      {},
      /`actor_token` is not taken/,
    ],
    [
      'a token that is too long',
      `grant_type=refresh_token&refresh_token=${'a'.repeat(16 * 1024 + 1)}`,
      'invalid_request',
      {},
      /`refresh_token` has more than/,
    ],
  ])('says what is wrong with %s', async (_, form, error, headers, message) => {
    await using guarded = await openGuarded()
    expectRefusal(await post(guarded, form, headers), 400, error, message)
    expect(guarded.asked).toEqual([])
  })

  it('answers credentials of a form that are wrong with 401', async () => {
    await using guarded = await openGuarded()
    for (const form of [
      { grant_type: 'password', username: 'ann', password: 'hunter2' },
      { grant_type: 'refresh_token', refresh_token: 'hunter2' },
      { ...exchange, subject_token: 'hunter2' },
    ]) {
      const answer = await post(guarded, form)
      expectRefusal(answer, 401, 'invalid_grant', /wrong/)
      expect(answer.headers['www-authenticate']).toBe('Basic realm="registry.test"')
    }
  })

  it.each(['application/json', 'multipart/form-data; boundary=x', 'text/plain', ''])(
    'refuses a body of type "%s"',
    async (type) => {
      await using guarded = await openGuarded()
      const answer = await guarded.send('POST', '/auth/token', {
        headers: type === '' ? {} : { 'content-type': type },
        body: '{"grant_type":"password"}',
      })
      expectRefusal(answer, 415, 'invalid_request', /x-www-form-urlencoded/)
    },
  )

  it('refuses a compressed body', async () => {
    await using guarded = await openGuarded()
    expect((await post(guarded, 'grant_type=password', { 'content-encoding': 'gzip' })).status).toBe(415)
  })

  it.each([{ 'content-length': String(10 * 1024 * 1024) }, { 'transfer-encoding': 'chunked' }])(
    'reads no further than it must of a body with %j',
    async (framing) => {
      await using guarded = await openGuarded()
      const socket = connect(guarded.port, '127.0.0.1')
      const head = { host: 'x', 'content-type': 'application/x-www-form-urlencoded', connection: 'close', ...framing }
      const lines = Object.entries(head).map(([name, value]) => `${name}: ${value}\r\n`)
      socket.write(`POST /auth/token HTTP/1.1\r\n${lines.join('')}\r\n`)
      if ('transfer-encoding' in framing) socket.write(`10001\r\n${'a'.repeat(0x10001)}\r\n`)
      // The end of the body never comes.
      expect(await text(socket)).toMatch(/^HTTP\/1.1 413 [^]*"error":"invalid_request"/)
      expect(guarded.asked).toEqual([])
    },
  )

  it('takes as much as it says', async () => {
    await using guarded = await openGuarded()
    const form = 'grant_type=refresh_token&refresh_token=good&ignored='
    expect((await post(guarded, form.padEnd(64 * 1024, 'a'))).status).toBe(200)
    expect((await post(guarded, form.padEnd(64 * 1024 + 1, 'a'))).status).toBe(413)
  })
})

describe('whatever comes to the token endpoint', () => {
  it('is answered in both formats, and is never the fault of the registry', async () => {
    await using guarded = await openGuarded()
    const { pick, below, chance } = createDice(11)
    const names = [
      'grant_type',
      'username',
      'password',
      'refresh_token',
      'subject_token',
      'subject_token_type',
      'scope',
      'service',
    ]
    const more = ['account', 'client_id', 'access_type', 'offline_token', '__proto__', 'constructor', '', '%ff', '%']
    const values = [
      'password',
      'refresh_token',
      exchange.grant_type,
      exchange.subject_token_type,
      'ann',
      'secret',
      'good',
      'offline',
    ]
    const odd = [
      '',
      '%00',
      '%ff%fe',
      '%zz',
      '+',
      'a'.repeat(2000),
      '\u202e',
      'repository:a:*',
      '=',
      '%F0%9F%98%80',
      '%ed%a0%80',
    ]
    const headers = [
      undefined,
      ann,
      'Basic',
      'Basic Og==',
      'Basic OjpeA==',
      'Bearer pull',
      'basic é',
      ' ',
      'Basic '.padEnd(9000, 'A'),
    ]
    const seen = new Set<number>()
    for (let round = 0; round < Math.min(volume, 20_000); round++) {
      const words = Array.from(
        { length: below(6) },
        () => `${pick(chance(0.8) ? names : more)}=${pick(chance(0.7) ? values : odd)}`,
      )
      const parameters = words.join('&')
      const authorization = pick(headers)
      const sent = {
        'content-type': 'application/x-www-form-urlencoded',
        ...(authorization !== undefined && { authorization }),
      }
      const answer = await guarded.registry.fetch(
        chance(0.5)
          ? new Request(`http://registry.test/auth/token?${parameters}`, { headers: sent })
          : new Request('http://registry.test/auth/token', { method: 'POST', body: parameters, headers: sent }),
      )
      const body = await answer.text()
      expect([parameters, authorization, [200, 400, 401].includes(answer.status)]).toEqual([
        parameters,
        authorization,
        true,
      ])
      if (answer.status !== 200) {
        expect(isOciError(body)).toBe(true)
        expect(JSON.parse(body)).toMatchObject({
          error: expect.stringMatching(/^(invalid|unsupported)_[a-z_]+$/) as string,
        })
      }
      expect(answer.headers.has('www-authenticate')).toBe(answer.status === 401)
      seen.add(answer.status)
    }
    expect([...seen].toSorted()).toEqual([200, 400, 401])
  })
})
