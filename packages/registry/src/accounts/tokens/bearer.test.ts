import { decodeJwt, decodeProtectedHeader, type JWTPayload, SignJWT } from 'jose'
import { afterAll, describe, expect, it, onTestFinished } from 'vitest'
import { RegistryError } from '../../errors.ts'
import { silentLogger } from '../../logger.ts'
import { sqliteMetadata } from '../../metadata/sqlite/sqlite-metadata.ts'
import type { Session } from '../session.ts'
import { type Bearer, createBearer } from './bearer.ts'
import { createKeyRing, type KeyRing } from './key-ring.ts'
import type { ResourceActions } from './scope.ts'
import { loadSecret } from './secret.ts'

const opened: AsyncDisposable[] = []
afterAll(async () => {
  for (const store of opened) await store[Symbol.asyncDispose]()
})

const service = 'registry.example'
const start = 1_700_000_000_000
const stw: Session = { kind: 'user', uid: 'u1', pwd: 5 }
const access: ResourceActions[] = [{ type: 'repository', name: 'a/b', actions: ['pull', 'push'] }]
const content = { subject: 'ada', stw, access }

const setUp = async (algorithm: 'EdDSA' | 'ES256' = 'EdDSA') => {
  const metadata = await sqliteMetadata({ path: ':memory:' })
  opened.push(metadata)
  const secret = await loadSecret({ given: undefined, directory: undefined })
  const clock = { at: start }
  const now = (): number => clock.at
  const keys = createKeyRing({ store: metadata.accounts, secret, algorithm, now, logger: silentLogger })
  const asked: string[] = []
  const counting: KeyRing = {
    ...keys,
    verifier: (kid) => {
      asked.push(kid)
      return keys.verifier(kid)
    },
  }
  const open = (name = service): Bearer => createBearer({ keys: counting, service: name, lifetime: 600, now })
  /** A token by the registry's own key that says what the registry would not. */
  const signed = async (change: (claims: JWTPayload) => void, header: object = {}): Promise<string> => {
    const key = await keys.current()
    const claims = decodeJwt((await open().issue(content)).token)
    change(claims)
    return new SignJWT(claims)
      .setProtectedHeader({ alg: key.algorithm, typ: 'JWT', kid: key.id, ...header })
      .sign(key.privateKey)
  }
  return { clock, keys, asked, open, signed }
}

const refusal = async (verify: () => unknown): Promise<unknown> => {
  try {
    return await verify()
  } catch (error) {
    return error
  }
}

const expectRefused = async (bearer: Bearer, token: string): Promise<void> => {
  const error = await refusal(() => bearer.verify(token))
  expect(error).toBeInstanceOf(RegistryError)
  expect(error).toMatchObject({ fault: 'unauthorized', hints: { login: 'invalid-token' } })
  if (token.length > 20) expect(String(error)).not.toContain(token.slice(0, 20))
}

describe.each(['EdDSA', 'ES256'] as const)('a token signed with %s', (algorithm) => {
  it('says who, what, for whom and until when', async () => {
    const { open, keys } = await setUp(algorithm)
    const { token, expiresIn, issuedAt } = await open().issue(content)
    expect({ expiresIn, issuedAt }).toEqual({ expiresIn: 600, issuedAt: '2023-11-14T22:13:20.000Z' })
    expect(decodeProtectedHeader(token)).toEqual({ alg: algorithm, typ: 'JWT', kid: (await keys.current()).id })
    expect(decodeJwt(token)).toEqual({
      iss: service,
      aud: service,
      sub: 'ada',
      iat: start / 1000,
      nbf: start / 1000,
      exp: start / 1000 + 600,
      jti: expect.stringMatching(/^[0-9a-f-]{36}$/),
      access,
      stw,
    })
  })

  it('is verified', async () => {
    const { open } = await setUp(algorithm)
    const { token } = await open().issue(content)
    await expect(open().verify(token)).resolves.toMatchObject({ sub: 'ada', stw, access, exp: start / 1000 + 600 })
  })
})

describe('a token that was verified before', () => {
  it('is answered at once, with the same object, and without asking for a key', async () => {
    const { open, asked } = await setUp()
    const bearer = open()
    const { token } = await bearer.issue(content)
    const first = await bearer.verify(token)
    const again = bearer.verify(token)
    expect(again).toBe(first)
    expect(asked).toHaveLength(1)
  })

  it('ends when it expires, to the millisecond', async () => {
    const { open, clock } = await setUp()
    const bearer = open()
    const { token } = await bearer.issue(content)
    await bearer.verify(token)
    clock.at = start + 599_999
    expect(bearer.verify(token)).not.toBeInstanceOf(Promise)
    clock.at = start + 600_000
    expect(() => bearer.verify(token)).toThrow('Get a new one')
    await expectRefused(open(), token)
  })

  it('is verified again after `forget`', async () => {
    const { open, keys, asked } = await setUp()
    const bearer = open()
    const { token } = await bearer.issue(content)
    await bearer.verify(token)
    bearer.forget()
    await bearer.verify(token)
    expect(asked).toHaveLength(2)
    await keys.rotate({ revoke: true })
    bearer.forget()
    await expectRefused(bearer, token)
  })

  it('is not remembered when keys were revoked while it was verified', async () => {
    const { open, keys } = await setUp()
    const bearer = open()
    const { token } = await bearer.issue(content)
    const underWay = bearer.verify(token)
    bearer.forget()
    await underWay
    await keys.rotate({ revoke: true })
    await expectRefused(bearer, token)
  })
})

it('tokens of a key that was rotated out are good until they end', async () => {
  const { open, keys } = await setUp()
  const bearer = open()
  const { token } = await bearer.issue(content)
  await keys.rotate({ revoke: false })
  await expect(bearer.verify(token)).resolves.toMatchObject({ sub: 'ada' })
})

it('a token for another service is refused', async () => {
  const { open } = await setUp()
  const { token } = await open('other.example').issue(content)
  await expectRefused(open(), token)
})

describe('claims', () => {
  it.each(['iss', 'aud', 'sub', 'exp', 'nbf', 'iat', 'jti', 'access', 'stw'])(
    'without %s it is refused',
    async (name) => {
      const { open, signed } = await setUp()
      await expectRefused(open(), await signed((claims) => delete claims[name]))
    },
  )

  it.each([
    ['iss', 'other.example'],
    ['iss', [service]],
    ['aud', 'other.example'],
    ['aud', ['other.example']],
    ['aud', 5],
    ['sub', 5],
    ['jti', null],
    ['access', {}],
    ['access', 'repository:*:*'],
    ['stw', null],
    ['stw', 'administrator'],
    ['stw', {}],
    ['exp', '9999999999'],
    ['exp', start / 1000],
    // Longer than any token the registry signs.
    ['exp', start / 1000 + 3601],
    ['iat', start / 1000 + 61],
    ['iat', 'now'],
    ['nbf', start / 1000 + 61],
  ])('with %s = %j it is refused', async (name, value) => {
    const { open, signed } = await setUp()
    await expectRefused(open(), await signed((claims) => (claims[name] = value)))
  })

  it.each([
    ['iat', start / 1000 + 60],
    ['nbf', start / 1000 + 60],
    ['aud', [service, 'other.example']],
    ['exp', start / 1000 + 3600],
  ])('with %s = %j it is good: clocks differ', async (name, value) => {
    const { open, signed } = await setUp()
    await expect(open().verify(await signed((claims) => (claims[name] = value)))).resolves.toMatchObject({ sub: 'ada' })
  })
})

describe('the header', () => {
  it.each([{ typ: 'at+jwt' }, { typ: undefined }, { typ: 'jwt' }, { cty: 'JWT' }, { other: 1 }, { x5t: 'x' }])(
    'with %j it is refused, though the key is ours',
    async (header) => {
      const { open, signed } = await setUp()
      await expectRefused(open(), await signed(() => {}, header))
    },
  )
})

describe('T30 (CVE-2025-30204): a token is measured before anything else is done with it', () => {
  it.each([
    ['dots', '.'.repeat(1_000_000)],
    ['a header without an end', 'e'.repeat(8193)],
    ['a token with a tail', `${'a'.repeat(8190)}.b.c`],
  ])('%s', async (_, token) => {
    const { open, asked } = await setUp()
    const bearer = open()
    // Thrown, not rejected: nothing was begun.
    expect(() => bearer.verify(token)).toThrow(RegistryError)
    expect(asked).toEqual([])
  })

  it('dots that are short enough reach no key either', async () => {
    const { open, asked } = await setUp()
    for (const count of [0, 1, 2, 3, 4, 100, 8192]) await expectRefused(open(), '.'.repeat(count))
    const { token } = await open().issue(content)
    await expectRefused(open(), `${token}.`)
    await expectRefused(open(), `.${token}`)
    await expectRefused(open(), token.replace('.', '..'))
    expect(asked).toEqual([])
  })

  it('no token is issued that is longer than what is taken', async () => {
    const { open } = await setUp()
    const many = (count: number): ResourceActions[] =>
      Array.from({ length: count }, (_, index) => ({
        type: 'repository',
        name: `team/name-${index}`,
        actions: ['pull'],
      }))
    const bearer = open()
    const { token } = await bearer.issue({ ...content, access: many(60) })
    await expect(bearer.verify(token)).resolves.toMatchObject({ sub: 'ada' })
    await expect(bearer.issue({ ...content, access: many(100) })).rejects.toMatchObject({ fault: 'query-invalid' })
  })
})

it.each([0, 59, 3601, 60.5, Number.NaN])('a lifetime of %d seconds is refused', async (lifetime) => {
  const { keys } = await setUp()
  expect(() => createBearer({ keys, service, lifetime, now: Date.now })).toThrow(RangeError)
})

it('a database that does not answer is not the fault of the token', async () => {
  const { keys, open } = await setUp()
  const { token } = await open().issue(content)
  const away = { ...keys, verifier: () => Promise.reject(new Error('the disk is away')) }
  const bearer = createBearer({ keys: away, service, lifetime: 600, now: () => start })
  onTestFinished(() => bearer.forget())
  await expect(bearer.verify(token)).rejects.toThrow('the disk is away')
})
