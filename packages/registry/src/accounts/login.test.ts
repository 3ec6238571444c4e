import { argon2Sync } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { hashSync } from 'bcryptjs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { silentLogger } from '../logger.ts'
import { sqliteMetadata, type SqliteMetadata } from '../metadata/sqlite/sqlite-metadata.ts'
import { startPlainIssuer } from '../testing/plain-issuer.ts'
import type { AccountOptions } from './account-options.ts'
import { createDirectory } from './directory.ts'
import { createLogin, type LoggedIn, type Login } from './login.ts'
import { createCredentialCheck } from './passwords/credential-check.ts'
import { createGuard } from './passwords/guard.ts'
import { createPasswords, type Passwords } from './passwords/hash-queue.ts'
import { createHtpasswd, type Htpasswd } from './passwords/htpasswd.ts'
import { createVerified } from './passwords/verified.ts'
import { createWorkloads } from './workloads/issuers.ts'

let metadata: SqliteMetadata
let passwords: Passwords
let file: Htpasswd
let directory: string

beforeEach(async () => {
  metadata = await sqliteMetadata({ path: ':memory:' })
  passwords = createPasswords({ derive: async (parameters) => argon2Sync('argon2id', { ...parameters, memory: 64 }) })
  const user = { administrator: false, groups: [], createdAt: 1, passwordChangedAt: 1 }
  const passwordHash = await passwords.hash('correct horse')
  await metadata.accounts.addUser({ ...user, id: 'a', name: 'ada', passwordHash }, false)
  directory = await mkdtemp(join(tmpdir(), 'stowage-login-'))
  const path = join(directory, 'htpasswd')
  await writeFile(path, `lin:${hashSync('from the file', 4)}\nslow:${hashSync('x', 12)}\nslower:${hashSync('x', 12)}\n`)
  // No comparison may wait for another one.
  file = await createHtpasswd({ path, waiting: 0 })
})
afterEach(async () => {
  await file[Symbol.asyncDispose]()
  await passwords[Symbol.asyncDispose]()
  await metadata[Symbol.asyncDispose]()
  await rm(directory, { recursive: true })
})

interface More {
  readonly htpasswd?: Htpasswd
  readonly credentials?: NonNullable<AccountOptions['credentials']>
  readonly now?: () => number
}

const open = ({ htpasswd, credentials, now = Date.now }: More = {}): Login => {
  const guard = createGuard({ now })
  return createLogin({
    directory: createDirectory({ store: metadata.accounts, rules: [], issuers: [], now, logger: silentLogger }),
    passwords,
    htpasswd,
    credentials,
    workloads: createWorkloads({ now, logger: silentLogger, timeout: 1000 }),
    known: createCredentialCheck<LoggedIn>({ guard, verified: createVerified({ now }) }),
    guard,
    now,
    onTokenUsed: () => {},
  })
}

const address = '192.0.2.1'
const overloaded = { fault: 'overloaded' }
const unauthorized = { fault: 'unauthorized' }

describe('while the queue of the htpasswd file is full', () => {
  it('a password that is right in the store opens, and nothing else says which names there are', async () => {
    const login = open({ htpasswd: file })
    const busy = file.verify('slow', 'x')
    expect(await login.withPassword('ada', 'correct horse', address)).toMatchObject({ subject: 'ada' })
    for (const name of ['ada', 'lin', 'nobody']) {
      await expect(login.withPassword(name, 'wrong', address)).rejects.toMatchObject(overloaded)
    }
    await busy
    expect(await login.withPassword('lin', 'from the file', address)).toMatchObject({ subject: 'lin' })
  })

  it('who asks on and on has to wait with his network', async () => {
    const login = open({ htpasswd: file, now: () => 1_800_000_000_000 })
    // It takes nothing more, as when it is full.
    await file[Symbol.asyncDispose]()
    const faults = []
    for (let guess = 0; guess < 101; guess += 1) {
      const failure: unknown = await login.withPassword(`user${guess % 50}`, `wrong ${guess}`, address).catch(String)
      faults.push(String(failure))
    }
    expect(faults[0]).toContain('checks as many passwords')
    expect(faults.at(-2)).toBe(faults[0])
    expect(faults.at(-1)).toContain('Too many logins have failed')
    // Elsewhere the names are free.
    await expect(login.withPassword('user0', 'wrong', '198.51.100.1')).rejects.toMatchObject(overloaded)
  })
})

describe('the host', () => {
  it('is asked for every name, and not heard where the store has a user of that name', async () => {
    const asked: string[] = []
    const login = open({
      htpasswd: file,
      credentials: (name, password) => {
        asked.push(name)
        return password === 'key' ? { kind: 'user', name: `customer ${name}` } : undefined
      },
    })
    expect(await login.withPassword('eve', 'key', address)).toMatchObject({ subject: 'customer eve' })
    expect(await login.withPassword('ada', 'correct horse', address)).toMatchObject({ subject: 'ada' })
    expect(await login.withPassword('lin', 'from the file', address)).toMatchObject({ subject: 'lin' })
    await expect(login.withPassword('ada', 'key', address)).rejects.toMatchObject(unauthorized)
    expect(asked).toEqual(['eve', 'ada', 'lin', 'ada'])
  })

  it('that fails, fails for every name alike, and holds up nobody whose password is right', async () => {
    const login = open({
      credentials: () => {
        throw new Error('the licences are away')
      },
    })
    for (const name of ['ada', 'nobody']) await expect(login.withPassword(name, 'x', address)).rejects.toThrow('away')
    expect(await login.withPassword('ada', 'correct horse', address)).toMatchObject({ subject: 'ada' })
  })
})

it('names that no user can have cost the same work, and are not asked of the store', async () => {
  const asked: string[] = []
  const { findUser } = metadata.accounts
  metadata = Object.create(metadata, {
    accounts: {
      value: {
        ...metadata.accounts,
        findUser: async (name: string) => {
          asked.push(name)
          return findUser(name)
        },
      },
    },
  }) as SqliteMetadata
  const login = open()
  const before = passwords.work
  for (const name of ['a b', 'nobody', '']) {
    await expect(login.withPassword(name, 'x', address)).rejects.toMatchObject(unauthorized)
  }
  expect(passwords.work - before).toBe(3)
  expect(asked).toEqual(['nobody'])
})

describe('the token of a job', () => {
  it('that cannot be verified names nobody, and counts against its network; one that is good never waits', async () => {
    await using away = await startPlainIssuer()
    await using ci = await startPlainIssuer()
    away.pages.clear()
    const trusted = { audience: 'stowage', conditions: { repository: '*' }, permissions: [], createdAt: 1 }
    await metadata.accounts.addIssuer({ ...trusted, id: '1', name: 'secret-name', issuer: away.url })
    await metadata.accounts.addIssuer({ ...trusted, id: '2', name: 'ci', issuer: ci.url })
    const at = Date.now()
    const login = open({ now: () => at })
    const [bad, good] = [await away.sign(), await ci.sign()]
    const answers = []
    for (let attempt = 0; attempt < 101; attempt += 1) {
      const asked = attempt % 2 === 0 ? login.withPassword('x', bad, address) : login.withIdToken(bad, address)
      answers.push(await asked.then(() => 'taken', String))
    }
    expect(answers[0]).toBe(answers[99])
    expect(answers[0]).toContain('cannot be verified at the moment')
    expect(answers.join()).not.toMatch(/secret-name|127\.0\.0\.1/)
    expect(answers.at(-1)).toContain('Too many logins have failed')
    expect(await login.withPassword('x', good, address)).toMatchObject({ subject: 'ci:repo:team/app' })
    expect(await login.withIdToken(good, address)).toMatchObject({ subject: 'ci:repo:team/app' })
  })
})
