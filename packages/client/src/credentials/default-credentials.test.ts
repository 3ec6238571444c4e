import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { basic, createHome, type Home } from '../testing/credential-home.ts'
import { defaultCredentials } from './default-credentials.ts'

let home: Home
beforeEach(async () => {
  home = await createHome()
})
afterEach(async () => home[Symbol.asyncDispose]())

const file = (username: string, ...registries: string[]) => ({
  auths: Object.fromEntries(registries.map((registry) => [registry, { auth: basic(username, 'secret') }])),
})
const who = async (registry: string): Promise<string | undefined> => {
  const credential = await defaultCredentials({ environment: home.environment })({ registry })
  return credential?.kind === 'password' ? credential.username : credential?.kind
}

it('asks the environment, the file of REGISTRY_AUTH_FILE, Docker, Podman, in this order', async () => {
  const all = ['1.example', '2.example', '3.example', '4.example'] as const
  await home.write('.config/containers/auth.json', file('podman', ...all))
  expect(await Promise.all(all.map(who))).toEqual(['podman', 'podman', 'podman', 'podman'])
  await home.write('.docker/config.json', file('docker', ...all.slice(0, 3)))
  expect(await Promise.all(all.map(who))).toEqual(['docker', 'docker', 'docker', 'podman'])
  Object.assign(home.environment, { STOWAGE_REGISTRY: '1.example', STOWAGE_USERNAME: 'env', STOWAGE_PASSWORD: 'p' })
  expect(await Promise.all(all.map(who))).toEqual(['env', 'docker', 'docker', 'podman'])
  // The file that is named stands for the places where Podman looks otherwise.
  home.environment['REGISTRY_AUTH_FILE'] = await home.write('named.json', file('named', ...all.slice(0, 2)))
  expect(await Promise.all(all.map(who))).toEqual(['env', 'named', 'docker', undefined])
})

it('tells what Docker warns of', async () => {
  await home.write('.docker/config.json', { credsStore: 'gone' })
  const onWarning = vi.fn()
  await defaultCredentials({ environment: home.environment, onWarning })({ registry: 'a.example' })
  expect(onWarning).toHaveBeenCalledOnce()
})
