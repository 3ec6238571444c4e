import { createHmac } from 'node:crypto'
import { mkdtempSync, renameSync, rmSync, unlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createRuleBook } from '../../access/rules.ts'
import { RegistryError } from '../../errors.ts'
import { type Logger, silentLogger } from '../../logger.ts'
import { type PlainIssuer, startPlainIssuer } from '../../testing/plain-issuer.ts'
import { createExternalTokens, type ExternalTokens } from './external.ts'

const base = mkdtempSync(join(tmpdir(), 'stowage-external-'))
let server: PlainIssuer
let file: string

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['Date'] })
  server = await startPlainIssuer()
  file = join(mkdtempSync(join(base, 'f-')), 'keys.json')
  writeFileSync(file, JSON.stringify({ keys: [server.publicJwk] }))
})
afterEach(async () => {
  vi.useRealTimers()
  await server[Symbol.asyncDispose]()
})
afterAll(() => rmSync(base, { recursive: true }))

const open = (jwks = `${server.url}/keys`, logger: Logger = silentLogger): ExternalTokens =>
  createExternalTokens({
    server: { realm: 'https://auth.example/token', issuer: server.url, jwks },
    service: 'stowage',
    now: () => Date.now(),
    logger,
  })

const access = [
  { type: 'repository', name: 'team/app', actions: ['pull', 'push'] },
  { type: 'registry', name: 'catalog', actions: ['*'] },
]
const token = (claims: Record<string, unknown> = {}, header: object = {}): Promise<string> =>
  server.sign({ sub: 'ada', access, ...claims }, header)

const expectRefused = async (tokens: ExternalTokens, text: string): Promise<void> => {
  let error: unknown
  try {
    await tokens.verify(text)
  } catch (thrown) {
    error = thrown
  }
  expect(error).toBeInstanceOf(RegistryError)
  expect(error).toMatchObject({ fault: 'unauthorized', hints: { login: 'invalid-token' } })
}

describe.each([
  ['a URL', () => `${server.url}/keys`],
  ['a file', () => file],
])('with keys from %s', (_, jwks) => {
  it('a token is a principal with what its `access` says, and no more by any rule', async () => {
    const permissions = [{ repositories: 'team/app', actions: ['pull', 'push', 'overwrite'] }]
    const principal = await open(jwks()).verify(await token())
    expect(principal).toEqual({
      kind: 'workload',
      name: 'token:ada',
      own: permissions,
      within: [{ kind: 'scopes', permissions, catalog: true }],
    })
    const rules = createRuleBook([{ subject: { kind: 'authenticated' }, repositories: '*', actions: ['delete'] }])
    expect(rules.decide(principal, 'push', 'team/app')).toMatchObject({ allowed: true })
    expect(rules.decide(principal, 'pull', 'team/other')).toMatchObject({ allowed: false })
    expect(rules.decide(principal, 'delete', 'team/app')).toEqual({ allowed: false, because: 'scopes' })
  })

  it('a token that was verified is answered at once, for a minute', async () => {
    const tokens = open(jwks())
    const text = await token()
    const first = await tokens.verify(text)
    expect(tokens.verify(text)).toBe(first)
    vi.setSystemTime(Date.now() + 59_999)
    expect(tokens.verify(text)).toBe(first)
    vi.setSystemTime(Date.now() + 1)
    await expect(tokens.verify(text)).resolves.toEqual(first)
  })

  it('a token ends when it expires', async () => {
    const tokens = open(jwks())
    const text = await token({ exp: Math.floor(Date.now() / 1000) + 20 })
    await tokens.verify(text)
    vi.setSystemTime(Date.now() + 20_000)
    await expectRefused(tokens, text)
    await expectRefused(open(jwks()), text)
  })

  it.each([
    ['another issuer', { iss: 'https://auth.example' }],
    ['another service', { aud: 'other' }],
    ['no service', { aud: undefined }],
    ['no end', { exp: undefined }],
    ['an end that is no number', { exp: 'never' }],
    ['a begin that is far', { nbf: Math.floor(Date.now() / 1000) + 1000 }],
  ])('a token with %s is refused', async (_what, claims) => expectRefused(open(jwks()), await token(claims)))

  it('T4, T33: a token is verified by these keys and an asymmetric algorithm only', async () => {
    const tokens = open(jwks())
    const { privateKey, publicKey } = await generateKeyPair('ES256')
    const jwk = await exportJWK(publicKey)
    const { kid } = server.publicJwk
    const body = (await token()).split('.')[1] ?? ''
    const claims = JSON.parse(atob(body)) as Record<string, unknown>
    for (const header of [{ jwk }, { jwk, kid }, { jku: `${server.url}/evil`, kid }, { kid: '../keys' }, {}]) {
      const forged = new SignJWT(claims).setProtectedHeader({ alg: 'ES256', ...header } as { alg: string })
      await expectRefused(tokens, await forged.sign(privateKey))
    }
    for (const alg of ['none', 'nOnE', 'HS256', 'RS257', '']) {
      const input = `${Buffer.from(JSON.stringify({ alg, kid })).toString('base64url')}.${body}`
      const mac = createHmac('sha256', JSON.stringify(server.publicJwk)).update(input).digest('base64url')
      await expectRefused(tokens, `${input}.${mac}`)
      await expectRefused(tokens, `${input}.`)
    }
    await expectRefused(tokens, await token({}, { crit: ['b64'], b64: false }).catch(() => 'x.y.z'))
    expect(server.requests).not.toContain('/evil')
  })

  it('a key that a good token brings along changes nothing', async () => {
    const jwk = server.publicJwk
    await expect(open(jwks()).verify(await token({}, { jwk, x5c: ['AAAA'] }))).resolves.toMatchObject({
      name: 'token:ada',
    })
  })

  it('T30: what is too long or no token is refused before anything is done', () => {
    const tokens = open(jwks())
    for (const text of ['.'.repeat(8193), `${'a'.repeat(8190)}.b.c`, '', 'a', 'a.b', 'a.b.c.d', '..', 'a.b.c\n']) {
      expect(() => tokens.verify(text)).toThrow(RegistryError)
    }
    expect(server.requests).toEqual([])
  })
})

describe('who holds a token', () => {
  it.each([undefined, '', 5, null])('is nobody in particular when its `sub` is %j', async (sub) => {
    const principal = await open().verify(await token({ sub }))
    expect(principal).toMatchObject({ kind: 'anonymous', name: 'anonymous', own: [{ repositories: 'team/app' }] })
  })

  it('has a name that spoils no log', async () => {
    expect((await open().verify(await token({ sub: 'a\nb' }))).name).toMatch(/^token:a\?b~[0-9a-f]{16}$/)
  })

  it.each([undefined, null, 'repository:*:*', {}, [{ type: 'repository', name: '*', actions: ['*'] }], [[]]])(
    'may do nothing when its `access` is %j',
    async (claim) => {
      const principal = await open().verify(await token({ access: claim }))
      expect(principal.own).toEqual([])
      expect(principal.within).toEqual([{ kind: 'scopes', permissions: [], catalog: false }])
    },
  )
})

describe('a file of keys', () => {
  it('is read again when it changes', async () => {
    const tokens = open(file)
    const old = await token()
    await tokens.verify(old)
    const next = await startPlainIssuer('EdDSA')
    try {
      writeFileSync(`${file}.new`, JSON.stringify({ keys: [next.publicJwk] }))
      renameSync(`${file}.new`, file)
      vi.setSystemTime(Date.now() + 1000)
      await expect(tokens.verify(await next.sign({ iss: server.url, access }))).resolves.toMatchObject({
        kind: 'workload',
      })
      await expectRefused(tokens, await token({ jti: 'another' }))
      // Remembered, and no longer than a minute.
      vi.setSystemTime(Date.now() + 60_000)
      await expectRefused(tokens, old)
    } finally {
      await next[Symbol.asyncDispose]()
    }
  })

  it.each([
    ['is gone', undefined, 'no such file'],
    ['is empty', '', 'not JSON'],
    ['is no JSON', 'c4nary {', 'not JSON'],
    ['is no JWK Set', '{"keys":{}}', 'not a JWK Set'],
    ['is too large', JSON.stringify({ keys: [], filler: 'x'.repeat(300_000) }), 'larger than 262144 bytes'],
  ])('that %s verifies nothing until it is mended, and that is logged once', async (_, text, reason) => {
    const errors: object[] = []
    const tokens = open(file, { ...silentLogger, error: (facts) => void errors.push(facts) })
    await tokens.verify(await token())
    if (text === undefined) unlinkSync(file)
    else writeFileSync(file, text)
    for (let times = 0; times < 3; times += 1) {
      vi.setSystemTime(Date.now() + 1000)
      await expect(tokens.verify(await token({ jti: `${times}` }))).rejects.toMatchObject({
        fault: 'overloaded',
        hints: { retryAfter: 10 },
      })
    }
    expect(errors).toEqual([{ path: file, reason: expect.stringContaining(reason) }])
    expect(JSON.stringify(errors)).not.toContain('c4nary')
    writeFileSync(file, JSON.stringify({ keys: [server.publicJwk] }))
    vi.setSystemTime(Date.now() + 1000)
    await expect(tokens.verify(await token())).resolves.toMatchObject({ name: 'token:ada' })
  })
})

describe('a URL of keys', () => {
  it('that cannot be had refuses new tokens, and says so', async () => {
    const warnings: object[] = []
    server.pages.delete('/keys')
    const tokens = open(undefined, { ...silentLogger, warn: (facts) => void warnings.push(facts) })
    const texts = await Promise.all([1, 2, 3].map((jti) => token({ jti: `${jti}` })))
    for (const text of texts) await expect(tokens.verify(text)).rejects.toMatchObject({ fault: 'overloaded' })
    expect(warnings).toHaveLength(1)
    expect(server.requests).toEqual(['/keys'])
  })

  it.each([
    'http://auth.example/keys',
    'https://user:secret@auth.example/keys',
    'ftp://auth.example/keys',
    'file:///etc/keys.json',
  ])('%s is refused at the start', (jwks) => {
    expect(() => open(jwks)).toThrow('tokenServer.jwks')
    try {
      open(jwks)
    } catch (error) {
      expect(String(error)).not.toContain('secret')
    }
  })
})
