import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sample } from '@stowage/testkit'
import { describe, expect, it } from 'vitest'
import { dockerRegistryUser, startDockerRegistry } from './docker-registry.ts'

describe('docker-registry', () => {
  it('starts, keeps what is pushed, deletes it, and is gone afterwards', async () => {
    let url: string
    {
      await using registry = await startDockerRegistry()
      ;({ url } = registry)
      expect(url).toBe(`http://${registry.host}`)
      const bytes = new TextEncoder().encode('a layer')
      await push(url, bytes)
      const blob = `${url}/v2/test/app/blobs/${sample.sha256(bytes)}`
      expect(new Uint8Array(await (await fetch(blob)).arrayBuffer())).toEqual(bytes)
      expect((await fetch(blob, { method: 'DELETE' })).status).toBe(202)
      expect((await fetch(blob)).status).toBe(404)
      expect(await registry.log()).toContain('/v2/test/app/blobs/uploads/')
    }
    await expect(fetch(`${url}/v2/`)).rejects.toThrow(TypeError)
  })

  it('lets in its one user alone when told so', async () => {
    await using registry = await startDockerRegistry({ auth: true })
    const ask = async (username: string, password: string): Promise<number> => {
      const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
      return (await fetch(`${registry.url}/v2/`, { headers: { authorization } })).status
    }
    const refused = await fetch(`${registry.url}/v2/`)
    expect(refused.status).toBe(401)
    expect(refused.headers.get('www-authenticate')).toMatch(/^Basic realm=/)
    expect(await ask(dockerRegistryUser.username, 'wrong')).toBe(401)
    expect(await ask(dockerRegistryUser.username, dockerRegistryUser.password)).toBe(200)
  })

  it('keeps what it has in a directory that it was given', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'docker-registry-test-'))
    try {
      const bytes = new TextEncoder().encode('kept')
      const blob = `/v2/test/app/blobs/${sample.sha256(bytes)}`
      {
        await using registry = await startDockerRegistry({ directory })
        await push(registry.url, bytes)
      }
      await using again = await startDockerRegistry({ directory })
      expect((await fetch(`${again.url}${blob}`)).status).toBe(200)
    } finally {
      await rm(directory, { recursive: true })
    }
  })
})

const push = async (url: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> => {
  const begun = await fetch(`${url}/v2/test/app/blobs/uploads/`, { method: 'POST' })
  expect(begun.status).toBe(202)
  const location = new URL(begun.headers.get('location') ?? '', url)
  location.searchParams.set('digest', sample.sha256(bytes))
  expect((await fetch(location, { method: 'PUT', body: bytes })).status).toBe(201)
}
