import { symlink, stat } from 'node:fs/promises'
import { afterEach, beforeEach, describe, expect, it, test, vi } from 'vitest'
import { basic, createHome, type Home } from '../testing/credential-home.ts'
import type { Credential } from './credential.ts'
import { credentialStore } from './credential-store.ts'
import { dockerConfig } from './docker-config.ts'

let home: Home
beforeEach(async () => {
  home = await createHome()
})
afterEach(async () => home[Symbol.asyncDispose]())

const file = '.docker/config.json'
const store = (options = {}) => credentialStore({ environment: home.environment, ...options })
const source = () => dockerConfig({ environment: home.environment })
const ada: Credential = { kind: 'password', username: 'ada', password: 'p:w' }
const entry = (username: string) => ({ auth: basic(username, 'secret') })

const readConfig = async (): Promise<unknown> => JSON.parse(await home.read(file))

describe('without a helper', () => {
  it('a credential goes into a file that is made, and is found there', async () => {
    expect(await store().save('registry.example', ada)).toBe(home.at(file))
    expect(await home.read(file)).toBe(
      `{\n\t"auths": {\n\t\t"registry.example": {\n\t\t\t"auth": "${basic('ada', 'p:w')}"\n\t\t}\n\t}\n}\n`,
    )
    expect((await stat(home.at(file))).mode & 0o777).toBe(0o600)
    expect(await source()({ registry: 'registry.example' })).toEqual(ada)
  })

  test.each<Credential>([
    ada,
    { kind: 'identity-token', token: 'refresh' },
    { kind: 'registry-token', token: 'bearer' },
  ])('every kind of credential is found again: %j', async (credential) => {
    await store().save('registry.example:5000', credential)
    expect(await source()({ registry: 'registry.example:5000' })).toEqual(credential)
    expect(await source()({ registry: 'registry.example' })).toBeUndefined()
  })

  it('Docker Hub is spelled as Docker does, and is one registry', async () => {
    await home.write(file, { auths: { 'index.docker.io': entry('old'), 'docker.io/team': entry('team') } })
    await store().save('registry-1.docker.io', ada)
    expect(await readConfig()).toEqual({
      auths: { 'docker.io/team': entry('team'), 'https://index.docker.io/v1/': { auth: basic('ada', 'p:w') } },
    })
    expect(await store().remove('docker.io')).toBe(true)
    expect(await readConfig()).toEqual({ auths: { 'docker.io/team': entry('team') } })
  })

  it('what was kept under another spelling is gone', async () => {
    await home.write(file, {
      auths: { 'https://registry.example/v1/': entry('old'), 'registry.example': entry('old') },
    })
    await store().save('https://registry.example', ada)
    expect(await readConfig()).toEqual({ auths: { 'registry.example': { auth: basic('ada', 'p:w') } } })
  })

  it('a namespace is kept apart from its registry', async () => {
    await store().save('registry.example/team', ada)
    await store().save('registry.example', { kind: 'identity-token', token: 't' })
    expect(await source()({ registry: 'registry.example', repository: 'team/app' })).toEqual(ada)
    expect(await source()({ registry: 'registry.example', repository: 'app' })).toMatchObject({ token: 't' })
    expect(await store().remove('registry.example')).toBe(true)
    expect(await source()({ registry: 'registry.example', repository: 'team/app' })).toEqual(ada)
    expect(await store().remove('registry.example/team')).toBe(true)
    expect(await readConfig()).toEqual({ auths: {} })
  })

  it('nothing is removed where there is nothing', async () => {
    expect(await store().remove('registry.example')).toBe(false)
    await expect(home.read(file)).rejects.toMatchObject({ code: 'ENOENT' })
    await home.write(file, { auths: { 'registry.example.evil': entry('evil') } })
    expect(await store().remove('registry.example')).toBe(false)
    expect(await readConfig()).toEqual({ auths: { 'registry.example.evil': entry('evil') } })
  })

  it('the rest of the file stays as it is, byte by byte', async () => {
    const before = [
      '{',
      '  "detachKeys": "ctrl-e,e",',
      '  "99": 1.0, "7": 12345678901234567890,',
      '  "auths": {',
      '    "a.example": { "auth":"x", "unknown": [1,2] }',
      '  },',
      '  "HttpHeaders": {"X": "\\u00e4"}',
      '}',
      '',
    ].join('\n')
    await home.write(file, before)
    await store().save('b.example', { kind: 'registry-token', token: 't' })
    const added = ',\n    "b.example": {\n      "registrytoken": "t"\n    }'
    expect(await home.read(file)).toBe(before.replace('[1,2] }', `[1,2] }${added}`))
    await store().remove('b.example')
    expect(await home.read(file)).toBe(before)
  })

  it('many at a time lose nothing', async () => {
    const registries = Array.from({ length: 12 }, (_, index) => `r${index}.example`)
    await Promise.all(registries.map(async (registry) => store().save(registry, ada)))
    await Promise.all(registries.slice(0, 6).map(async (registry) => store().remove(registry)))
    expect((await store().list()).map(({ registry }) => registry).toSorted()).toEqual(registries.slice(6).toSorted())
  })

  it('a file that is a symbolic link stays one', async () => {
    await home.write('dotfiles/config.json', { auths: {}, psFormat: 'x' })
    await symlink(home.at('dotfiles'), home.at('.docker'))
    await store().save('registry.example', ada)
    expect(JSON.parse(await home.read('dotfiles/config.json'))).toMatchObject({ psFormat: 'x' })
    expect(await source()({ registry: 'registry.example' })).toEqual(ada)
  })
})

describe('the file', () => {
  it('is in DOCKER_CONFIG, or the one that is given', async () => {
    home.environment['DOCKER_CONFIG'] = home.at('other')
    await store().save('a.example', ada)
    expect(JSON.parse(await home.read('other/config.json'))).toHaveProperty(['auths', 'a.example'])
    expect(await store({ file: home.at('given.json') }).save('b.example', ada)).toBe(home.at('given.json'))
    expect(JSON.parse(await home.read('given.json'))).toHaveProperty(['auths', 'b.example'])
  })

  it('may be empty', async () => {
    await home.write(file, '\n')
    await store().save('a.example', ada)
    expect(await source()({ registry: 'a.example' })).toEqual(ada)
  })

  test.each(['{"auths": {', 'hunter2', '[]', '{"auths": []}', '{"credsStore": 1}', '{"auths": {"a": "hunter2"}}'])(
    'is never written to when it is wrong: %s',
    async (content) => {
      await home.write(file, content)
      await expect(store().save('a.example', ada)).rejects.toMatchObject({ code: 'invalid-content' })
      await expect(store().remove('a.example')).rejects.toMatchObject({ code: 'invalid-content' })
      await expect(store().list()).rejects.toMatchObject({ code: 'invalid-content' })
      expect(await home.read(file)).toBe(content)
    },
  )

  it('is not written for what is no registry or no credential', async () => {
    const { save, remove } = store()
    for (const registry of ['', '*', 'a b', 'user@a.example', 'a.example/../b']) {
      await expect(save(registry, ada)).rejects.toMatchObject({ code: 'usage' })
      await expect(remove(registry)).rejects.toMatchObject({ code: 'usage' })
    }
    await expect(save('a.example', { ...ada, username: 'a:b' })).rejects.toMatchObject({ code: 'usage' })
    await expect(home.read(file)).rejects.toMatchObject({ code: 'ENOENT' })
  })

  it('is told to come second to DOCKER_AUTH_CONFIG', async () => {
    home.environment['DOCKER_AUTH_CONFIG'] = '{}'
    const onWarning = vi.fn()
    await store({ onWarning }).save('a.example', ada)
    expect(onWarning.mock.calls).toEqual([[expect.stringContaining('DOCKER_AUTH_CONFIG')]])
  })
})

describe('with helpers', () => {
  it('the one of the registry keeps its credential, the store those of others', async () => {
    const own = await home.vault('own')
    const other = await home.vault('store')
    await home.write(file, {
      credHelpers: { 'a.example': 'own', 'c.example': '' },
      credsStore: 'store',
      auths: { 'https://b.example/v1/': entry('old') },
    })
    expect(await store().save('a.example', ada)).toBe('docker-credential-own')
    expect(await store().save('b.example', { kind: 'identity-token', token: 't' })).toBe('docker-credential-store')
    expect(await store().save('index.docker.io', ada)).toBe('docker-credential-store')
    expect(await store().save('c.example', ada)).toBe(home.at(file))
    expect(await own.content()).toEqual({ 'a.example': ['ada', 'p:w'] })
    expect(await other.content()).toEqual({
      'b.example': ['<token>', 't'],
      'https://index.docker.io/v1/': ['ada', 'p:w'],
    })
    // No secret stays in the file; Docker's empty entries do.
    expect(await readConfig()).toEqual({
      credHelpers: { 'a.example': 'own', 'c.example': '' },
      credsStore: 'store',
      auths: {
        'a.example': {},
        'b.example': {},
        'https://index.docker.io/v1/': {},
        'c.example': { auth: basic('ada', 'p:w') },
      },
    })
    expect(await home.read(file)).not.toContain(entry('old').auth)
    const find = source()
    expect(await find({ registry: 'b.example' })).toEqual({ kind: 'identity-token', token: 't' })
    expect(await find({ registry: 'docker.io' })).toEqual(ada)
  })

  it('a credential is removed from both', async () => {
    const vault = await home.vault('store', { 'a.example': ['ada', 'p'], 'b.example': ['ada', 'p'] })
    await home.write(file, { credsStore: 'store', auths: { 'a.example': {}, 'b.example': {} } })
    expect(await store().remove('a.example')).toBe(true)
    expect(await vault.content()).toEqual({ 'b.example': ['ada', 'p'] })
    expect(await readConfig()).toEqual({ credsStore: 'store', auths: { 'b.example': {} } })
    expect(await store().remove('a.example')).toBe(false)
  })

  it('what they cannot keep is refused, not written in the clear', async () => {
    const vault = await home.vault('store')
    await home.write(file, { credsStore: 'store' })
    await expect(store().save('a.example/team', ada)).rejects.toMatchObject({ code: 'unsupported' })
    const token: Credential = { kind: 'registry-token', token: 't' }
    await expect(store().save('a.example', token)).rejects.toMatchObject({ code: 'unsupported' })
    expect(await readConfig()).toEqual({ credsStore: 'store' })
    expect(await vault.calls()).toEqual([])
    expect(await store().remove('a.example/team')).toBe(false)
  })

  it('that fail leave the file as it was', async () => {
    await home.helper('store', 'echo "the keychain is locked"; exit 1')
    const before = { credsStore: 'store', auths: { 'a.example': entry('old') } }
    await home.write(file, before)
    await expect(store().save('a.example', ada)).rejects.toThrow(`credsStore in ${home.at(file)}, could not store`)
    await expect(store().remove('a.example')).rejects.toThrow('could not erase the credential: the keychain is locked')
    expect(await readConfig()).toEqual(before)
  })

  it('that hang are not waited for', async () => {
    await home.helper('store', 'exec sleep 1000')
    await home.write(file, { credsStore: 'store' })
    await expect(store({ timeout: 200 }).save('a.example', ada)).rejects.toMatchObject({ code: 'timeout' })
    await expect(store().save('a.example', ada, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'aborted',
    })
  })
})

describe('the list', () => {
  it('has what the file and its helpers have, without secrets', async () => {
    await home.vault('own', { 'a.example': ['own', 'hunter2'], 'ignored.example': ['own', 'hunter2'] })
    await home.vault('store', {
      'https://index.docker.io/v1/': ['hub', 'hunter2'],
      'https://index.docker.io/v1/refresh-token': ['token', 'hunter2'],
      'a.example': ['store', 'hunter2'],
      'https://git@b.example': ['git', 'hunter2'],
    })
    await home.write(file, {
      credHelpers: { 'a.example': 'own', 'gone.example': 'gone' },
      credsStore: 'store',
      auths: {
        'https://index.docker.io/v1/': {},
        'a.example': entry('file'),
        'c.example': { identitytoken: 'hunter2' },
        'c.example/team': { auth: basic('team', 'hunter2') },
        'd.example': { auth: 'hunter2!' },
      },
    })
    const onWarning = vi.fn()
    const list = await store({ onWarning }).list()
    expect(list).toEqual([
      { registry: 'docker.io', username: 'hub', place: 'docker-credential-store' },
      { registry: 'a.example', username: 'own', place: 'docker-credential-own' },
      { registry: 'c.example', kind: 'identity-token', place: home.at(file) },
      { registry: 'c.example/team', username: 'team', kind: 'password', place: home.at(file) },
    ])
    const warnings = onWarning.mock.calls.flat().join('\n')
    expect(warnings).toContain('docker-credential-gone')
    expect(warnings).toContain('auths["d.example"].auth is not base64')
    expect(JSON.stringify(list) + warnings).not.toContain('hunter2')
  })

  it('is empty without a file, and can be given up', async () => {
    expect(await store().list()).toEqual([])
    await home.vault('store')
    await home.write(file, { credsStore: 'store' })
    await expect(store().list({ signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'aborted' })
  })
})
