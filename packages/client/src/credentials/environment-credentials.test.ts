import { describe, expect, it, test } from 'vitest'
import type { Credential } from './credential.ts'
import { environmentCredentials } from './environment-credentials.ts'
import { staticCredential } from './static-credential.ts'

const ada: Credential = { kind: 'password', username: 'ada', password: 'p:w' }
const login = { STOWAGE_USERNAME: 'ada', STOWAGE_PASSWORD: 'p:w' }
const ask = async (environment: Record<string, string>, registry: string, repository = '') =>
  environmentCredentials({ environment })({ registry, repository })

describe('the environment', () => {
  it('has a user for its registry, and for no other', async () => {
    const environment = { ...login, STOWAGE_REGISTRY: 'registry.example' }
    expect(await ask(environment, 'registry.example', 'team/app')).toEqual(ada)
    expect(await ask(environment, 'registry.example.evil')).toBeUndefined()
    expect(await ask(environment, 'registry.example:5000')).toBeUndefined()
    expect(await ask(environment, 'docker.io')).toBeUndefined()
  })

  it('has a token', async () => {
    const environment = { STOWAGE_TOKEN: 't', STOWAGE_REGISTRY: 'https://registry.example/' }
    expect(await ask(environment, 'registry.example')).toEqual({ kind: 'registry-token', token: 't' })
  })

  it('may keep it to a namespace', async () => {
    const environment = { ...login, STOWAGE_REGISTRY: 'registry.example/team' }
    expect(await ask(environment, 'registry.example', 'team/app')).toEqual(ada)
    expect(await ask(environment, 'registry.example', 'teams/app')).toBeUndefined()
    expect(await ask(environment, 'registry.example')).toBeUndefined()
  })

  it('has nothing when nothing or an empty variable is set', async () => {
    expect(await ask({}, 'registry.example')).toBeUndefined()
    expect(await ask({ STOWAGE_REGISTRY: 'registry.example' }, 'registry.example')).toBeUndefined()
    expect(await ask({ STOWAGE_USERNAME: '', STOWAGE_PASSWORD: '', STOWAGE_TOKEN: '' }, 'a.example')).toBeUndefined()
  })

  test.each<[string, Record<string, string>]>([
    ['does not say for which registry', login],
    ['does not say for which registry', { STOWAGE_TOKEN: 'hunter2', STOWAGE_REGISTRY: '' }],
    [
      'STOWAGE_USERNAME is set, but STOWAGE_PASSWORD is not',
      { STOWAGE_USERNAME: 'hunter2', STOWAGE_REGISTRY: 'a.example' },
    ],
    [
      'STOWAGE_PASSWORD is set, but STOWAGE_USERNAME is not',
      { STOWAGE_PASSWORD: 'hunter2', STOWAGE_REGISTRY: 'a.example' },
    ],
    ['STOWAGE_TOKEN is set beside', { ...login, STOWAGE_TOKEN: 'hunter2', STOWAGE_REGISTRY: 'a.example' }],
    ['STOWAGE_REGISTRY is not a host', { ...login, STOWAGE_REGISTRY: 'ada:hunter2@a.example' }],
    ['STOWAGE_REGISTRY is not a host', { ...login, STOWAGE_REGISTRY: '*' }],
  ])('gives nothing, but an error, where it %s', async (message, environment) => {
    const error: unknown = await ask(environment, 'a.example').catch((caught: unknown) => caught)
    expect(error).toMatchObject({ code: 'usage', message: expect.stringContaining(message) })
    expect(String(error)).not.toContain('hunter2')
  })
})

describe('a credential that is given', () => {
  it('is for its registry, and for no other', async () => {
    const source = staticCredential('index.docker.io', ada)
    expect(await source({ registry: 'docker.io', repository: 'library/alpine' })).toEqual(ada)
    expect(await source({ registry: 'ghcr.io' })).toBeUndefined()
    const team = staticCredential('registry.example:5000/team', ada)
    expect(await team({ registry: 'registry.example:5000', repository: 'team/app' })).toEqual(ada)
    expect(await team({ registry: 'registry.example:5000', repository: 'app' })).toBeUndefined()
  })

  it('needs a registry', () => {
    expect(() => staticCredential('', ada)).toThrow(expect.objectContaining({ code: 'usage' }))
    expect(() => staticCredential('*', ada)).toThrow(expect.objectContaining({ code: 'usage' }))
  })
})
