import * as nodeCrypto from 'node:crypto'
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { createRegistry, type Registry } from '@stowage/registry'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { basic, secret } from '../testing/with-accounts.ts'

vi.mock('node:crypto', async (original) => {
  const actual = await original<typeof nodeCrypto>()
  return { ...actual, timingSafeEqual: vi.fn(actual.timingSafeEqual) }
})

const bcryptOfPassword = '$2b$04$Dj1/9svYqlXTRtPL4o.qUOBqNZ0lY2uy/9e6aSJGJMwsyBEWhOnPe'

describe('advisories about credentials that are kept', () => {
  let directory: string
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'stowage-credentials-'))
  })
  afterEach(async () => rm(directory, { recursive: true, force: true }))

  const ask = async (registry: Registry, path: string, authorization?: string, form?: object): Promise<Response> =>
    registry.fetch(
      new Request(`http://registry.test${path}`, {
        method: form === undefined ? 'GET' : 'POST',
        ...(authorization !== undefined && { headers: { authorization } }),
        ...(form !== undefined && { body: new URLSearchParams(form as Record<string, string>) }),
      }),
    )

  it('T24, CVE-2023-20902: secrets are compared in constant time', async () => {
    const htpasswd = join(directory, 'htpasswd')
    await writeFile(htpasswd, `file:${bcryptOfPassword}\n`)
    await using registry = await createRegistry({ storage: ':memory:', accounts: { secret, htpasswd } })
    await registry.accounts?.addUser({ name: 'ann', password: 'the password of ann' })
    const made = await registry.accounts?.addToken({ user: 'ann', label: 'one' })
    const token = made?.secret ?? ''
    const another = `${token.slice(0, -1)}${token.endsWith('A') ? 'B' : 'A'}`
    const compared = vi.mocked(nodeCrypto.timingSafeEqual)
    for (const [password, status] of [
      ['the password of ann', 200],
      ['the password of anN', 401],
      [token, 200],
      [another, 401],
      [`stwp_${'a'.repeat(16)}_${'A'.repeat(43)}`, 401],
    ] as const) {
      compared.mockClear()
      expect([password, (await ask(registry, '/v2/', basic('ann', password))).status]).toEqual([password, status])
      expect([password, compared.mock.calls.length > 0]).toEqual([password, true])
    }
  })

  it('T24: and no line of the accounts compares one in another way', async () => {
    const found: string[] = []
    const root = join(import.meta.dirname, '../accounts')
    for (const file of await readdir(root, { recursive: true })) {
      if (!file.endsWith('.ts') || file.endsWith('.test.ts')) continue
      for (const line of (await readFile(join(root, file), 'utf8')).split('\n')) {
        // Whether there is one at all may be asked.
        const rest = line.replaceAll(/[!=]==? (?:undefined|null|''|'[a-z]+')/g, '')
        if (/\b(?:\w*[sS]ecret(?:Hash)?|\w*[pP]assword(?:Hash)?|tag|signature)\s*[!=]==?/.test(rest)) {
          found.push(`${file}: ${line.trim()}`)
        }
      }
    }
    expect(found).toEqual([])
  })

  it('T27, CVE-2026-4404: there is no credential that nobody chose', async () => {
    await using registry = await createRegistry({ storage: directory, accounts: {} })
    expect(await registry.accounts?.listUsers()).toEqual([])
    expect(await registry.accounts?.listTokens()).toEqual([])
    const names = ['admin', 'administrator', 'root', 'stowage', 'registry', 'user', 'test', 'docker', 'anonymous']
    const passwords = ['admin', 'password', 'Harbor12345', 'changeme', 'stowage', '12345678', 'secret', '']
    for (const [at, name] of names.entries()) {
      // Each name once, each password at least once: guesses are slowed down.
      const password = passwords[at % passwords.length] ?? ''
      expect([name, (await ask(registry, '/v2/', basic(name, password))).status]).toEqual([name, 401])
    }
    expect((await ask(registry, '/v2/', basic('', ''))).status).toBe(401)
    for (const password of ['', 'short', 'admin']) {
      const accounts = { secret, firstAdministrator: { name: 'boss', password } }
      await expect(createRegistry({ storage: ':memory:', accounts })).rejects.toThrow(/password/i)
    }
  })

  it('T29, CVE-2023-27584: every registry has keys of its own, in a file of its owner alone', async () => {
    const first = join(directory, 'first')
    const second = join(directory, 'second')
    const keys: string[] = []
    for (const storage of [first, second]) {
      await using registry = await createRegistry({ storage, accounts: {} })
      const { token } = (await (await ask(registry, '/auth/token')).json()) as { token: string }
      const file = join(storage, 'secret.key')
      expect((await stat(file)).mode & 0o777).toBe(0o600)
      expect((await stat(storage)).mode & 0o077).toBe(0)
      keys.push(await readFile(file, 'utf8'))
      const [key] = (await registry.accounts?.listKeys()) ?? []
      keys.push(key?.id ?? '')
      // A token of one is nothing in the other.
      if (storage === second) {
        await using other = await createRegistry({ storage: first, accounts: {} })
        expect((await ask(other, '/v2/', `Bearer ${token}`)).status).toBe(401)
      }
      expect((await ask(registry, '/v2/', `Bearer ${token}`)).status).toBe(200)
    }
    expect(new Set(keys).size).toBe(4)
    await chmod(join(first, 'secret.key'), 0o644)
    await expect(createRegistry({ storage: first, accounts: {} })).rejects.toThrow(/secret\.key.*chmod 600/)
    for (const weak of ['', 'secret', 'x'.repeat(31), 'x'.repeat(64), 'ab'.repeat(32)]) {
      await expect(createRegistry({ storage: ':memory:', accounts: { secret: weak } })).rejects.toThrow(/secret/)
    }
  })

  it('T31: who has the database has no credential', async () => {
    const htpasswd = join(directory, 'htpasswd')
    await writeFile(htpasswd, `file:${bcryptOfPassword}\n`)
    const storage = join(directory, 'data')
    const shown: string[] = ['the password of ann', 'the password of the boss']
    const firstAdministrator = { name: 'boss', password: 'the password of the boss' }
    {
      await using registry = await createRegistry({ storage, accounts: { htpasswd, firstAdministrator } })
      const { accounts } = registry
      await accounts?.addUser({ name: 'ann', password: 'the password of ann' })
      shown.push((await accounts?.addToken({ user: 'ann', label: 'one' }))?.secret ?? '')
      const form = {
        grant_type: 'password',
        username: 'ann',
        password: 'the password of ann',
        access_type: 'offline',
        client_id: 'x',
      }
      const answer = (await (await ask(registry, '/auth/token', undefined, form)).json()) as Record<string, string>
      shown.push(answer['token'] ?? '', answer['refresh_token'] ?? '')
      expect((await ask(registry, '/v2/', basic('ann', 'the password of ann'))).status).toBe(200)
    }
    shown.push((await readFile(join(storage, 'secret.key'), 'utf8')).trim())
    expect(shown.every((text) => text.length > 15)).toBe(true)

    const database = new DatabaseSync(join(storage, 'registry.db'))
    const tables = database.prepare("select name from sqlite_schema where type = 'table'").all() as { name: string }[]
    const texts = tables.flatMap(({ name }) =>
      database
        .prepare(`select * from "${name}"`)
        .all()
        .flatMap((row) => Object.values(row).filter((value) => typeof value === 'string')),
    )
    // The file as it is on the disk, with what was deleted and not yet overwritten; and everything beside it but the key.
    const bytes: Buffer[] = []
    for (const file of await readdir(storage, { recursive: true, withFileTypes: true })) {
      if (file.isFile() && file.name !== 'secret.key') bytes.push(await readFile(join(file.parentPath, file.name)))
    }
    const everything = Buffer.concat(bytes)
    expect(everything.includes('argon2id')).toBe(true)
    for (const text of shown) {
      const secretPart = text.startsWith('stw') ? text.slice(22) : text
      expect([text.slice(0, 10), everything.includes(text), everything.includes(secretPart)]).toEqual([
        text.slice(0, 10),
        false,
        false,
      ])
    }
    // No half of a private key stands there in clear.
    expect(texts.filter((text) => /"d"\s*:|PRIVATE KEY/.test(text))).toEqual([])

    database.close()

    // And nothing that stands there opens anything.
    let clock = Date.now()
    await using registry = await createRegistry({ storage, accounts: { htpasswd }, now: () => clock })
    const usable = new Set(texts.filter((text) => text.length >= 8 && text.length < 2000 && !/[^ -~]/.test(text)))
    expect(usable.size).toBeGreaterThan(10)
    for (const text of usable) {
      for (const authorization of [basic('ann', text), basic('boss', text), `Bearer ${text.replaceAll(' ', '')}`]) {
        clock += 10 * 60_000
        expect([text, (await ask(registry, '/v2/', authorization)).status]).toEqual([text, 401])
      }
    }
    const ids = texts.filter((text) => /^[a-z0-9]{16}$/.test(text))
    const hashes = texts.filter((text) => /^[0-9a-f]{64}$/.test(text))
    expect([ids.length > 0, hashes.length > 0]).toEqual([true, true])
    for (const id of ids) {
      for (const hash of hashes) {
        const half = Buffer.from(hash, 'hex').toString('base64url')
        for (const prefix of ['stwp', 'stwr']) {
          expect((await ask(registry, '/v2/', basic('ann', `${prefix}_${id}_${half}`))).status).toBe(401)
        }
      }
    }
  })
})
