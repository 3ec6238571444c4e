import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { existsSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { expect } from 'vitest'
import { askAccountServer } from '../admin/client.ts'
import type { accessSettings } from '../config/access-settings.ts'
import { serve, type ServeOptions } from '../serve.ts'
import { digestOf, imageManifest, pushBlob, pushManifest } from './push.ts'
import { serveForTest, type TestServing } from './serve-for-test.ts'
import { temporaryDirectory } from './temporary-directory.ts'

/** The settings of access, each with a proof that it does something. Part of the table in `settings-effects.test.ts`. */
type AccessKey =
  | keyof typeof accessSettings
  | 'auth'
  | `limits.${'requestRate' | 'requestBurst' | 'openUploads' | 'allOpenUploads'}`

const password = 'correct horse'
const basic = (name: string, secret = password): { authorization: string } => ({
  authorization: `Basic ${Buffer.from(`${name}:${secret}`).toString('base64')}`,
})

/** With `auth` on, and an administrator `admin`. */
const served = async (options: ServeOptions = {}): Promise<TestServing> =>
  serveForTest({ auth: true, admin: { password }, ...options })

const statusOf = async (url: string, headers: Record<string, string> = {}, method = 'GET'): Promise<number> =>
  (await fetch(url, { method, headers })).status

const challengeOf = async (url: string, headers: Record<string, string> = {}): Promise<string | null> =>
  (await fetch(`${url}/v2/`, { headers })).headers.get('www-authenticate')

const post = async (url: string, repository: string, name?: string): Promise<number> =>
  statusOf(`${url}/v2/${repository}/blobs/uploads/`, name === undefined ? {} : basic(name), 'POST')

/** A JWT as somebody else signs it, and the key to it. */
const signer = () => {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  const jwks = { keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'k', alg: 'EdDSA', use: 'sig' }] }
  return { jwks, token: (claims: object): string => signed(privateKey, claims) }
}

const signed = (key: KeyObject, claims: object): string => {
  const now = Math.floor(Date.now() / 1000)
  const parts = [
    { alg: 'EdDSA', typ: 'JWT', kid: 'k' },
    { iat: now, nbf: now, exp: now + 300, ...claims },
  ].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
  return `${parts.join('.')}.${sign(null, Buffer.from(parts.join('.')), key).toString('base64url')}`
}

const testTokenServer = async (): Promise<void> => {
  await using directory = await temporaryDirectory()
  const { jwks, token } = signer()
  const file = join(directory.path, 'keys.json')
  writeFileSync(file, JSON.stringify(jwks))
  const realm = 'https://auth.example/token/?v=1'
  await using started = await served({ tokenServer: { realm, issuer: 'https://auth.example', jwks: file } })
  expect(await challengeOf(started.url)).toContain(`Bearer realm="${realm}",`)
  expect(await statusOf(`${started.url}/auth/token`)).toBe(404)
  const access = [{ type: 'repository', name: 'a', actions: ['pull', 'push'] }]
  const bearer = (issuer: string, made = token): { authorization: string } => ({
    authorization: `Bearer ${made({ iss: issuer, aud: 'stowage', sub: 'ada', access })}`,
  })
  const begin = async (headers: { authorization: string }): Promise<number> =>
    statusOf(`${started.url}/v2/a/blobs/uploads/`, headers, 'POST')
  expect(await begin(bearer('https://auth.example'))).toBe(202)
  expect(await begin(bearer('https://elsewhere.example'))).toBe(401)
  expect(await begin(bearer('https://auth.example', signer().token))).toBe(401)
}

const testFirstAdministrator = async (options: ServeOptions, name: string): Promise<void> => {
  await using started = await serveForTest({ auth: true, ...options })
  expect(await statusOf(`${started.url}/v2/`, basic(name))).toBe(200)
  expect(await statusOf(`${started.url}/v2/`, basic(name, 'wrong horse'))).toBe(401)
  expect(await post(started.url, 'any/where', name)).toBe(202)
}

const image = imageManifest('hello')

const pushed = async (options: ServeOptions): Promise<TestServing> => {
  const started = await serveForTest(options)
  expect((await pushBlob(started.url, 'team/app', 'hello')).status).toBe(201)
  expect((await pushManifest(started.url, 'team/app', 'v1', image)).status).toBe(201)
  return started
}

const remove = async (deletion: boolean): Promise<number> => {
  await using started = await pushed({ policies: { deletion } })
  return await statusOf(`${started.url}/v2/team/app/manifests/v1`, {}, 'DELETE')
}

export const accessEffects: { readonly [K in AccessKey]: () => Promise<void> } = {
  auth: async () => {
    await using unset = await serveForTest()
    expect(unset.serving.notices).toEqual([expect.stringMatching(/^auth is not on: everyone .* --auth/)])
    await using off = await serveForTest({ auth: 'off' })
    expect(off.serving.notices).toEqual([expect.stringMatching(/^auth is off: everyone/)])
    for (const { url, log, serving } of [unset, off]) {
      expect(await post(url, 'a')).toBe(202)
      expect(await statusOf(`${url}/v2/`, basic('nobody'))).toBe(200)
      for (const method of ['GET', 'POST']) {
        expect(await statusOf(`${url}/auth/token`, {}, method)).toBe(404)
        expect(await statusOf(`${url}/auth/token/?service=x`, {}, method)).toBe(404)
      }
      expect(log).toContainEqual({ level: 'warn', facts: {}, message: serving.notices[0] })
    }
    await using on = await serveForTest({ auth: 'on', address: '0.0.0.0:0' })
    expect(on.serving.notices).toEqual([
      expect.stringContaining('stowage user add admin --administrator'),
      expect.stringContaining('in clear text'),
    ])
    const url = `http://127.0.0.1:${on.port}`
    expect(await post(url, 'a')).toBe(401)
    expect(await challengeOf(url)).toBe(`Bearer realm="${url}/auth/token",service="stowage",scope="registry:api:ping"`)
    for (const path of ['/auth/token?service=stowage', '/auth/token/?service=stowage']) {
      expect(await statusOf(`${url}${path}`)).toBe(200)
    }
  },

  'access.rules': async () => {
    await using started = await served({
      access: { rules: [{ subject: 'anonymous', repositories: 'public/*', actions: ['pull', 'push'] }] },
    })
    expect(await post(started.url, 'public/a')).toBe(202)
    expect(await post(started.url, 'private/a')).toBe(401)
  },

  'access.issuers': async () => {
    const { jwks, token } = signer()
    const keys = createServer((_, response) => void response.end(JSON.stringify(jwks)))
    await new Promise<void>((resolve) => keys.listen(0, '127.0.0.1', resolve))
    const issuer = `http://127.0.0.1:${(keys.address() as AddressInfo).port}`
    const permissions = [{ repositories: 'acme/*', actions: ['pull', 'push'] as const }]
    const conditions = { repository: 'acme/*' }
    const trusted = { name: 'ci', issuer, audience: 'registry', jwksUri: `${issuer}/keys`, conditions, permissions }
    await using started = await served({ access: { issuers: [trusted] } })
    const begin = async (repository: string, claims: object): Promise<number> => {
      const secret = token({ iss: issuer, aud: 'registry', sub: 'job', ...claims })
      return statusOf(`${started.url}/v2/${repository}/blobs/uploads/`, basic('ci', secret), 'POST')
    }
    expect(await begin('acme/app', { repository: 'acme/app' })).toBe(202)
    expect(await begin('other/app', { repository: 'acme/app' })).toBe(403)
    expect(await begin('acme/app', { repository: 'evil/app' })).toBe(401)
    keys.close().closeAllConnections()
  },

  'access.htpasswd': async () => {
    await using directory = await temporaryDirectory()
    const htpasswd = join(directory.path, 'users')
    writeFileSync(htpasswd, 'bob:$2b$04$2yFJTAlXP7b31ztg6I7exe5vAgygg0xR9A3l08eZgA5Nj9spsCJYq\n')
    await using started = await serveForTest({ auth: true, access: { htpasswd } })
    expect(started.serving.notices).toEqual([])
    expect(await statusOf(`${started.url}/v2/`, basic('bob'))).toBe(200)
    expect(await statusOf(`${started.url}/v2/`, basic('bob', 'wrong horse'))).toBe(401)
  },

  'access.service': async () => {
    await using started = await served({ access: { service: 'registry.example' } })
    expect(await challengeOf(started.url)).toContain('service="registry.example"')
  },

  'access.secretFile': async () => {
    await using directory = await temporaryDirectory()
    const secretFile = join(directory.path, 'secret')
    writeFileSync(secretFile, 'correct horse battery staple correct')
    await using own = await served()
    expect(existsSync(join(own.data, 'secret.key'))).toBe(true)
    await using given = await served({ access: { secretFile } })
    expect(await statusOf(`${given.url}/auth/token`, basic('admin'))).toBe(200)
    expect(existsSync(join(given.data, 'secret.key'))).toBe(false)
  },

  'tokens.lifetime': async () => {
    await using started = await served({ tokens: { lifetime: '2m' } })
    const answer = await fetch(`${started.url}/auth/token`, { headers: basic('admin') })
    expect(await answer.json()).toMatchObject({ expires_in: 120 })
  },

  'tokenServer.realm': testTokenServer,
  'tokenServer.issuer': testTokenServer,
  'tokenServer.jwks': testTokenServer,

  'admin.name': async () => testFirstAdministrator({ admin: { name: 'root', password } }, 'root'),
  'admin.password': async () => {
    await testFirstAdministrator({ admin: { password } }, 'admin')
    // Only where there is no user: a later start with another password changes nothing.
    await using directory = await temporaryDirectory()
    const options = { address: '127.0.0.1:0', data: directory.path, auth: true, log: { level: 'silent' } } as const
    await (await serve({ ...options, admin: { password } })).close()
    await using again = await serve({ ...options, admin: { name: 'other', password: 'another horse' } })
    expect(await statusOf(`${again.url}/v2/`, basic('admin'))).toBe(200)
    expect(await statusOf(`${again.url}/v2/`, basic('other', 'another horse'))).toBe(401)
    // Prepared also while nobody has to log in.
    await using off = await serveForTest({ admin: { password } })
    expect(await askAccountServer(off.data, 'user-list', {})).toMatchObject({ value: { users: [{ name: 'admin' }] } })
  },
  'admin.passwordFile': async () => {
    await using directory = await temporaryDirectory()
    const passwordFile = join(directory.path, 'password')
    writeFileSync(passwordFile, `${password}\n`)
    await testFirstAdministrator({ admin: { passwordFile } }, 'admin')
  },

  'policies.readOnly': async () => {
    await using started = await serveForTest({ policies: { readOnly: true } })
    expect(await post(started.url, 'a')).toBe(405)
    expect(await statusOf(`${started.url}/v2/`)).toBe(200)
  },

  'policies.deletion': async () => {
    expect(await remove(true)).toBe(202)
    expect(await remove(false)).toBe(405)
  },

  'policies.immutableTags': async () => {
    await using started = await pushed({ policies: { immutableTags: ['team/*:v*'] } })
    const other = imageManifest('hello', 10)
    expect((await pushManifest(started.url, 'team/app', 'v1', other)).status).toBe(403)
    expect((await pushManifest(started.url, 'team/app', 'latest', other)).status).toBe(201)
    expect((await pushManifest(started.url, 'team/app', 'latest', image)).status).toBe(201)
    expect(await statusOf(`${started.url}/v2/team/app/manifests/${digestOf(image)}`, {}, 'DELETE')).toBe(403)
  },

  'policies.quotas': async () => {
    await using started = await serveForTest({ policies: { quotas: [{ repositories: 'team/*', bytes: '8B' }] } })
    expect((await pushBlob(started.url, 'team/a', 'hello')).status).toBe(201)
    expect((await pushBlob(started.url, 'team/b', 'world')).status).toBe(403)
    expect((await pushBlob(started.url, 'other/b', 'world')).status).toBe(201)
  },

  trustedProxies: async () => {
    const headers = { 'x-forwarded-proto': 'https', 'x-forwarded-host': 'registry.example' }
    await using trusting = await served({ trustedProxies: ['127.0.0.0/8'] })
    expect(await challengeOf(trusting.url, headers)).toContain('realm="https://registry.example/auth/token"')
    await using wary = await served({ trustedProxies: ['10.0.0.0/8'] })
    expect(await challengeOf(wary.url, headers)).toContain(`realm="${wary.url}/auth/token"`)
  },

  'limits.requestRate': async () => {
    expect(await burst({ requestRate: 1, requestBurst: 3 })).toContain(429)
    expect(await burst({ requestRate: 0, requestBurst: 3 })).not.toContain(429)
  },
  'limits.requestBurst': async () => {
    expect(await burst({ requestRate: 1, requestBurst: 3 })).toContain(429)
    expect(await burst({ requestRate: 1, requestBurst: 100 })).not.toContain(429)
  },

  'limits.openUploads': async () => {
    const rules = [{ subject: 'anonymous', repositories: '*', actions: ['push'] }] as const
    await using started = await served({ limits: { openUploads: 1 }, access: { rules } })
    expect([await post(started.url, 'a', 'admin'), await post(started.url, 'b', 'admin')]).toEqual([202, 429])
    // Who gives no name has what all have.
    expect([await post(started.url, 'a'), await post(started.url, 'b')]).toEqual([202, 202])
  },
  'limits.allOpenUploads': async () => {
    const rules = [{ subject: 'anonymous', repositories: '*', actions: ['push'] }] as const
    await using started = await served({ limits: { allOpenUploads: 1 }, access: { rules } })
    const [first, second] = [await post(started.url, 'a', 'admin'), await post(started.url, 'b')]
    expect(first).toBe(202)
    expect([429, 503]).toContain(second)
  },
}

const burst = async (limits: NonNullable<ServeOptions['limits']>): Promise<number[]> => {
  await using started = await served({ limits })
  const statuses: number[] = []
  for (let request = 0; request < 8; request++) statuses.push(await statusOf(`${started.url}/v2/`, basic('admin')))
  return statuses
}
