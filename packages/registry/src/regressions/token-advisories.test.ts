import { createHmac, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Answer, type Door, doors } from '@stowage/testkit'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { loadSecret } from '../accounts/tokens/secret.ts'
import { secret, withAccounts, type WithAccounts } from '../testing/with-accounts.ts'

const encode = (value: object | string): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')
const decode = (part: string | undefined): Record<string, unknown> =>
  JSON.parse(Buffer.from(part ?? '', 'base64url').toString()) as Record<string, unknown>

/** A token with its header and claims in hand, and the registry's own key, with which nearly all of it could be true. */
interface Forge {
  readonly registry: WithAccounts
  readonly token: string
  readonly header: Record<string, unknown>
  readonly claims: Record<string, unknown>
  /** The registry's private key, of its current signing key. */
  readonly key: KeyObject
  readonly publicJwk: Record<string, unknown>
  /** Signed by the registry's own key. */
  mint(header: object, claims: object): string
  ask(token: string): Promise<Answer>
}

const signed = (text: string, key: KeyObject): string =>
  `${text}.${sign(key.asymmetricKeyType === 'ec' ? 'sha256' : null, Buffer.from(text), {
    key,
    dsaEncoding: 'ieee-p1363',
  }).toString('base64url')}`

const openForge = async (door: Door, signingAlgorithm: 'EdDSA' | 'ES256'): Promise<Forge & AsyncDisposable> => {
  const registry = await withAccounts(door, { accounts: { signingAlgorithm } })
  const login = await registry.user('ann', { administrator: true })
  const token = (await registry.bearer(login, 'registry:catalog:*', 'repository:a:pull')).slice('Bearer '.length)
  const [row] = await registry.metadata.accounts.listSigningKeys()
  if (row === undefined) throw new Error('There is no signing key.')
  const jwk = await (await loadSecret({ given: secret, directory: undefined })).open(row.sealedPrivateKey, row.id)
  if (jwk === undefined) throw new Error('The signing key cannot be opened.')
  const key = createPrivateKey({ key: jwk, format: 'jwk' })
  const [head, body] = token.split('.')
  return {
    registry,
    token,
    header: decode(head),
    claims: decode(body),
    key,
    publicJwk: JSON.parse(row.publicKey) as Record<string, unknown>,
    mint: (header, claims) => signed(`${encode(header)}.${encode(claims)}`, key),
    ask: async (text) => registry.as(`Bearer ${text}`).send('GET', '/v2/_catalog'),
    [Symbol.asyncDispose]: async () => registry[Symbol.asyncDispose](),
  }
}

const refused = async (forge: Forge, what: string, token: string): Promise<void> => {
  const answer = await forge.ask(token)
  expect([what, answer.status]).toEqual([what, 401])
  expect(answer.header('www-authenticate')).toMatch(
    /^Bearer realm="[^"]+",service="stowage",scope="registry:catalog:\*",error="invalid_token"$/,
  )
}

afterEach(() => void vi.restoreAllMocks())

describe.each(doors)('advisories about tokens, through $name', (door) => {
  describe.each(['EdDSA', 'ES256'] as const)('signed by %s', (algorithm) => {
    it('T4, CVE-2025-24976: no key comes from a token, nor from where a token points', async () => {
      await using forge = await openForge(door, algorithm)
      const { header, claims } = forge
      const visits: string[] = []
      const attacker =
        algorithm === 'EdDSA' ? generateKeyPairSync('ed25519') : generateKeyPairSync('ec', { namedCurve: 'P-256' })
      const jwk = { ...attacker.publicKey.export({ format: 'jwk' }), kid: header['kid'], alg: algorithm, use: 'sig' }
      const server = createServer((request, response) => {
        visits.push(request.url ?? '')
        response.end(JSON.stringify({ keys: [jwk] }))
      })
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      const fetched = vi.spyOn(globalThis, 'fetch')
      try {
        const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`
        const forged = (more: object): string =>
          signed(`${encode({ ...header, ...more })}.${encode(claims)}`, attacker.privateKey)
        const attempts: [string, object][] = [
          ['another key', {}],
          ['jwk', { jwk }],
          ['jku', { jku: url }],
          ['x5u', { x5u: url }],
          ['x5c', { x5c: ['MIIB'] }],
          ['jwk and no kid', { jwk, kid: undefined }],
          ...[
            '../../../dev/null',
            '/dev/null',
            'file:///dev/null',
            "' union select 'x' --",
            "x' or '1'='1",
            '__proto__',
            'constructor',
            '',
            url,
            'a'.repeat(4000),
            0,
            null,
            [header['kid']],
            { toString: 'x' },
          ].map((kid): [string, object] => [`the kid ${JSON.stringify(kid).slice(0, 40)}`, { kid }]),
        ]
        for (const [what, more] of attempts) await refused(forge, what, forged(more))
        // By the registry's own key: what changes the rules of verification is not for a token to say.
        for (const [what, more] of [
          ['crit', { crit: ['exp'] }],
          ['an unknown crit', { crit: ['x'], x: 1 }],
          ['b64', { b64: false, crit: ['b64'] }],
          ['b64 without crit', { b64: false }],
          ['jwk', { jwk: forge.publicJwk }],
          ['jku', { jku: url }],
          ['cty', { cty: 'JWT' }],
          ['zip', { zip: 'DEF' }],
        ] as const) {
          await refused(forge, `our own with ${what}`, forge.mint({ ...header, ...more }, claims))
        }
        expect(visits).toEqual([])
        expect(fetched).not.toHaveBeenCalled()
        expect((await forge.ask(forge.token)).status).toBe(200)
        expect((await forge.ask(forge.mint(header, claims))).status).toBe(200)
      } finally {
        await new Promise((resolve) => server.close(resolve))
      }
    })

    it('T33, CVE-2026-22817: the algorithm is that of the key, whatever the token says', async () => {
      await using forge = await openForge(door, algorithm)
      const { header, claims, token, publicJwk, key } = forge
      const body = encode(claims)
      const publicKey = createPublicKey(key)
      const secrets: [string, string | Buffer][] = [
        ['PEM', publicKey.export({ type: 'spki', format: 'pem' })],
        ['DER', publicKey.export({ type: 'spki', format: 'der' })],
        ['the JWK as text', JSON.stringify(publicJwk)],
        ['x of the JWK', Buffer.from(String(publicJwk['x']), 'base64url')],
        ['x of the JWK as text', String(publicJwk['x'])],
        ['nothing', ''],
        ['the kid', String(header['kid'])],
      ]
      for (const alg of ['HS256', 'HS384', 'HS512', 'hs256']) {
        for (const [name, text] of secrets) {
          const head = `${encode({ ...header, alg })}.${body}`
          const hash = `sha${alg.slice(2)}`
          const mac = createHmac(hash, text === '' ? Buffer.alloc(0) : text)
            .update(head)
            .digest('base64url')
          await refused(forge, `${alg} by ${name}`, `${head}.${mac}`)
        }
      }
      for (const alg of [
        'none',
        'None',
        'NONE',
        'nOnE',
        '',
        undefined,
        null,
        'EdDSA ',
        'ed25519',
        'RS256',
        'PS256',
        'ES384',
      ]) {
        const head = `${encode({ ...header, alg })}.${body}`
        await refused(forge, `${String(alg)} without a signature`, `${head}.`)
        await refused(forge, `${String(alg)} with a good signature`, signed(head, key))
      }
      const other = algorithm === 'EdDSA' ? 'ES256' : 'EdDSA'
      await refused(forge, other, signed(`${encode({ ...header, alg: other })}.${body}`, key))
      const [head = '', , signature = ''] = token.split('.')
      for (const [what, text] of [
        ['no signature', `${head}.${body}.`],
        ['no third part', `${head}.${body}`],
        ['four parts', `${token}.x`],
        ['a signature of zeros', `${head}.${body}.${encode('\0'.repeat(64))}`],
        ['a shorter signature', token.slice(0, -2)],
        ['a longer signature', `${token}AA`],
        ['a signature twice', `${token}${signature}`],
        ['other claims', `${head}.${encode({ ...claims, sub: 'bob' })}.${signature}`],
        ['padding', `${token}==`],
        ['spaces', `${head} .${body}.${signature}`],
      ] as const) {
        await refused(forge, what, text)
      }
      for (const typ of ['at+jwt', 'JWS', 'jwt+x', '', undefined, null]) {
        await refused(forge, `typ ${String(typ)}`, forge.mint({ ...header, typ }, claims))
      }
      expect((await forge.ask(token)).status).toBe(200)
    })

    it('T33: the claims are for us, and for now', async () => {
      await using forge = await openForge(door, algorithm)
      const { header, claims } = forge
      const now = Math.floor(Date.now() / 1000)
      const wrong: [string, object][] = [
        ['another issuer', { iss: 'stowage.example' }],
        ['a list of issuers', { iss: ['stowage'] }],
        ['another audience', { aud: 'another' }],
        ['no subject', { sub: undefined }],
        ['another subject', { sub: 'bob' }],
        ['an end a second ago', { exp: now - 1 }],
        ['an end that is text', { exp: String(now + 600) }],
        ['no end', { exp: undefined }],
        ['an end far away', { exp: now + 100_000 }],
        ['an end without end', { exp: 1e300 }],
        ['a beginning in ten minutes', { nbf: now + 600 }],
        ['made in ten minutes', { iat: now + 600, exp: now + 900 }],
        ['no time of making', { iat: undefined }],
        ['no id', { jti: undefined }],
        ['no access', { access: undefined }],
        ['an access that is no list', { access: { type: 'registry', name: 'catalog', actions: ['*'] } }],
        ['no session', { stw: undefined }],
        ['a session of nobody', { stw: { kind: 'user', uid: 'x', pwd: 0 } }],
        ['a session without a kind', { stw: {} }],
        ['a session of an unknown kind', { stw: { kind: 'administrator' } }],
        ['a session that is a list', { stw: [] }],
      ]
      for (const [what, more] of wrong) {
        const answer = await forge.ask(forge.mint(header, { ...claims, ...more }))
        expect([what, answer.status]).toEqual([what, 401])
      }
      for (const body of ['[]', 'null', '"x"', '{', '1', '\u0000']) {
        await refused(forge, body, signed(`${encode(header)}.${encode(body)}`, forge.key))
      }
      // And scopes that are not as they should be allow nothing.
      for (const access of [
        [],
        [null],
        ['x'],
        [{ type: 'registry', name: 'catalog', actions: 'x*' }],
        [{ type: 'registry', name: '*', actions: ['*'] }],
      ]) {
        const answer = await forge.ask(forge.mint(header, { ...claims, access }))
        expect([JSON.stringify(access), answer.status]).toEqual([JSON.stringify(access), 401])
      }
    })
  })

  it('T30, CVE-2025-30204: a long header is refused before anybody looks into it', async () => {
    await using forge = await openForge(door, 'EdDSA')
    const [head = '', body = '', signature = ''] = forge.token.split('.')
    const verified = vi.spyOn(globalThis.crypto.subtle, 'verify')
    const split = vi.spyOn(String.prototype, 'split')
    const as = (authorization: string): Promise<Answer> => forge.registry.as(authorization).send('GET', '/v2/')
    const long = [
      `Bearer ${'.'.repeat(7000)}`,
      `Bearer ${'.'.repeat(10_000)}`,
      `Bearer ${head}.${body}${'.'.repeat(8000)}${signature}`,
      `Bearer ${'a'.repeat(10_000)}.b.c`,
      `Bearer ${head}.${'a'.repeat(9000)}.${signature}`,
      `Basic ${Buffer.from(`ann:${'x'.repeat(7000)}`).toString('base64')}`,
      `Basic ${'A'.repeat(12_000)}`,
      `${'x'.repeat(9000)} y`,
    ]
    for (const authorization of long) {
      split.mockClear()
      const answer = await as(authorization)
      const longest = Math.max(0, ...split.mock.results.map(({ value }) => (Array.isArray(value) ? value.length : 0)))
      expect([authorization.slice(0, 20), answer.status, longest < 100]).toEqual([
        authorization.slice(0, 20),
        401,
        true,
      ])
    }
    split.mockRestore()
    expect(verified).not.toHaveBeenCalled()
    if (door.name === 'socket') expect((await as(`Bearer ${'.'.repeat(20_000)}`)).status).toBe(431)
    expect((await forge.ask(forge.token)).status).toBe(200)
    // So it would have been seen.
    expect(verified).toHaveBeenCalledOnce()
  })
})
