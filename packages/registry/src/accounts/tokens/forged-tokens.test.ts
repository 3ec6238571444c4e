import { createHmac, createPublicKey, generateKeyPairSync, type KeyObject, sign, X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import fc from 'fast-check'
import { decodeJwt, exportJWK, exportSPKI } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { RegistryError } from '../../errors.ts'
import { silentLogger } from '../../logger.ts'
import { type SqliteMetadata, sqliteMetadata } from '../../metadata/sqlite/sqlite-metadata.ts'
import { type Bearer, createBearer } from './bearer.ts'
import { createKeyRing } from './key-ring.ts'
import { loadSecret } from './secret.ts'
import type { SigningKey } from './signing-key.ts'

const service = 'registry.example'
let metadata: SqliteMetadata
let bearer: Bearer
let key: SigningKey
let otherKey: SigningKey
/** What a good token says: a forged one is wrong in nothing but its header and signature. */
let claims: object
let good: string

const requests: string[] = []
/** Where headers would send whoever follows them. */
const server = createServer((request, response) => {
  requests.push(request.url ?? '')
  response.end('{}')
})
let address: string

const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')

const own = (): { alg: string; typ: string; kid: string } => ({ alg: key.algorithm, typ: 'JWT', kid: key.id })

const assemble = (header: object, signature: (input: Buffer) => Buffer | string, body: object = claims): string => {
  const input = `${part(header)}.${part(body)}`
  return `${input}.${Buffer.from(signature(Buffer.from(input))).toString('base64url')}`
}

const ed25519 = generateKeyPairSync('ed25519')
const p256 = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })

const byEd25519 = (input: Buffer): Buffer => sign(null, input, ed25519.privateKey)
const byP256 = (input: Buffer): Buffer => sign('sha256', input, { key: p256.privateKey, dsaEncoding: 'ieee-p1363' })
const byRsa = (input: Buffer): Buffer => sign('sha256', input, rsa.privateKey)
const byHmac =
  (secret: string | Buffer, hash = 'sha256') =>
  (input: Buffer): Buffer =>
    createHmac(hash, secret).update(input).digest()

/** Signed by the registry's own key, whatever the header says. */
const byOwnKey = async (header: object): Promise<string> => {
  const input = Buffer.from(`${part(header)}.${part(claims)}`)
  const algorithm = key.algorithm === 'EdDSA' ? { name: 'Ed25519' } : { name: 'ECDSA', hash: 'SHA-256' }
  return `${input.toString()}.${Buffer.from(await crypto.subtle.sign(algorithm, key.privateKey, input)).toString('base64url')}`
}

const expectRefused = async (token: string): Promise<void> => {
  let error: unknown
  try {
    await bearer.verify(token)
  } catch (thrown) {
    error = thrown
  }
  expect(error).toBeInstanceOf(RegistryError)
  expect(error).toMatchObject({ fault: 'unauthorized', hints: { login: 'invalid-token' } })
}

beforeAll(async () => {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  metadata = await sqliteMetadata({ path: ':memory:' })
})
afterAll(async () => {
  server.close()
  await metadata[Symbol.asyncDispose]()
})

describe.each(['EdDSA', 'ES256'] as const)('with keys of %s', (algorithm) => {
  beforeAll(async () => {
    const secret = await loadSecret({ given: undefined, directory: undefined })
    const keys = createKeyRing({ store: metadata.accounts, secret, algorithm, now: Date.now, logger: silentLogger })
    // The ring has a key of each kind, so that one could be taken for the other.
    const options = { store: metadata.accounts, secret, now: Date.now, logger: silentLogger }
    await createKeyRing({ ...options, algorithm: algorithm === 'EdDSA' ? 'ES256' : 'EdDSA' }).rotate({ revoke: true })
    const [older] = await keys.list()
    await keys.rotate({ revoke: false })
    key = await keys.current()
    otherKey = (await keys.verifier(older?.id ?? '')) ?? key
    bearer = createBearer({ keys, service, lifetime: 600, now: Date.now })
    good = (
      await bearer.issue({
        subject: 'ada',
        stw: { kind: 'user', uid: 'u1' },
        access: [{ type: 'repository', name: 'a', actions: ['pull'] }],
      })
    ).token
    claims = decodeJwt(good)
  })

  it('a token that is put together here by the right key is good: nothing else is wrong with the others', async () => {
    expect(key.algorithm).toBe(algorithm)
    expect(otherKey.algorithm).not.toBe(algorithm)
    await expect(bearer.verify(await byOwnKey(own()))).resolves.toMatchObject({ sub: 'ada' })
  })

  describe('T33: the algorithm is that of the key, whatever the token says', () => {
    it.each(['none', 'None', 'nOnE', 'NONE', '', 'null'])('alg %j', async (alg) => {
      await expectRefused(assemble({ ...own(), alg }, () => ''))
      await expectRefused(`${part({ ...own(), alg })}.${part(claims)}.`)
      await expectRefused(`${part({ ...own(), alg })}.${part(claims)}`)
      await expectRefused(`${part({ ...own(), alg })}.${good.split('.').slice(1).join('.')}`)
      await expectRefused(await byOwnKey({ ...own(), alg }))
    })

    it.each(['HS256', 'HS384', 'HS512'])('%s with the public key for a secret', async (alg) => {
      const hash = alg.replace('HS', 'sha')
      const pem = await exportSPKI(key.publicKey)
      const jwk = await exportJWK(key.publicKey)
      const der = createPublicKey(pem).export({ type: 'spki', format: 'der' })
      const [row] = await metadata.accounts.listSigningKeys()
      const secrets = [
        pem,
        pem.trim(),
        JSON.stringify(jwk),
        row?.publicKey ?? '',
        der,
        Buffer.from(jwk.x ?? '', 'base64url'),
        key.id,
        '',
      ]
      for (const secret of secrets) await expectRefused(assemble({ ...own(), alg }, byHmac(secret, hash)))
    })

    it('a key of one kind under the name of one of the other kind', async () => {
      for (const alg of ['EdDSA', 'Ed25519', 'ES256']) {
        for (const kid of [key.id, otherKey.id]) {
          await expectRefused(assemble({ ...own(), alg, kid }, byEd25519))
          await expectRefused(assemble({ ...own(), alg, kid }, byP256))
          if (kid === key.id && alg === key.algorithm) continue
          // Our own signature, but by a key other than the one that is named or in another way than is said.
          await expectRefused(await byOwnKey({ ...own(), alg, kid }))
        }
      }
    })

    it.each(['RS256', 'PS256', 'ES384', 'ES512', 'RS1', 'A256GCM', 'dir'])('%s', async (alg) => {
      await expectRefused(assemble({ ...own(), alg }, byRsa))
      await expectRefused(await byOwnKey({ ...own(), alg }))
    })

    it('an ES256 signature in DER, or of zeros only (CVE-2022-21449)', async () => {
      await expectRefused(assemble(own(), (input) => sign('sha256', input, p256.privateKey)))
      await expectRefused(assemble(own(), () => Buffer.alloc(64)))
    })

    it('an empty signature, and that of other claims', async () => {
      const [header, body, signature] = good.split('.') as [string, string, string]
      await expectRefused(`${header}.${body}.`)
      await expectRefused(`${header}.${body}`)
      await expectRefused(`${header}.${part({ ...claims, sub: 'eve' })}.${signature}`)
    })
  })

  describe('T4 (CVE-2025-24976, GHSA-phw4-mc57-4hwc): only keys of our own store verify', () => {
    const signers: [string, KeyObject, (input: Buffer) => Buffer][] = [
      ['EdDSA', ed25519.publicKey, byEd25519],
      ['ES256', p256.publicKey, byP256],
      ['RS256', rsa.publicKey, byRsa],
    ]

    it.each(signers)('a key in the header itself (%s)', async (alg, publicKey, signature) => {
      const jwk = { ...publicKey.export({ format: 'jwk' }), kid: key.id, alg }
      await expectRefused(assemble({ ...own(), alg, jwk }, signature))
      await expectRefused(assemble({ alg, typ: 'JWT', jwk }, signature))
      await expectRefused(assemble({ ...own(), alg, jwk: { keys: [jwk] } }, signature))
    })

    it('a certificate chain that signs itself', async () => {
      const x5c = [selfSigned().toString('base64')]
      expect(new X509Certificate(selfSigned()).verify(p256.publicKey)).toBe(true)
      await expectRefused(assemble({ ...own(), alg: 'ES256', x5c }, byP256))
      await expectRefused(assemble({ alg: 'ES256', typ: 'JWT', x5c }, byP256))
      await expectRefused(await byOwnKey({ ...own(), x5c }))
    })

    it.each(['jku', 'x5u'])('an address in %s, which nobody goes to', async (name) => {
      await expectRefused(assemble({ ...own(), alg: 'ES256', [name]: `${address}/keys` }, byP256))
      await expectRefused(await byOwnKey({ ...own(), [name]: `${address}/keys` }))
      expect(requests).toEqual([])
    })

    it.each([
      { jwk: { kty: 'OKP' } },
      { jku: 'https://example.com' },
      { x5u: 'https://example.com' },
      { x5c: [] },
      { crit: [] },
      { crit: ['exp'], exp: 1 },
      { b64: false },
      { b64: false, crit: ['b64'] },
      { b64: true, crit: ['b64'] },
      { zip: 'DEF' },
    ])('a header with %j is refused even with our own signature', async (more) => {
      await expectRefused(await byOwnKey({ ...own(), ...more }))
    })

    it.each([
      '../../../../dev/null',
      '/etc/passwd',
      'file:///dev/null',
      "x' union select 'AAAA",
      "' or '1'='1",
      '"; drop table signing_keys; --',
      '%',
      '*',
      '__proto__',
      'constructor',
      '',
      'A'.repeat(4000),
      0,
      null,
      ['x'],
      {},
      undefined,
    ])('kid %j', async (kid) => {
      await expectRefused(assemble({ ...own(), kid }, byHmac('')))
      await expectRefused(await byOwnKey({ ...own(), kid }))
      expect((await metadata.accounts.listSigningKeys()).length).toBeGreaterThan(0)
    })

    it('the kid of our key with a member more before or after it', async () => {
      const twice = `{"alg":"${key.algorithm}","typ":"JWT","kid":"other","kid":"${key.id}"}`
      const token = assemble(own(), byEd25519).split('.')
      await expectRefused([Buffer.from(twice).toString('base64url'), ...token.slice(1)].join('.'))
      await expectRefused(await byOwnKey([own()]))
    })
  })

  it('a good token is not good any more whatever is changed in any part of it', async () => {
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
    const change = fc.oneof(
      fc.constantFrom(...Array.from(alphabet)).map((character) => ({ kind: 'replace', character })),
      fc
        .constantFrom(...Array.from(alphabet), '=', '.', ' ', '\n', '+', '/', 'é', '\0')
        .map((character) => ({ kind: 'insert', character })),
      fc.constant({ kind: 'remove', character: '' }),
    )
    const apply = (text: string, at: number, { kind, character }: { kind: string; character: string }): string =>
      text.slice(0, at) + character + text.slice(kind === 'insert' ? at : at + 1)
    await fc.assert(
      fc.asyncProperty(fc.nat(2), fc.nat(), change, async (which, place, how) => {
        const parts = good.split('.')
        const text = parts[which] ?? ''
        parts[which] = apply(text, place % (text.length + 1), how)
        const changed = parts.join('.')
        if (changed === good) return
        await expectRefused(changed)
      }),
      { numRuns: 3000 },
    )
    // Bits of the last character that stand for nothing: the same bytes, but another text.
    const last = alphabet.indexOf(good.at(-1) ?? '')
    for (const bits of [1, 2, 4, 8]) await expectRefused(good.slice(0, -1) + (alphabet[last ^ bits] ?? ''))
    expect(await bearer.verify(good)).toMatchObject({ sub: 'ada' })
  })
})

/** A certificate of P-256, signed by its own key: the least that is one. */
const selfSigned = (): Buffer => {
  const der = (tag: number, ...contents: Buffer[]): Buffer => {
    const body = Buffer.concat(contents)
    const length = body.length < 128 ? [body.length] : [0x82, body.length >> 8, body.length & 255]
    return Buffer.concat([Buffer.from([tag, ...length]), body])
  }
  const sequence = (...contents: Buffer[]): Buffer => der(0x30, ...contents)
  const ecdsaWithSha256 = sequence(der(0x06, Buffer.from('2a8648ce3d040302', 'hex')))
  const commonName = sequence(der(0x06, Buffer.from('550403', 'hex')), der(0x0c, Buffer.from('registry.example')))
  const name = sequence(der(0x31, commonName))
  const times = sequence(der(0x17, Buffer.from('200101000000Z')), der(0x17, Buffer.from('491231235959Z')))
  const publicKey = p256.publicKey.export({ type: 'spki', format: 'der' })
  const body = sequence(der(0x02, Buffer.from([1])), ecdsaWithSha256, name, times, name, publicKey)
  return sequence(body, ecdsaWithSha256, der(0x03, Buffer.from([0]), sign('sha256', body, p256.privateKey)))
}
