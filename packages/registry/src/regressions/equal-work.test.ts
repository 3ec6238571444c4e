import * as nodeCrypto from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { StatementSync } from 'node:sqlite'
import { type Answer, doors, sample } from '@stowage/testkit'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import * as bcrypt from '../accounts/passwords/bcrypt.ts'
import { memoryBlobs } from '../blobs/memory/memory-blobs.ts'
import type { MetadataStore } from '../metadata/metadata-store.ts'
import { sqliteMetadata } from '../metadata/sqlite/sqlite-metadata.ts'
import { basic, passwordOf, withAccounts, type WithAccounts } from '../testing/with-accounts.ts'

/** What is done for a request, in the order in which it is done. */
const work: string[] = []

vi.mock('node:crypto', async (original) => {
  const actual = await original<typeof nodeCrypto>()
  const argon2 = (...given: Parameters<typeof actual.argon2>): void => {
    const [algorithm, { memory, passes, parallelism, tagLength }] = given
    work.push(`${algorithm} of ${memory} KiB × ${passes} × ${parallelism} for ${tagLength} bytes`)
    actual.argon2(...given)
  }
  return { ...actual, argon2 }
})

vi.mock('../accounts/passwords/bcrypt.ts', async (original) => {
  const actual = await original<typeof bcrypt>()
  const createBcrypt = (...given: Parameters<typeof actual.createBcrypt>): bcrypt.Bcrypt => {
    const made = actual.createBcrypt(...given)
    const compare: typeof made.compare = async (password, hash) => {
      work.push(`bcrypt of cost ${hash.slice(4, 6)}`)
      return made.compare(password, hash)
    }
    return { ...made, compare, [Symbol.asyncDispose]: async () => made[Symbol.asyncDispose]() }
  }
  return { ...actual, createBcrypt }
})

/** Notes every call of the store, by its name. */
const noted = <Store extends object>(store: Store, path = ''): Store =>
  new Proxy(store, {
    get: (target, property) => {
      const value: unknown = Reflect.get(target, property)
      const name = `${path}${String(property)}`
      if (property === 'accounts') return noted(value as object, 'accounts.')
      if (typeof value !== 'function' || typeof property === 'symbol') return value
      return (...given: unknown[]): unknown => {
        work.push(name)
        return value.apply(target, given) as unknown
      }
    },
  })

/** `password` by bcrypt. */
const inFile = '$2b$04$Dj1/9svYqlXTRtPL4o.qUOBqNZ0lY2uy/9e6aSJGJMwsyBEWhOnPe'

interface Seen {
  readonly answer: unknown
  readonly work: readonly string[]
  readonly statements: number
}

/** What a client sees and what was done for it. Not the time, and not what the client said itself. */
const seen = async (ask: () => Promise<Answer>, said: readonly string[] = []): Promise<Seen> => {
  work.length = 0
  const all = vi.spyOn(StatementSync.prototype, 'all')
  const get = vi.spyOn(StatementSync.prototype, 'get')
  const answer = await ask()
  const statements = all.mock.calls.length + get.mock.calls.length
  all.mockRestore()
  get.mockRestore()
  const without = (text: string | null): string | null =>
    text === null ? null : said.reduce((rest, word) => rest.replaceAll(word, '…'), text)
  const names = [
    'www-authenticate',
    'content-type',
    'content-length',
    'cache-control',
    'retry-after',
    'docker-content-digest',
    'etag',
    'vary',
    'connection',
  ]
  return {
    answer: [answer.status, without(answer.text()), ...names.map((name) => without(answer.header(name)))],
    work: [...work],
    statements,
  }
}

describe.each(doors)('equal work, through $name', (door) => {
  let directory: string
  let clock: number
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'stowage-work-'))
    await writeFile(join(directory, 'htpasswd'), `ed:${inFile}\neve:${inFile}\n`)
    clock = Date.now()
  })
  afterEach(async () => rm(directory, { recursive: true, force: true }))

  const open = async (): Promise<WithAccounts> => {
    const metadata: MetadataStore = noted(await sqliteMetadata({ path: ':memory:' }))
    return withAccounts(door, {
      storage: { metadata, blobs: memoryBlobs() },
      accounts: { htpasswd: join(directory, 'htpasswd') },
      now: () => clock,
    })
  }

  describe('T22, CVE-2019-19030, CVE-2025-69413: whether there is a user shows in nothing', () => {
    const ways: Record<string, (registry: WithAccounts, name: string, password: string) => Promise<Answer>> = {
      'Basic on /v2/': (registry, name, password) => registry.as(basic(name, password)).send('GET', '/v2/'),
      'Basic on a private repository': (registry, name, password) =>
        registry.as(basic(name, password)).send('GET', '/v2/a/tags/list'),
      'Basic at the token endpoint': (registry, name, password) =>
        registry.token(basic(name, password), 'repository:a:pull'),
      'a form at the token endpoint': (registry, name, password) =>
        registry.as().send('POST', '/auth/token', {
          headers: { 'content-type': 'application/x-www-form-urlencoded' },
          body: new URLSearchParams({ grant_type: 'password', username: name, password, client_id: 'x' }).toString(),
        }),
    }

    it.each(Object.entries(ways))('by %s', async (_, way) => {
      await using registry = await open()
      const { accounts } = registry
      await registry.user('ann')
      await registry.user('amy')
      await registry.user('off')
      await registry.user('out')
      await accounts.addUser({ name: 'tokens-only' })
      await accounts.changeUser('off', { disabled: true })
      await accounts.changeUser('out', { disabled: true })
      const wrong = 'incorrect horse battery'
      // Rules and issuers are read for whoever comes first.
      await way(registry, 'the-first', wrong)
      clock += 3_600_000
      const nobody = await seen(() => way(registry, 'nobody', wrong))
      expect(nobody.work.filter((each) => /argon2id|bcrypt/.test(each))).toEqual([
        'argon2id of 19456 KiB × 2 × 1 for 32 bytes',
        'bcrypt of cost 04',
      ])
      expect((nobody.answer as unknown[])[0]).toBe(401)
      // Each for the first time.
      for (const [name, password] of [
        ['ann', wrong],
        // Right, but no more.
        ['off', passwordOf('off')],
        ['out', wrong],
        ['tokens-only', wrong],
        ['ed', wrong],
        ['another-nobody', wrong],
        // Longer than any password is, and longer than bcrypt looks at.
        ['amy', 'x'.repeat(1500)],
        ['eve', 'x'.repeat(100)],
        ['nobody-else', 'x'.repeat(1500)],
      ] as const) {
        clock += 3_600_000
        expect([name, await seen(() => way(registry, name, password))]).toEqual([name, nobody])
      }
      // Whoever is asked for again is known to be there, or not to be; and the work is the same again.
      const again = async (name: string): Promise<Seen> => {
        clock += 10
        return seen(() => way(registry, name, 'and wrong again'))
      }
      clock += 3_600_000
      await way(registry, 'nobody', wrong)
      const nobodyAgain = await again('nobody')
      for (const name of ['ann', 'off', 'tokens-only', 'ed']) {
        await way(registry, name, wrong)
        expect([name, await again(name)]).toEqual([name, nobodyAgain])
      }
      expect((await way(registry, 'ann', passwordOf('ann'))).status).not.toBe(401)
    })

    it('nor does whether there is a token, or whose it is', async () => {
      await using registry = await open()
      const { accounts } = registry
      await registry.user('ann')
      await registry.user('bob')
      const { secret } = await accounts.addToken({ user: 'ann', label: 'one' })
      const ended = await accounts.addToken({ user: 'ann', label: 'short', expiresIn: 60 })
      clock += 120_000
      const tampered = `${secret.slice(0, -1)}${secret.endsWith('A') ? 'B' : 'A'}`
      const none = `stwp_${'a'.repeat(16)}_${'A'.repeat(43)}`
      const ask = async (name: string, password: string): Promise<Seen> => {
        // As if for the first time: what was looked up is forgotten.
        await accounts.changeUser('bob', {})
        const found = await seen(() => registry.as(basic(name, password)).send('GET', '/v2/'))
        return found
      }
      const unknown = await ask('ann', none)
      expect(unknown.work.some((each) => /argon2id|bcrypt/.test(each))).toBe(false)
      for (const [name, password] of [
        ['ann', tampered],
        ['bob', secret],
        ['nobody', secret],
        ['nobody', none],
        ['ann', ended.secret],
      ] as const) {
        expect([name, await ask(name, password)]).toEqual([name, unknown])
      }
      expect((await registry.as(basic('ann', secret)).send('GET', '/v2/')).status).toBe(200)
    })
  })

  it('T8, CVE-2024-39897: a blob that is elsewhere costs what one costs that is nowhere', async () => {
    await using registry = await open()
    const login = await registry.user('ann')
    await registry.accounts.addRule({
      subject: { kind: 'user', name: 'ann' },
      repositories: 'mine/*',
      actions: ['pull', 'push', 'overwrite', 'delete'],
    })
    const boss = registry.as(await registry.user('boss', { administrator: true }))
    const elsewhere = await sample.pushBlob(boss, 'theirs/app', Buffer.from('elsewhere'))
    const everywhere = Buffer.from('everywhere')
    const common = await sample.pushBlob(boss, 'others/0', everywhere)
    for (let at = 1; at < 40; at++) {
      await boss.send('POST', `/v2/others/${at}/blobs/uploads/?mount=${common}&from=others/0`)
    }
    const nowhere = sample.sha256(Buffer.from('nowhere at all'))
    await sample.pushBlob(registry.as(login), 'mine/app', Buffer.from('mine'))
    const scopes = ['mine/app', 'theirs/app', 'others/0'].map((name) => `repository:${name}:pull,push,delete`)
    for (const authorization of [login, await registry.bearer(login, ...scopes)]) {
      const user = registry.as(authorization)
      const manifest = (digest: string): string =>
        JSON.stringify({
          schemaVersion: 2,
          config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest, size: 9 },
          layers: [],
        })
      const requests: Record<string, (digest: string) => Promise<Answer>> = {
        HEAD: (digest) => user.send('HEAD', `/v2/mine/app/blobs/${digest}`),
        GET: (digest) => user.send('GET', `/v2/mine/app/blobs/${digest}`),
        'a range': (digest) => user.send('GET', `/v2/mine/app/blobs/${digest}`, { headers: { range: 'bytes=0-0' } }),
        DELETE: (digest) => user.send('DELETE', `/v2/mine/app/blobs/${digest}`),
        'a mount from there': (digest) =>
          user.send('POST', `/v2/mine/app/blobs/uploads/?mount=${digest}&from=theirs/app`),
        'a mount from wherever': (digest) => user.send('POST', `/v2/mine/app/blobs/uploads/?mount=${digest}`),
        'a manifest': (digest) =>
          user.send('PUT', '/v2/mine/app/manifests/x', {
            body: manifest(digest),
            headers: { 'content-type': 'application/vnd.oci.image.manifest.v1+json' },
          }),
        'a manifest by that digest': (digest) => user.send('GET', `/v2/mine/app/manifests/${digest}`),
        'its referrers': (digest) => user.send('GET', `/v2/mine/app/referrers/${digest}`),
      }
      for (const [what, ask] of Object.entries(requests)) {
        // Once for what is prepared at first use.
        await ask(nowhere)
        const none = await seen(() => ask(nowhere), [nowhere])
        expect(none.work.length).toBeGreaterThan(0)
        // Without a source it is looked for, and more is looked at where it is in more than a few repositories.
        for (const digest of what === 'a mount from wherever' ? [elsewhere] : [elsewhere, common]) {
          expect([what, await seen(() => ask(digest), [digest])]).toEqual([what, none])
        }
      }
    }
  })
})
