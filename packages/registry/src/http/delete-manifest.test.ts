import { doors, type OpenDoor, sample } from '@stowage/testkit'
import { describe, expect, it } from 'vitest'
import type { AccessControl } from '../access/access.ts'

const image = sample.image('deleted')
const ociIndex = 'application/vnd.oci.image.index.v1+json'

describe.each(doors)('the deletion of a manifest, through $name', ({ open }) => {
  const tag = async (door: OpenDoor, ...tags: string[]): Promise<void> => {
    for (const each of tags) await sample.pushImage(door, 'a', each, image)
  }
  const remove = async (door: OpenDoor, reference: string) => door.send('DELETE', `/v2/a/manifests/${reference}`)
  const tags = async (door: OpenDoor) => ((await door.send('GET', '/v2/a/tags/list')).json() as { tags: string[] }).tags

  /** What may be deleted as `allowed` says; `asked` gathers the questions. */
  const asking = (allowed: (tag: string | undefined) => boolean | Promise<boolean>) => {
    const asked: (string | undefined)[] = []
    const access: AccessControl = {
      authorize: async (_, action, resource) => {
        if (action !== 'delete') return { allow: true }
        asked.push(resource.tag)
        return (await allowed(resource.tag)) ? { allow: true } : { allow: false }
      },
    }
    return { asked, access }
  }

  it('asks for each tag that names it, and takes them along', async () => {
    const { asked, access } = asking(() => true)
    await using door = await open({ access })
    await tag(door, 'b', 'c', 'a')
    expect((await remove(door, image.digest)).status).toBe(202)
    expect(asked).toEqual([undefined, 'a', 'b', 'c'])
    expect(await tags(door)).toEqual([])
    asked.length = 0
    expect((await remove(door, image.digest)).status).toBe(404)
    await tag(door, 'x')
    expect((await remove(door, 'x')).status).toBe(202)
    expect(asked).toEqual([undefined, 'x'])
  })

  it('PROJQUAY-10504: changes nothing when one of the tags may not go', async () => {
    const { asked, access } = asking((name) => name !== 'release')
    await using door = await open({ access })
    await tag(door, 'dev', 'release', 'stable')
    expect((await remove(door, 'release')).status).toBe(403)
    asked.length = 0
    expect((await remove(door, image.digest)).status).toBe(403)
    expect(asked).toEqual([undefined, 'dev', 'release'])
    expect(await tags(door)).toEqual(['dev', 'release', 'stable'])
    expect((await door.send('GET', `/v2/a/manifests/${image.digest}`)).status).toBe(200)
  })

  it('asks for a tag that came after the first question, too', async () => {
    let door: OpenDoor | undefined
    let releaseMayGo = false
    const { asked, access } = asking(async (name) => {
      if (door !== undefined && name === 'dev') await tag(door, 'release')
      return releaseMayGo || name !== 'release'
    })
    await using opened = await open({ access })
    door = opened
    await tag(door, 'dev')
    expect((await remove(door, image.digest)).status).toBe(403)
    expect(asked).toEqual([undefined, 'dev', 'release'])
    expect(await tags(door)).toEqual(['dev', 'release'])
    releaseMayGo = true
    await remove(door, 'release')
    asked.length = 0
    expect((await remove(door, image.digest)).status).toBe(202)
    expect(asked).toEqual([undefined, 'dev', 'release'])
    expect(await tags(door)).toEqual([])
  })

  it('ends when tags come faster than it can ask', async () => {
    let door: OpenDoor | undefined
    let count = 0
    const { access } = asking(async (name) => {
      count += 1
      if (door !== undefined && name !== undefined) await tag(door, `t${count}`)
      return true
    })
    await using opened = await open({ access })
    door = opened
    await tag(door, 'dev')
    const answer = await remove(door, image.digest)
    expect([answer.status, answer.header('retry-after')]).toEqual([429, '1'])
    expect((await tags(door)).length).toBeGreaterThan(1)
  })

  it('T7b: is refused, by tag and by digest, where the tag is immutable', async () => {
    await using door = await open({ policies: { immutableTags: [{ repositories: 'a', tags: 'v*' }] } })
    const other = sample.image('other')
    await tag(door, 'v1', 'latest')
    await sample.pushImage(door, 'a', 'child', other)
    const child = { mediaType: other.mediaType, digest: other.digest, size: other.manifest.byteLength }
    const index = JSON.stringify({ schemaVersion: 2, mediaType: ociIndex, manifests: [child] })
    const headers = { 'content-type': ociIndex }
    expect((await door.send('PUT', '/v2/a/manifests/v2', { body: index, headers })).status).toBe(201)
    expect((await remove(door, 'child')).status).toBe(202)
    for (const reference of ['v1', 'v2', image.digest, other.digest, sample.sha256(Buffer.from(index))]) {
      const answer = await remove(door, reference)
      expect([answer.status, answer.text()]).toEqual([403, expect.stringContaining('is immutable')])
    }
    for (const target of ['v1', `${other.digest}?tag=v1`]) {
      const pushed = { body: other.manifest, headers: { 'content-type': other.mediaType } }
      expect((await door.send('PUT', `/v2/a/manifests/${target}`, pushed)).status).toBe(403)
    }
    expect(await tags(door)).toEqual(['latest', 'v1', 'v2'])
    expect((await door.send('GET', '/v2/a/manifests/v1')).header('docker-content-digest')).toBe(image.digest)
    for (const digest of [image.layer.digest, other.layer.digest]) {
      expect((await door.send('DELETE', `/v2/a/blobs/${digest}`)).status).toBe(403)
      expect((await door.send('HEAD', `/v2/a/blobs/${digest}`)).status).toBe(200)
    }
  })
})
