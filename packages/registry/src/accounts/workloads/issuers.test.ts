import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { RegistryError } from '../../errors.ts'
import { type Logger, silentLogger } from '../../logger.ts'
import { type OidcIssuer, startOidcIssuer } from '../../testing/oidc-issuer.ts'
import { createWorkloads, type TrustedIssuer, type Workloads } from './issuers.ts'

const issuers = new Map<string, OidcIssuer>()
let ci: OidcIssuer

beforeAll(async () => {
  for (const algorithm of ['RS256', 'PS256', 'ES256', 'EdDSA'] as const) {
    issuers.set(algorithm, await startOidcIssuer(algorithm))
  }
  ci = issuers.get('RS256') as OidcIssuer
})
afterAll(async () => {
  vi.useRealTimers()
  for (const issuer of issuers.values()) await issuer[Symbol.asyncDispose]()
})

// The keys of an issuer are kept by the clock of the machine.
beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'] }))

const open = (logger: Logger = silentLogger): Workloads => createWorkloads({ now: () => Date.now(), logger })

const trust = (change: Partial<TrustedIssuer> = {}): TrustedIssuer => ({
  name: 'ci',
  issuer: ci.url,
  audience: 'stowage',
  conditions: { repository: 'team/*' },
  ...change,
})

const claims = { repository: 'team/app', ref: 'refs/heads/main', run: 17, protected: true }
const token = (audience = 'stowage', more: object = {}): Promise<string> =>
  ci.token({ audience, claims: { ...claims, ...more } })

const expectRefused = async (verify: Promise<unknown>, message: string): Promise<void> => {
  const error = await verify.catch((reason: unknown) => reason)
  expect(error).toBeInstanceOf(RegistryError)
  expect(error).toMatchObject({ fault: 'unauthorized', hints: { login: 'invalid-credentials' } })
  expect(String(error)).toContain(message)
}

describe('the token of a job', () => {
  it.each(['RS256', 'PS256', 'ES256', 'EdDSA'])(
    'is verified by the keys that its issuer shows (%s)',
    async (algorithm) => {
      const issuer = issuers.get(algorithm) as OidcIssuer
      const entry = trust({ issuer: issuer.url })
      const jwt = await issuer.token({ audience: 'stowage', claims })
      await expect(open().verify(jwt, [entry])).resolves.toEqual({ name: 'ci:job', subject: 'job', issuers: [entry] })
    },
  )

  it('is nobody when its issuer is not trusted, and that one is not asked for anything', async () => {
    const jwt = await token()
    const stranger = trust({ issuer: issuers.get('ES256')?.url ?? '' })
    const before = issuers.get('ES256')?.requests.length
    await expect(open().verify(jwt, [stranger])).resolves.toBeUndefined()
    await expect(open().verify(jwt, [trust({ issuer: `${ci.url}/` })])).resolves.toBeUndefined()
    await expect(open().verify(jwt, [])).resolves.toBeUndefined()
    expect(issuers.get('ES256')?.requests.length).toBe(before)
  })

  it.each(['', 'hunter2', 'a.b.c', '..', 'eyJ.eyJ.x', `${'a'.repeat(20_000)}.b.c`, '.'.repeat(100_000)])(
    'is nobody when it is no token',
    async (jwt) => {
      await expect(open().verify(jwt, [trust()])).resolves.toBeUndefined()
    },
  )

  it('is nobody when it is longer than 16 KiB', async () => {
    const long = await token('stowage', { filler: 'x'.repeat(12_500) })
    expect(long.length).toBeGreaterThan(16 * 1024)
    await expect(open().verify(long, [trust()])).resolves.toBeUndefined()
    await expect(
      open().verify(await token('stowage', { filler: 'x'.repeat(11_000) }), [trust()]),
    ).resolves.toBeDefined()
  })

  it('is refused with another audience, and with other claims', async () => {
    const workloads = open()
    await expectRefused(workloads.verify(await token('other'), [trust()]), 'its audience or its claims')
    await expectRefused(workloads.verify(await token('stowage', { repository: 'eve/app' }), [trust()]), 'its claims')
    await expectRefused(workloads.verify(await token(), [trust({ conditions: { missing: '*' } })]), 'its claims')
    await expectRefused(workloads.verify(await token(), [trust({ conditions: {} })]), 'its claims')
  })

  it('is refused when it has expired', async () => {
    const workloads = open()
    const jwt = await token()
    await workloads.verify(jwt, [trust()])
    vi.setSystemTime(Date.now() + 299_000)
    await workloads.verify(jwt, [trust()])
    vi.setSystemTime(Date.now() + 2000)
    await expectRefused(workloads.verify(jwt, [trust()]), 'is not good')
  })

  it('is refused when another issuer signed it', async () => {
    const other = await startOidcIssuer('RS256')
    try {
      // Says that it is of `other`, whose place shows the keys of `ci`.
      const jwt = await other.token({ audience: 'stowage', claims })
      const entry = trust({ issuer: other.url, jwksUri: `${ci.url}/jwks` })
      await expectRefused(open().verify(jwt, [entry]), 'is not good')
    } finally {
      await other[Symbol.asyncDispose]()
    }
  })

  it('is refused when a character of it was changed', async () => {
    const workloads = open()
    const [header = '', body = '', signature = ''] = (await token()).split('.')
    const other = Buffer.from(JSON.stringify({ ...JSON.parse(atob(body)), repository: 'team/other' })).toString(
      'base64url',
    )
    await expectRefused(workloads.verify(`${header}.${other}.${signature}`, [trust()]), 'is not good')
    await expectRefused(workloads.verify(`${header}.${body}.`, [trust()]), 'is not good')
  })
})

describe('several entries of one issuer', () => {
  it('stand side by side: all that are met count, in their order', async () => {
    const entries = [
      trust({ name: 'main', conditions: { ref: 'refs/heads/main' } }),
      trust({ name: 'tags', conditions: { ref: 'refs/tags/*' } }),
      trust({ name: 'team', conditions: { repository: 'team/*', protected: 'true' } }),
      trust({ name: 'elsewhere', audience: 'other' }),
    ]
    const found = await open().verify(await token(), entries)
    expect(found).toEqual({ name: 'main:job', subject: 'job', issuers: [entries[0], entries[2]] })
    const reversed = await open().verify(await token(), entries.toReversed())
    expect(reversed?.issuers.map(({ name }) => name)).toEqual(['team', 'main'])
  })

  it('ask for keys once when they have them in one place', async () => {
    const workloads = open()
    const jwt = await token()
    ci.requests.splice(0)
    await Promise.all(
      Array.from({ length: 20 }, () => workloads.verify(jwt, [trust(), trust({ name: 'b' }), trust({ name: 'c' })])),
    )
    await workloads.verify(jwt, [trust()])
    expect(ci.requests).toEqual(['/.well-known/openid-configuration', '/jwks'])
  })

  it('may name the place of the keys, each its own', async () => {
    const jwt = await token()
    const named = trust({ name: 'named', jwksUri: `${ci.url}/jwks` })
    ci.requests.splice(0)
    await expect(open().verify(jwt, [named])).resolves.toMatchObject({ issuers: [named] })
    expect(ci.requests).toEqual(['/jwks'])
    // One whose keys are elsewhere, and one whose keys cannot be had, take nothing away from the others.
    const wrong = trust({ name: 'wrong', jwksUri: `${issuers.get('ES256')?.url}/jwks` })
    const away = trust({ name: 'away', jwksUri: `${ci.url}/nowhere` })
    await expect(open().verify(jwt, [wrong, away, named])).resolves.toMatchObject({
      name: 'named:job',
      issuers: [named],
    })
  })
})

describe('the keys of an issuer', () => {
  it('are asked for again when a token has another one, at most twice a minute', async () => {
    const issuer = await startOidcIssuer('ES256')
    try {
      const workloads = open()
      const entry = trust({ issuer: issuer.url })
      const jwt = (): Promise<string> => issuer.token({ audience: 'stowage', claims })
      await workloads.verify(await jwt(), [entry])
      await issuer.rotate()
      await expectRefused(workloads.verify(await jwt(), [entry]), 'is not good')
      vi.setSystemTime(Date.now() + 31_000)
      const keysAsked = (): number => issuer.requests.filter((path) => path === '/jwks').length
      const before = keysAsked()
      await expect(workloads.verify(await jwt(), [entry])).resolves.toMatchObject({ subject: 'job' })
      expect(keysAsked()).toBe(before + 1)
    } finally {
      await issuer[Symbol.asyncDispose]()
    }
  })

  it.each([
    ['by discovery', undefined],
    ['in a place that is named', '/jwks'],
  ])('are kept for ten minutes, also while it is down (%s)', async (_, path) => {
    const issuer = await startOidcIssuer('ES256')
    const jwt = await issuer.token({ audience: 'stowage', claims })
    const workloads = open()
    const entry = trust({ issuer: issuer.url, ...(path !== undefined && { jwksUri: issuer.url + path }) })
    await workloads.verify(jwt, [entry])
    await issuer[Symbol.asyncDispose]()
    vi.setSystemTime(Date.now() + 200_000)
    await expect(workloads.verify(jwt, [entry])).resolves.toMatchObject({ subject: 'job' })
    vi.setSystemTime(Date.now() + 401_000)
    await expect(workloads.verify(jwt, [entry])).rejects.toMatchObject({ fault: 'overloaded' })
  })
})

it('what is wrong with a token is in the log, and neither there nor in the answer is the token', async () => {
  const lines: string[] = []
  const log = (facts: object, message: string): void => void lines.push(JSON.stringify([facts, message]))
  const workloads = open({ debug: log, info: log, warn: log, error: log })
  const jwt = await token('other')
  const errors = [
    await workloads.verify(jwt, [trust()]).catch(String),
    await workloads.verify(`${jwt.slice(0, -10)}AAAAAAAAAA`, [trust()]).catch(String),
    await workloads.verify(jwt, [trust({ jwksUri: `${ci.url}/nowhere` })]).catch(String),
  ]
  expect(lines.join('\n')).toContain('audience and conditions')
  expect(lines.join('\n')).toContain('signature verification failed')
  expect(lines.join('\n')).toContain('status 404')
  for (const part of jwt.split('.')) expect(JSON.stringify([lines, errors])).not.toContain(part.slice(0, 30))
})
