import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it, test } from 'vitest'
import { basic, createHome, type Home } from '../testing/credential-home.ts'
import type { Credential, CredentialRequest } from './credential.ts'
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

describe('the file', () => {
  it('is ~/.docker/config.json', async () => {
    await config({ auths: { 'registry.example': entry('home') } })
    expect(await ask('registry.example')).toEqual(user('home'))
  })

  it('is config.json in DOCKER_CONFIG, if that is set', async () => {
    await config({ auths: { 'registry.example': entry('home') } })
    await home.write('other/config.json', { auths: { 'registry.example': entry('other') } })
    home.environment['DOCKER_CONFIG'] = home.at('other')
    expect(await ask('registry.example')).toEqual(user('other'))
    home.environment['DOCKER_CONFIG'] = ''
    expect(await ask('registry.example')).toEqual(user('home'))
  })

  it('is the one that is given, and then what the environment holds does not count', async () => {
    await config({ auths: { 'registry.example': entry('home') } })
    const path = await home.write('given.json', { auths: { 'other.example': entry('given') } })
    home.environment['DOCKER_AUTH_CONFIG'] = JSON.stringify({ auths: { 'registry.example': entry('variable') } })
    expect(await ask('other.example', undefined, { path })).toEqual(user('given'))
    expect(await ask('registry.example', undefined, { path })).toBeUndefined()
  })

  it('may be missing or empty', async () => {
    expect(await ask('registry.example')).toBeUndefined()
    await config('')
    expect(await ask('registry.example')).toBeUndefined()
    await config({ auths: null, credHelpers: null, credsStore: null })
    expect(await ask('registry.example')).toBeUndefined()
  })

  it('is read anew when it has changed', async () => {
    const find = source()
    expect(await find({ registry: 'registry.example' })).toBeUndefined()
    await config({ auths: { 'registry.example': entry('one') } })
    expect(await find({ registry: 'registry.example' })).toEqual(user('one'))
    await config({ auths: { 'registry.example': entry('another') } })
    expect(await find({ registry: 'registry.example' })).toEqual(user('another'))
  })
})

describe('a file that is wrong', () => {
  test.each<[string, unknown, string]>([
    ['no JSON', '{"auths": hunter2}', 'is not JSON at line 1, column 11.'],
    ['no object', ['hunter2'], ' is not an object.'],
    ['auths that is no object', { auths: ['hunter2'] }, ': auths is not an object.'],
    ['an entry that is no object', { auths: { 'a.example': 'hunter2' } }, ': auths["a.example"] is not an object.'],
    ['such an entry under a URL', { auths: { 'https://u:hunter2@a': 7 } }, ': an entry of auths is not an object.'],
    ['a helper that is no string', { credHelpers: { a: ['hunter2'] } }, ': credHelpers["a"] is not a string.'],
    ['a store that is no string', { credsStore: { hunter2: 1 } }, ': credsStore is not a string.'],
    [
      'an entry that cannot be decoded',
      { auths: { 'https://registry.example/v1/': { auth: 'hunter2!' } } },
      ': auths["registry.example"].auth is not base64.',
    ],
  ])('as one with %s is an error that shows none of it', async (_, content, message) => {
    const path = await config(content)
    const error: unknown = await ask('registry.example').catch((caught: unknown) => caught)
    expect(error).toMatchObject({ code: 'invalid-content' })
    expect(String(error)).toContain(path)
    expect(String(error)).toContain(message)
    expect(String(error)).not.toContain('hunter2')
  })

  it('does not matter where another entry is wrong', async () => {
    await config({ auths: { 'a.example': { auth: '!' }, 'registry.example': entry('right') } })
    expect(await ask('registry.example')).toEqual(user('right'))
  })
})

describe('auths', () => {
  test.each([
    'registry.example',
    'REGISTRY.example',
    'registry.example/',
    'http://registry.example',
    'https://registry.example/v1/',
    'https://registry.example/v2/',
    'registry.example/v1/',
  ])('knows the registry as %s', async (key) => {
    await config({ auths: { [key]: entry('me') } })
    expect(await ask('registry.example')).toEqual(user('me'))
    expect(await ask('registry.example', 'team/app')).toEqual(user('me'))
  })

  test.each([
    'registry.example.evil',
    'evil-registry.example',
    'registry.example:5000',
    'registry.example:443',
    'https://registry.example.evil/registry.example',
    'https://registry.example@evil.example/',
    'evil.example/registry.example',
    'registry.exampl',
    'example',
    '*.example',
    '',
  ])('does not take %j for it', async (key) => {
    await config({ auths: { [key]: entry('evil') } })
    expect(await ask('registry.example', 'team/app')).toBeUndefined()
  })

  it('knows ports apart', async () => {
    await config({ auths: { 'registry.example:5000': entry('5000'), 'registry.example': entry('none') } })
    expect(await ask('registry.example:5000')).toEqual(user('5000'))
    expect(await ask('registry.example')).toEqual(user('none'))
    expect(await ask('registry.example:5001')).toBeUndefined()
  })

  const names = ['docker.io', 'index.docker.io', 'registry-1.docker.io']
  test.each(
    [...names, 'https://index.docker.io/v1/', 'index.docker.io/v1/', 'https://docker.io'].flatMap((key) =>
      names.map((name) => [key, name] as const),
    ),
  )('knows Docker Hub as %s when asked for %s', async (key, name) => {
    await config({ auths: { [key]: entry('hub') } })
    expect(await ask(name, 'library/alpine')).toEqual(user('hub'))
  })

  it("never gives a registry the tokens of Docker's own login", async () => {
    await config({ auths: { 'https://index.docker.io/v1/refresh-token': entry('token') } })
    expect(await ask('docker.io', 'library/alpine')).toBeUndefined()
  })

  it("prefers Docker's own spelling, then what stands first", async () => {
    await config({
      auths: {
        'https://registry.example/v1/': entry('url'),
        'registry.example': entry('host'),
        'index.docker.io': entry('index'),
        'https://index.docker.io/v1/': entry('docker'),
        'https://a.example': entry('first'),
        'http://a.example': entry('second'),
      },
    })
    expect(await ask('registry.example')).toEqual(user('host'))
    expect(await ask('docker.io')).toEqual(user('docker'))
    expect(await ask('a.example')).toEqual(user('first'))
  })

  it('passes over an entry that has nothing', async () => {
    await config({ auths: { 'registry.example': {}, 'https://registry.example/v1/': entry('url') } })
    expect(await ask('registry.example')).toEqual(user('url'))
  })

  it('takes the longest namespace', async () => {
    await config({
      auths: {
        'registry.example': entry('registry'),
        'registry.example/team/app': entry('app'),
        'registry.example/team': entry('team'),
        'index.docker.io/library': entry('library'),
      },
    })
    expect(await ask('registry.example', 'team/app')).toEqual(user('app'))
    expect(await ask('registry.example', 'team/app/part')).toEqual(user('app'))
    expect(await ask('registry.example', 'team/application')).toEqual(user('team'))
    expect(await ask('registry.example', 'team')).toEqual(user('team'))
    expect(await ask('registry.example', 'teams/app')).toEqual(user('registry'))
    expect(await ask('registry.example')).toEqual(user('registry'))
    expect(await ask('docker.io', 'library/alpine')).toEqual(user('library'))
    expect(await ask('docker.io', 'grafana/loki')).toBeUndefined()
  })

  it('is not fooled by names that objects have', async () => {
    await config('{"__proto__": {"auths": {"registry.example": {"username": "evil"}}}, "auths": {"__proto__": {}}}')
    expect(await ask('registry.example')).toBeUndefined()
    expect(await ask('constructor')).toBeUndefined()
  })

  it('gives each of many registries its own, whatever the order', async () => {
    const label = fc.constantFrom('a', 'b', 'aa', 'ab', 'ba')
    const host = fc
      .tuple(label, label, fc.constantFrom('', ':1', ':11'))
      .map(([first, second, port]) => `${first}.${second}${port}`)
    const path = fc.array(label, { maxLength: 3 })
    const key = fc.tuple(host, path).map(([name, parts]) => [name, ...parts].join('/'))
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(key, { maxLength: 12 }), host, path, async (keys, registry, parts) => {
        const file = await home.write('given.json', {
          auths: Object.fromEntries(keys.map((name) => [name, entry(name.replace(':', '!'))])),
        })
        // What containers-auth.json(5) says: the repository, then each namespace above it, then the registry.
        const lookups = parts.map((_, index) => [registry, ...parts.slice(0, parts.length - index)].join('/'))
        const expected = [...lookups, registry].find((name) => keys.includes(name))
        const repository = parts.join('/')
        const found = await dockerConfig({ path: file, environment: home.environment })({ registry, repository })
        expect(found).toEqual(expected && user(expected.replace(':', '!')))
      }),
      { numRuns: 60 },
    )
  })
})

describe('what is asked for', () => {
  test.each<CredentialRequest>([
    { registry: '' },
    { registry: 'registry.example\nother.example' },
    { registry: 'user@registry.example' },
    { registry: 'registry.example', repository: '../other' },
    { registry: 'registry.example', repository: 'team//app' },
  ])('is refused when it is no name: %j', async (request) => {
    await config({ auths: { 'registry.example': entry('me') }, credsStore: 'x' })
    await expect(source()(request)).rejects.toMatchObject({ code: 'usage' })
  })
})

describe('DOCKER_AUTH_CONFIG', () => {
  const variable = (content: unknown): void => {
    home.environment['DOCKER_AUTH_CONFIG'] = typeof content === 'string' ? content : JSON.stringify(content)
  }

  it('comes before everything of the file, which has the rest', async () => {
    await home.vault('x', { 'a.example': ['helper', 'secret'], 'b.example': ['helper', 'secret'] })
    await config({ auths: { 'c.example': entry('file') }, credHelpers: { 'a.example': 'x', 'b.example': 'x' } })
    variable({ auths: { 'a.example': entry('variable') } })
    expect(await ask('a.example')).toEqual(user('variable'))
    expect(await ask('b.example')).toEqual(user('helper'))
    expect(await ask('c.example')).toEqual(user('file'))
  })

  it('may name helpers, as in GitLab CI', async () => {
    await home.vault('x', { 'a.example': ['helper', 'secret'] })
    variable({ credsStore: 'x' })
    expect(await ask('a.example')).toEqual(user('helper'))
  })

  it('is an error by its name when it is wrong', async () => {
    variable('{"auths": hunter2')
    await expect(ask('a.example')).rejects.toMatchObject({
      code: 'invalid-content',
      message: 'DOCKER_AUTH_CONFIG is not JSON at line 1, column 11.',
    })
  })
})
