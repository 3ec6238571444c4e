import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { memoryBlobs } from './blobs/memory/memory-blobs.ts'
import { OptionsError, RegistryError } from './errors.ts'
import { sqliteMetadata } from './metadata/sqlite/sqlite-metadata.ts'
import type { RegistryOptions } from './options.ts'
import { createRegistry } from './registry.ts'

describe('createRegistry', () => {
  let directory: string
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'stowage-registry-'))
  })
  afterEach(async () => rm(directory, { recursive: true, force: true }))

  it.each<[string, object, string]>([
    ['an option it does not have', { storage: ':memory:', storrage: 1 }, 'storrage is not an option'],
    ['one of a section', { storage: ':memory:', uploads: { expire: 1 } }, 'uploads.expire is not an option'],
    ['no storage', {}, 'storage must be'],
    ['storage of another kind', { storage: 5 }, 'storage must be'],
    [
      'a size that is not one',
      { storage: ':memory:', manifests: { cacheSize: Infinity } },
      'manifests.cacheSize must be',
    ],
    ['a URL that is not one', { storage: ':memory:', publicUrl: 'registry.example' }, 'publicUrl must be'],
    ['a URL with a query', { storage: ':memory:', publicUrl: 'https://registry.example/?x' }, 'publicUrl must be'],
  ])('refuses %s', async (_, options, message) => {
    const refused = createRegistry(options as RegistryOptions)
    await expect(refused).rejects.toThrow(message)
    await expect(refused).rejects.toBeInstanceOf(OptionsError)
  })

  it('says of what its options name that it is an option, too', async () => {
    const file = join(directory, 'users')
    await writeFile(file, 'ada:hunter2')
    for (const options of [
      { accounts: { secret: 'short' } },
      { accounts: { htpasswd: file } },
      { accounts: { tokenServer: { realm: 'https://a.example', issuer: 'a', jwks: 'http://a.example/keys' } } },
      { trustedProxies: ['nowhere'] },
    ]) {
      await expect(createRegistry({ storage: ':memory:', ...options })).rejects.toBeInstanceOf(OptionsError)
    }
  })

  it('sweeps accounts whatever became of the rest', async () => {
    const metadata = await sqliteMetadata({ path: ':memory:' })
    const swept: string[] = []
    const broken = async (): Promise<never> => Promise.reject(new Error('stuck'))
    const store = {
      ...metadata,
      listExpiredUploads: broken,
      listGarbage: broken,
      accounts: {
        ...metadata.accounts,
        removeExpiredTokens: async (before: number) => {
          swept.push('tokens')
          return metadata.accounts.removeExpiredTokens(before)
        },
      },
    }
    const accounts = { secret: '0123456789abcdef0123456789abcdef' }
    await using registry = await createRegistry({ storage: { metadata: store, blobs: memoryBlobs() }, accounts })
    await expect(registry.sweep()).rejects.toThrow('stuck')
    expect(swept).toEqual(['tokens'])
  })

  it('puts no control character of its URL into a header', async () => {
    await using registry = await createRegistry({ storage: ':memory:', publicUrl: 'https://registry.example/\n' })
    const answer = await registry.fetch(new Request('http://x/v2/a/blobs/uploads/', { method: 'POST' }))
    expect(answer.headers.get('location')).toMatch(/^https:\/\/registry\.example\/v2\//)
  })

  it('lets the directory go when it cannot start, and when it ends', async () => {
    const broken: RegistryOptions = {
      storage: directory,
      hooks: { receivers: new Proxy({}, { ownKeys: () => ['a', 'a'] }) },
    }
    await expect(createRegistry(broken)).rejects.toThrow(TypeError)
    const first = await createRegistry({ storage: directory })
    await expect(createRegistry({ storage: directory })).rejects.toThrow('is in use')
    await first[Symbol.asyncDispose]()
    await using again = await createRegistry({ storage: directory })
    await again.check()
  })

  it('closes the rest when one store cannot be closed', async () => {
    const metadata = await sqliteMetadata({ path: ':memory:' })
    const blobs = { ...memoryBlobs(), [Symbol.asyncDispose]: async () => Promise.reject(new Error('stuck')) }
    const registry = await createRegistry({ storage: { metadata, blobs } })
    await expect(registry[Symbol.asyncDispose]()).rejects.toThrow('stuck')
    await expect(metadata.check()).rejects.toThrow(/clos/)
  })

  it('does not wait for ever for a receiver that does not listen', async () => {
    const metadata = await sqliteMetadata({ path: ':memory:' })
    const told = Promise.withResolvers<void>()
    const registry = await createRegistry({
      storage: { metadata, blobs: memoryBlobs() },
      hooks: {
        receivers: {
          deaf: async () => {
            told.resolve()
            await new Promise(() => {})
          },
        },
      },
    })
    const digest = 'sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824'
    await registry.fetch(
      new Request(`http://x/v2/a/blobs/uploads/?digest=${digest}`, { method: 'POST', body: 'hello' }),
    )
    await told.promise
    await registry[Symbol.asyncDispose]()
    await expect(metadata.check()).rejects.toThrow(/clos/)
  })

  it('gives a challenge with every 401', async () => {
    await using registry = await createRegistry({
      storage: ':memory:',
      access: {
        authenticate: () => {
          throw new RegistryError('unauthorized', 'Wrong password.')
        },
      },
    })
    const answer = await registry.fetch(new Request('http://x/v2/'))
    expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([401, 'Basic realm="registry"'])
  })
})
