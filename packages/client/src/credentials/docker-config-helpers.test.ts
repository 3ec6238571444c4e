import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { basic, createHome, type Home } from '../testing/credential-home.ts'
import type { Credential } from './credential.ts'
import { dockerConfig, type DockerConfigOptions } from './docker-config.ts'

let home: Home
beforeEach(async () => {
  home = await createHome()
})
afterEach(async () => home[Symbol.asyncDispose]())

const config = async (content: unknown): Promise<string> => home.write('.docker/config.json', content)
const source = (options: DockerConfigOptions = {}) => dockerConfig({ environment: home.environment, ...options })
const ask = async (registry: string, repository?: string, options?: DockerConfigOptions) =>
  source(options)({ registry, ...(repository === undefined ? {} : { repository }) })

/** An entry whose user says where it stood. */
const entry = (username: string) => ({ auth: basic(username, 'secret') })
const user = (username: string): Credential => ({ kind: 'password', username, password: 'secret' })

describe('helpers', () => {
  it('are asked in this order: the one of the registry, the store, the file', async () => {
    const own = await home.vault('own', { 'a.example': ['own', 'secret'] })
    const store = await home.vault('store', {
      'a.example': ['store', 'secret'],
      'b.example': ['store', 'secret'],
    })
    await config({
      credHelpers: { 'a.example': 'own', 'd.example': 'own' },
      credsStore: 'store',
      auths: {
        'a.example': entry('file'),
        'b.example': entry('file'),
        'c.example': entry('file'),
        'd.example': entry('file'),
      },
    })
    expect(await ask('a.example')).toEqual(user('own'))
    expect(await ask('b.example')).toEqual(user('store'))
    // Neither has these.
    expect(await ask('c.example')).toEqual(user('file'))
    expect(await ask('d.example')).toEqual(user('file'))
    // As in Docker, the store is not asked for a registry that has a helper of its own.
    expect(await own.calls()).toEqual(['get a.example', 'get d.example'])
    expect(await store.calls()).toEqual(['get b.example', 'get c.example'])
  })

  it('come after what is kept for a namespace', async () => {
    const store = await home.vault('store', { 'registry.example': ['store', 'secret'] })
    await config({ credsStore: 'store', auths: { 'registry.example/team': entry('team') } })
    expect(await ask('registry.example', 'team/app')).toEqual(user('team'))
    expect(await store.calls()).toEqual([])
    expect(await ask('registry.example', 'other/app')).toEqual(user('store'))
  })

  it('are found by the exact registry, in whatever spelling', async () => {
    await home.vault('own', { 'registry.example': ['own', 'secret'], 'https://index.docker.io/v1/': ['hub', 'secret'] })
    await config({ credHelpers: { 'https://registry.example': 'own', 'docker.io': 'own', 'evil.example': 'missing' } })
    expect(await ask('registry.example')).toEqual(user('own'))
    expect(await ask('registry-1.docker.io')).toEqual(user('hub'))
    expect(await ask('registry.example:5000')).toBeUndefined()
    expect(await ask('registry.example.evil')).toBeUndefined()
  })

  it("are taken from Docker's own spelling first", async () => {
    await home.vault('own', { 'https://index.docker.io/v1/': ['hub', 'secret'] })
    await config({ credHelpers: { 'docker.io': 'gone', 'https://index.docker.io/v1/': 'own' } })
    expect(await ask('docker.io')).toEqual(user('hub'))
  })

  it('are left out for a registry whose helper has an empty name', async () => {
    const store = await home.vault('store', { 'a.example': ['store', 'secret'] })
    await config({ credsStore: 'store', credHelpers: { 'a.example': '' }, auths: { 'a.example': entry('file') } })
    expect(await ask('a.example')).toEqual(user('file'))
    expect(await store.calls()).toEqual([])
  })

  it('are not run when they are not wanted', async () => {
    const store = await home.vault('store', { 'a.example': ['store', 'secret'] })
    await config({ credsStore: 'store', auths: { 'a.example': entry('file') } })
    expect(await ask('a.example', undefined, { helpers: false })).toEqual(user('file'))
    expect(await store.calls()).toEqual([])
  })

  it('give identity tokens', async () => {
    await home.vault('store', { 'a.example': ['<token>', 'refresh'] })
    await config({ credsStore: 'store' })
    expect(await ask('a.example')).toEqual({ kind: 'identity-token', token: 'refresh' })
  })

  it('are given no more time than allowed, and named with what asks for them', async () => {
    await home.helper('store', 'exec sleep 1000')
    const path = await config({ credsStore: 'store', auths: { 'a.example': entry('file') } })
    await expect(ask('a.example', undefined, { helpers: { timeout: 200 } })).rejects.toMatchObject({
      code: 'timeout',
      message: `docker-credential-store, named by credsStore in ${path}, has not ended after 0.2 s.`,
    })
  })

  it('that fail are an error, although the file has something', async () => {
    await home.helper('store', 'echo "the keychain is locked"; exit 1')
    await config({ credsStore: 'store', auths: { 'a.example': entry('file') } })
    await expect(ask('a.example')).rejects.toThrow('the keychain is locked')
  })

  it('with a name that is no name are an error, and no program is run', async () => {
    await config({ credsStore: '../../bin/sh' })
    await expect(ask('a.example')).rejects.toMatchObject({ code: 'invalid-content' })
  })
})

describe('a helper that is not installed', () => {
  it('is an error when the registry names it', async () => {
    const path = await config({
      credHelpers: { 'a.example': 'gone' },
      credsStore: 'gone',
      auths: { 'a.example': entry('x') },
    })
    await expect(ask('a.example')).rejects.toMatchObject({
      code: 'usage',
      message: `docker-credential-gone, named by credHelpers["a.example"] in ${path}, is not installed: it is in no directory of PATH.`,
    })
  })

  it('is an error when the file says that it keeps something for the registry', async () => {
    await config({ credsStore: 'gone', auths: { 'a.example': {} } })
    await expect(ask('a.example')).rejects.toMatchObject({ code: 'usage' })
  })

  it('is one warning otherwise', async () => {
    const path = await config({ credsStore: 'gone', auths: { 'b.example': entry('file') } })
    const onWarning = vi.fn()
    const find = source({ onWarning })
    expect(await find({ registry: 'a.example' })).toBeUndefined()
    expect(await find({ registry: 'b.example' })).toEqual(user('file'))
    expect(onWarning.mock.calls).toEqual([
      [expect.stringContaining(`docker-credential-gone, named by credsStore in ${path}`)],
    ])
    expect(await ask('a.example')).toBeUndefined()
  })
})

describe('the answer of a helper', () => {
  const registry = 'a.example'

  it('is kept for each registry, also when it has none', async () => {
    const store = await home.vault('store', { 'a.example': ['store', 'secret'] })
    await config({ credsStore: 'store' })
    const find = source()
    const together = await Promise.all([find({ registry }), find({ registry, repository: 'team/app' })])
    expect([...together, await find({ registry })]).toEqual(Array.from({ length: 3 }, () => user('store')))
    expect([await find({ registry: 'b.example' }), await find({ registry: 'b.example' })]).toEqual([
      undefined,
      undefined,
    ])
    expect(await store.calls()).toEqual(['get a.example', 'get b.example'])
  })

  it('is not kept when the file changes, as a login changes it', async () => {
    const store = await home.vault('store')
    await config({ credsStore: 'store' })
    const find = source()
    expect(await find({ registry })).toBeUndefined()
    await home.vault('store', { 'a.example': ['store', 'secret'] })
    await config({ credsStore: 'store', auths: { 'a.example': {} } })
    expect(await find({ registry })).toEqual(user('store'))
    expect(await store.calls()).toHaveLength(2)
  })

  it('is not kept longer than wanted', async () => {
    const store = await home.vault('store', { 'a.example': ['store', 'secret'] })
    await config({ credsStore: 'store' })
    vi.useFakeTimers({ toFake: ['performance'] })
    try {
      const find = source({ helpers: { keep: 60_000 } })
      await find({ registry })
      vi.advanceTimersByTime(59_999)
      await find({ registry })
      expect(await store.calls()).toHaveLength(1)
      vi.advanceTimersByTime(1)
      await find({ registry })
      expect(await store.calls()).toHaveLength(2)
    } finally {
      vi.useRealTimers()
    }
  })

  it('is not kept when it is an error', async () => {
    await home.helper('store', 'echo locked; exit 1')
    await config({ credsStore: 'store' })
    const find = source()
    await expect(find({ registry })).rejects.toThrow('locked')
    await home.vault('store', { 'a.example': ['store', 'secret'] })
    expect(await find({ registry })).toEqual(user('store'))
  })
})
