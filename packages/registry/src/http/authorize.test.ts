import { doors, type OpenDoor, sample } from '@stowage/testkit'
import { describe, expect, it } from 'vitest'
import type { AccessControl, Resource } from '../access/access.ts'
import type { Logger } from '../logger.ts'

const image = sample.image('guarded')
const ociManifest = 'application/vnd.oci.image.manifest.v1+json'

const logged = (): { logger: Logger; errors: string[] } => {
  const errors: string[] = []
  const silent = (): void => {}
  return { logger: { debug: silent, info: silent, warn: silent, error: (_, message) => errors.push(message) }, errors }
}

describe.each(doors)('a host that decides who may do what, through $name', ({ open }) => {
  const put = async (door: OpenDoor, reference: string, pushed = image): Promise<number> => {
    await sample.pushBlob(door, 'a', pushed.config.bytes)
    await sample.pushBlob(door, 'a', pushed.layer.bytes)
    const headers = { 'content-type': ociManifest }
    return (await door.send('PUT', `/v2/a/manifests/${reference}`, { body: pushed.manifest, headers })).status
  }

  it('shows and mounts nothing of its repositories until it says what may be seen', async () => {
    let filling = true
    await using door = await open({
      access: { authorize: (_, __, { repository }) => ({ allow: filling || repository !== 'secret' }) },
    })
    const digest = await sample.pushBlob(door, 'secret', Buffer.from('hidden'))
    filling = false
    expect((await door.send('GET', `/v2/secret/blobs/${digest}`)).status).toBe(403)
    expect((await door.send('POST', `/v2/mine/blobs/uploads/?mount=${digest}`)).status).toBe(202)
    expect((await door.send('GET', `/v2/mine/blobs/${digest}`)).status).toBe(404)
    expect((await door.send('GET', '/v2/_catalog')).json()).toEqual({ repositories: [] })
  })

  it('is asked about every tag that a push by digest sets, before the body is read', async () => {
    const asked: Resource[] = []
    const access: AccessControl = {
      authorize: (_, action, resource) => {
        if (action === 'push') asked.push(resource)
        return { allow: resource.tag !== 'release' }
      },
    }
    await using door = await open({ access })
    expect(await put(door, 'release')).toBe(403)
    expect(await put(door, `${image.digest}?tag=dev&tag=release`)).toBe(403)
    expect((await door.send('GET', '/v2/a/tags/list')).json()).toEqual({ name: 'a', tags: [] })
    asked.length = 0
    expect(await put(door, `${image.digest}?tag=dev&tag=edge`)).toBe(201)
    expect(asked.map(({ tag }) => tag).filter((tag) => tag !== undefined)).toEqual(['dev', 'edge'])
  })

  it('moves no tag of several when one of them may not be moved', async () => {
    const access: AccessControl = { authorize: (_, __, { tag }) => ({ allow: true, overwriteTags: tag !== 'fixed' }) }
    await using door = await open({ access })
    const other = sample.image('other')
    expect(await put(door, `${image.digest}?tag=fixed&tag=loose`)).toBe(201)
    expect(await put(door, `${other.digest}?tag=loose`, other)).toBe(201)
    expect(await put(door, `${other.digest}?tag=new&tag=fixed`, other)).toBe(403)
    expect((await door.send('GET', '/v2/a/tags/list')).json()).toEqual({ name: 'a', tags: ['fixed', 'loose'] })
    const loose = await door.send('HEAD', '/v2/a/manifests/loose')
    expect(loose.header('docker-content-digest')).toBe(other.digest)
  })

  it('is never shown a tag that cannot be one', async () => {
    const tags: (string | undefined)[] = []
    await using door = await open({
      access: {
        authorize: (_, __, { tag }) => {
          tags.push(tag)
          return { allow: true }
        },
      },
    })
    for (const tag of ['-x', 'a;b', 'x'.repeat(129), "a'b"]) {
      expect((await door.send('DELETE', `/v2/a/manifests/${tag}`)).status).toBe(400)
    }
    expect(tags).toEqual([undefined, undefined, undefined, undefined])
  })

  it('finds a header however it writes its name', async () => {
    const found: (string | null)[] = []
    await using door = await open({
      access: {
        authenticate: ({ header }) => {
          found.push(header('authorization'), header('Authorization'), header('AUTHORIZATION'), header('X-Nothing'))
          return { kind: 'user', name: 'ann' }
        },
      },
    })
    await door.send('GET', '/v2/', { headers: { authorization: 'Basic eDp5' } })
    expect(found).toEqual(['Basic eDp5', 'Basic eDp5', 'Basic eDp5', null])
  })

  it.each(['authenticate', 'authorize', 'visible'] as const)(
    'is told in the log, not the client, when its %s fails, whatever the error is called',
    async (callback) => {
      const { logger, errors } = logged()
      const fail = (): never => {
        throw Object.assign(new Error('connect to auth.internal:1234 failed'), { code: 'ECONNRESET' })
      }
      for (const failing of [fail, async () => fail()]) {
        await using door = await open({ logger, access: { [callback]: failing } })
        const answer = await door.send('GET', '/v2/_catalog')
        expect(answer.status).toBe(500)
        expect(answer.text()).not.toContain('auth.internal')
        expect(answer.json()).toMatchObject({ errors: [{ message: expect.any(String) as string }] })
      }
      expect(errors).toHaveLength(2)
    },
  )
})
