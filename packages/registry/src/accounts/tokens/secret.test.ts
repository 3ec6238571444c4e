import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { loadSecret, type Secret } from './secret.ts'

const base = mkdtempSync(join(tmpdir(), 'stowage-secret-'))
afterAll(() => rmSync(base, { recursive: true }))

const newDirectory = (): string => mkdtempSync(join(base, 'd-'))
const jwk = { kty: 'OKP', crv: 'Ed25519', d: 'private', x: 'public' }
const given = (text: string): Promise<Secret> => loadSecret({ given: text, directory: undefined })
const inDirectory = (directory: string): Promise<Secret> => loadSecret({ given: undefined, directory })

describe('a secret that is given', () => {
  it.each([
    ['', 'has 0 characters, at least 32 are needed'],
    ['c4nary-'.repeat(4), 'has 28 characters'],
    ['a'.repeat(64), 'can be guessed'],
    ['abcd'.repeat(16), 'can be guessed'],
  ])('%j is refused, without being said, and the message tells how to make one', async (text, message) => {
    const error = await given(text).catch((reason: unknown) => reason)
    expect(String(error)).toContain(message)
    expect(String(error)).toContain('openssl rand -hex 32')
    if (text !== '') expect(String(error)).not.toContain(text)
  })

  it('is taken from 32 characters on', async () => {
    await expect(given('0123456789abcdef0123456789abcdef')).resolves.toBeDefined()
    for (let times = 0; times < 200; times += 1) {
      await expect(given(randomBytes(16).toString('hex'))).resolves.toBeDefined()
    }
  })

  it('goes before the file of the directory, which is then not made', async () => {
    const directory = newDirectory()
    await loadSecret({ given: randomBytes(32).toString('hex'), directory })
    expect(readdirSync(directory)).toEqual([])
  })
})

describe('sealing', () => {
  it('opens with the same secret and the same id, and with nothing else', async () => {
    const text = randomBytes(32).toString('hex')
    const secret = await given(text)
    const sealed = await secret.seal(jwk, 'one')
    expect(sealed).not.toContain('private')
    expect(sealed.split('.')).toHaveLength(5)
    await expect(secret.open(sealed, 'one')).resolves.toEqual(jwk)
    await expect((await given(text)).open(sealed, 'one')).resolves.toEqual(jwk)
    await expect((await given(`${text}x`)).open(sealed, 'one')).resolves.toBeUndefined()
    await expect(secret.open(sealed, 'two')).resolves.toBeUndefined()
    await expect(secret.open(`${sealed.slice(0, -2)}AA`, 'one')).resolves.toBeUndefined()
    await expect(secret.open('', 'one')).resolves.toBeUndefined()
  })

  it('is different in memory each time', async () => {
    const [one, other] = await Promise.all([1, 2].map(() => loadSecret({ given: undefined, directory: undefined })))
    await expect(other?.open((await one?.seal(jwk, 'id')) ?? '', 'id')).resolves.toBeUndefined()
  })
})

describe('the file of a data directory', () => {
  it('is made once, for its owner only, and holds 32 random bytes', async () => {
    const directory = newDirectory()
    const first = await inDirectory(directory)
    const path = join(directory, 'secret.key')
    const text = readFileSync(path, 'utf8')
    expect(text).toMatch(/^[0-9a-f]{64}\n$/)
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(readdirSync(directory)).toEqual(['secret.key'])
    const again = await inDirectory(directory)
    expect(readFileSync(path, 'utf8')).toBe(text)
    await expect(again.open(await first.seal(jwk, 'id'), 'id')).resolves.toEqual(jwk)
  })

  it('is one for all who start at about the same time', async () => {
    // Some look just before it is there, and would put theirs in its place just after.
    const startAfter = async (directory: string, turns: number): Promise<Secret> => {
      for (let turn = 0; turn < turns; turn += 1) await new Promise(setImmediate)
      return inDirectory(directory)
    }
    for (let round = 0; round < 20; round += 1) {
      const directory = newDirectory()
      const secrets = await Promise.all(Array.from({ length: 12 }, (_, index) => startAfter(directory, index * round)))
      const sealed = (await secrets[0]?.seal(jwk, 'id')) ?? ''
      for (const secret of secrets) await expect(secret.open(sealed, 'id')).resolves.toEqual(jwk)
      expect(readdirSync(directory)).toEqual(['secret.key'])
    }
  })

  it.each([
    ['', 'does not hold the secret'],
    ['0'.repeat(63), 'does not hold the secret'],
    [`${'0'.repeat(64)}\n\n`, 'does not hold the secret'],
    ['G'.repeat(64), 'does not hold the secret'],
    ['0'.repeat(100_000), 'does not hold the secret'],
  ])('is refused when it is not what was written', async (text, message) => {
    const directory = newDirectory()
    const path = join(directory, 'secret.key')
    writeFileSync(path, text, { mode: 0o600 })
    await expect(inDirectory(directory)).rejects.toThrow(message)
    await expect(inDirectory(directory)).rejects.toThrow(path)
    expect(readFileSync(path, 'utf8')).toBe(text)
  })

  it.each([0o640, 0o604, 0o620, 0o660, 0o666])('is refused when others can use it (mode %o)', async (mode) => {
    const directory = newDirectory()
    await inDirectory(directory)
    const path = join(directory, 'secret.key')
    chmodSync(path, mode)
    await expect(inDirectory(directory)).rejects.toThrow(`chmod 600 ${path}`)
  })

  it('is refused when it is a symbolic link, wherever that goes', async () => {
    const [directory, elsewhere] = [newDirectory(), newDirectory()]
    await inDirectory(elsewhere)
    symlinkSync(join(elsewhere, 'secret.key'), join(directory, 'secret.key'))
    await expect(inDirectory(directory)).rejects.toThrow('is a symbolic link')
    const dangling = newDirectory()
    symlinkSync(join(base, 'nowhere'), join(dangling, 'secret.key'))
    await expect(inDirectory(dangling)).rejects.toThrow('is a symbolic link')
    expect(readdirSync(base)).not.toContain('nowhere')
  })

  it('is refused when it is no file', async () => {
    const directory = newDirectory()
    mkdirSync(join(directory, 'secret.key'), { mode: 0o700 })
    await expect(inDirectory(directory)).rejects.toThrow('is not a file')
  })
})
