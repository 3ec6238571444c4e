import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { run } from '../clients/command.ts'
import { dockerRegistryUser, startDockerRegistry } from './docker-registry.ts'

const file = join(import.meta.dirname, '..', '..', 'examples', 'seed-tutorial.ts')
const tutorial = async (url: string, env: Readonly<Record<string, string>>, signal: AbortSignal): Promise<string> =>
  (await run(process.execPath, ['--conditions=@stowage/source', file, url], { env, signal })).stdout

describe('examples/seed-tutorial.ts at docker-registry', () => {
  it('passes', async ({ signal }) => {
    await using registry = await startDockerRegistry({ signal })
    const output = await tutorial(registry.url, { STOWAGE_USERNAME: '', STOWAGE_PASSWORD: '' }, signal)
    expect(output).toContain("tags <Response [200]> { name: 'myorg/myrepo', tags: [ 'latest' ] }")
    expect(output).toMatch(/\ndone\n$/)
  })

  it('passes where a password is asked for', async ({ signal }) => {
    await using registry = await startDockerRegistry({ auth: true, signal })
    const { username, password } = dockerRegistryUser
    const env = { STOWAGE_USERNAME: username, STOWAGE_PASSWORD: password }
    expect(await tutorial(registry.url, env, signal)).toMatch(/\ndone\n$/)
    await expect(tutorial(registry.url, { ...env, STOWAGE_PASSWORD: 'wrong' }, signal)).rejects.toThrow(/401/)
  })
})
