import { platform } from 'node:os'
import { afterEach, beforeEach, describe, expect, it, test } from 'vitest'
import { basic, createHome, type Home } from '../testing/credential-home.ts'
import type { Credential } from './credential.ts'
import { podmanAuth, podmanAuthPaths } from './podman-auth.ts'

let home: Home
beforeEach(async () => {
  home = await createHome()
})
afterEach(async () => home[Symbol.asyncDispose]())

const entry = (username: string) => ({ auth: basic(username, 'secret') })
const user = (username: string): Credential => ({ kind: 'password', username, password: 'secret' })
const ask = async (registry: string, repository = '', options = {}) =>
  podmanAuth({ environment: home.environment, ...options })({ registry, repository })

describe('the files', () => {
  beforeEach(async () => {
    await home.write('run/containers/auth.json', { auths: { 'a.example': entry('run') } })
    await home.write('.config/containers/auth.json', {
      auths: { 'a.example': entry('config'), 'b.example': entry('config') },
    })
  })

  test.skipIf(platform() !== 'linux')('are the one of the run, then the one of the configuration', async () => {
    expect(await ask('a.example')).toEqual(user('run'))
    expect(await ask('b.example')).toEqual(user('config'))
    expect(await ask('c.example')).toBeUndefined()
  })

  it('are in XDG_CONFIG_HOME, if that is set', async () => {
    await home.write('xdg/containers/auth.json', { auths: { 'b.example': entry('xdg') } })
    home.environment['XDG_CONFIG_HOME'] = home.at('xdg')
    expect(await ask('b.example')).toEqual(user('xdg'))
  })

  it('are only the one that REGISTRY_AUTH_FILE names', async () => {
    home.environment['REGISTRY_AUTH_FILE'] = await home.write('named.json', { auths: { 'c.example': entry('named') } })
    expect(await ask('c.example')).toEqual(user('named'))
    expect(await ask('a.example')).toBeUndefined()
  })

  it('are only the one that is given', async () => {
    home.environment['REGISTRY_AUTH_FILE'] = await home.write('named.json', { auths: { 'c.example': entry('named') } })
    const path = await home.write('given.json', { auths: { 'c.example': entry('given') } })
    expect(await ask('c.example', '', { path })).toEqual(user('given'))
    expect(await ask('a.example', '', { path })).toBeUndefined()
  })

  it('may all be missing', async () => {
    home.environment['REGISTRY_AUTH_FILE'] = home.at('nowhere.json')
    expect(await ask('a.example')).toBeUndefined()
  })

  test.skipIf(platform() !== 'linux')('are in /run/containers of the user without XDG_RUNTIME_DIR', () => {
    expect(podmanAuthPaths({ HOME: '/home/me' })).toEqual([
      `/run/containers/${process.getuid?.()}/auth.json`,
      '/home/me/.config/containers/auth.json',
    ])
  })

  it('that are wrong are errors', async () => {
    home.environment['REGISTRY_AUTH_FILE'] = await home.write('named.json', '{')
    await expect(ask('a.example')).rejects.toMatchObject({ code: 'invalid-content', subject: home.at('named.json') })
  })
})

it('looks keys up as containers-auth.json(5) says', async () => {
  const path = await home.write('auth.json', {
    auths: {
      'my-registry.local': entry('registry'),
      'my-registry.local/foo': entry('foo'),
      'my-registry.local/foo/bar/image': entry('image'),
      'docker.io': entry('hub'),
    },
  })
  expect(await ask('my-registry.local', 'foo/bar/image', { path })).toEqual(user('image'))
  expect(await ask('my-registry.local', 'foo/bar', { path })).toEqual(user('foo'))
  expect(await ask('my-registry.local', 'food/bar', { path })).toEqual(user('registry'))
  expect(await ask('my-registry.local.evil', 'foo/bar', { path })).toBeUndefined()
  expect(await ask('index.docker.io', 'library/alpine', { path })).toEqual(user('hub'))
})

describe('credHelpers', () => {
  const configure = async (): Promise<string> =>
    home.write('auth.json', {
      credHelpers: { 'a.example': 'own', 'b.example': 'own', 'docker.io': 'own', 'c.example': '' },
      credsStore: 'store',
      auths: {
        'a.example': entry('file'),
        'a.example/team': entry('file'),
        'b.example': entry('file'),
        'c.example': entry('file'),
        'd.example': entry('file'),
      },
    })

  it('decide alone for their registry, as the manual says', async () => {
    const own = await home.vault('own', { 'a.example': ['own', 'secret'], 'docker.io': ['hub', 'secret'] })
    const path = await configure()
    expect(await ask('a.example', 'team/app', { path })).toEqual(user('own'))
    expect(await ask('b.example', '', { path })).toBeUndefined()
    // Podman calls Docker Hub by this name.
    expect(await ask('registry-1.docker.io', '', { path })).toEqual(user('hub'))
    expect(await own.calls()).toEqual(['get a.example', 'get b.example', 'get docker.io'])
  })

  it('do not matter for others, and credsStore is not known', async () => {
    const store = await home.vault('store', { 'd.example': ['store', 'secret'] })
    const path = await configure()
    expect(await ask('c.example', '', { path })).toEqual(user('file'))
    expect(await ask('d.example', '', { path })).toEqual(user('file'))
    expect(await store.calls()).toEqual([])
  })

  it('are not run when they are not wanted', async () => {
    await home.vault('own', { 'a.example': ['own', 'secret'] })
    expect(await ask('a.example', '', { path: await configure(), helpers: false })).toEqual(user('file'))
  })

  it('that are not installed are errors', async () => {
    const path = await configure()
    await expect(ask('a.example', '', { path })).rejects.toThrow(
      `credHelpers["a.example"] in ${path}, is not installed`,
    )
  })
})
