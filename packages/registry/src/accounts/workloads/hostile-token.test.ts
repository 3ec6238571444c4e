import { createHmac } from 'node:crypto'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { RegistryError } from '../../errors.ts'
import { silentLogger } from '../../logger.ts'
import { type PlainIssuer, startPlainIssuer } from '../../testing/plain-issuer.ts'
import { createWorkloads, type TrustedIssuer, type Workloads } from './issuers.ts'

let issuer: PlainIssuer

beforeEach(async () => {
  issuer = await startPlainIssuer()
})
afterEach(() => issuer[Symbol.asyncDispose]())

const open = (): Workloads => createWorkloads({ now: () => Date.now(), logger: silentLogger })

const entry = (): TrustedIssuer => ({
  name: 'ci',
  issuer: issuer.url,
  audience: 'stowage',
  conditions: { repository: 'team/*' },
})

const expectRefused = async (jwt: string): Promise<void> => {
  const error = await open()
    .verify(jwt, [entry()])
    .catch((reason: unknown) => reason)
  expect(error).toBeInstanceOf(RegistryError)
  expect(error).toMatchObject({ fault: 'unauthorized', hints: { login: 'invalid-credentials' } })
}

describe('a token', () => {
  it.each([
    ['without `exp`', { exp: undefined }],
    ['with an `exp` that is no number', { exp: '9999999999' }],
    ['without `iat`', { iat: undefined }],
    ['without `sub`', { sub: undefined }],
    ['with an empty `sub`', { sub: '' }],
    ['with a `sub` that is no text', { sub: ['repo:team/app'] }],
    ['without `aud`', { aud: undefined }],
    ['with an `aud` that only contains ours', { aud: 'stowage.example' }],
    ['with an `aud` that is an object', { aud: { stowage: true } }],
    ['without the claim of the condition', { repository: undefined }],
  ])('%s is refused', async (_, claims) => expectRefused(await issuer.sign(claims)))

  it('of yesterday is refused, however long it says it is good', async () => {
    const now = Math.floor(Date.now() / 1000)
    const exp = now + 10 * 365 * 24 * 3600
    await expectRefused(await issuer.sign({ iat: now - 24 * 3600 - 61, exp }))
    await expect(open().verify(await issuer.sign({ iat: now - 24 * 3600 + 60, exp }), [entry()])).resolves.toBeDefined()
    await expectRefused(await issuer.sign({ iat: now + 61 }))
    await expectRefused(await issuer.sign({ nbf: now + 61 }))
  })

  it('with our audience among others is good', async () => {
    await expect(open().verify(await issuer.sign({ aud: ['x', 'stowage'] }), [entry()])).resolves.toBeDefined()
  })

  it('whose subject would spoil a log is shown otherwise, and given as it is', async () => {
    const found = await open().verify(await issuer.sign({ sub: 'a\n{"level":"fatal"}\u001b[2J' }), [entry()])
    expect(found?.name).toMatch(/^ci:a\?\{"level":"fatal"\}\?\[2J~[0-9a-f]{16}$/)
    expect(found?.subject).toBe('a\n{"level":"fatal"}\u001b[2J')
  })

  it('signed with a secret is refused, also when the issuer shows that secret or it is the public key', async () => {
    const claims = (await issuer.sign()).split('.')[1] ?? ''
    const hmac = (secret: string | Buffer, kid: string | undefined): string => {
      const input = `${Buffer.from(JSON.stringify({ alg: 'HS256', kid })).toString('base64url')}.${claims}`
      return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`
    }
    await expectRefused(hmac(JSON.stringify(issuer.publicJwk), issuer.publicJwk.kid))
    const secret = Buffer.alloc(32, 7)
    issuer.pages.set('/keys', { keys: [{ kty: 'oct', k: secret.toString('base64url'), alg: 'HS256', kid: 'x' }] })
    await expectRefused(hmac(secret, 'x'))
    await expectRefused(hmac(secret, undefined))
  })

  it.each(['none', 'nOnE', '', 'HS256'])('with alg %j and no signature is refused', async (alg) => {
    const [, body] = (await issuer.sign()).split('.')
    const header = Buffer.from(JSON.stringify({ alg, kid: issuer.publicJwk.kid })).toString('base64url')
    await expectRefused(`${header}.${body}.`)
  })

  it('that brings its key along is refused (T4)', async () => {
    const { privateKey, publicKey } = await generateKeyPair('ES256')
    const jwk = await exportJWK(publicKey)
    const claims = JSON.parse(atob((await issuer.sign()).split('.')[1] ?? '')) as Record<string, unknown>
    issuer.pages.set('/evil', { keys: [jwk] })
    for (const header of [{ jwk }, { jwk, kid: issuer.publicJwk.kid ?? '' }, { jku: `${issuer.url}/evil` }]) {
      await expectRefused(await new SignJWT(claims).setProtectedHeader({ alg: 'ES256', ...header }).sign(privateKey))
    }
    expect(issuer.requests).not.toContain('/evil')
  })

  it.each([
    ['a private one', async () => exportJWK((await generateKeyPair('ES256', { extractable: true })).privateKey)],
    ['one of another kind', async () => exportJWK((await generateKeyPair('RS256')).publicKey)],
    ['one that is broken', async () => ({ kty: 'EC', crv: 'P-256', x: 'AA', y: 'AA' })],
    ['one for something else', async () => ({ ...issuer.publicJwk, use: 'enc' })],
  ])('is refused when the key of its name is %s', async (_, key) => {
    const jwt = await issuer.sign()
    issuer.pages.set('/keys', { keys: [{ ...(await key()), kid: issuer.publicJwk.kid }] })
    await expectRefused(jwt)
  })
})
