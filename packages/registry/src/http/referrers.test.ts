import { memoryBlobs, type MetadataStore, sqliteMetadata } from '@stowage/registry'
import { doors, type OpenDoor, sample } from '@stowage/testkit'
import { describe, expect, it } from 'vitest'

const ociManifest = 'application/vnd.oci.image.manifest.v1+json'
const subject = sample.sha256(Buffer.from('subject'))

interface Index {
  readonly manifests: { readonly digest: string }[]
}

describe.each(doors)('referrers in numbers and sizes, through $name', ({ open }) => {
  const push = async (door: OpenDoor, name: string, annotations: Record<string, string>, artifactType = 'a/b') => {
    const { manifest, digest } = sample.image(name, {
      artifactType,
      annotations,
      subject: { mediaType: ociManifest, digest: subject, size: 1 },
    })
    const headers = { 'content-type': ociManifest }
    const answer = await door.send('PUT', `/v2/a/manifests/${digest}`, { body: manifest, headers })
    expect(answer.status).toBe(201)
    return digest as string
  }
  const pages = async (door: OpenDoor, query = ''): Promise<{ digests: string[]; sizes: number[] }> => {
    const digests: string[] = []
    const sizes: number[] = []
    let target: string | undefined = `/v2/a/referrers/${subject}${query}`
    while (target !== undefined) {
      const answer = await door.send('GET', target)
      expect(answer.status).toBe(200)
      digests.push(...(answer.json() as Index).manifests.map(({ digest }) => digest))
      sizes.push(answer.bytes.byteLength)
      target = /^<([^>]+)>/.exec(answer.header('link') ?? '')?.[1]
    }
    return { digests, sizes }
  }

  it('keep a page below 4 MiB as it goes over the wire, not as JavaScript counts', async () => {
    await using door = await open({ manifests: { allowMissingBlobs: true } })
    const pushed: string[] = []
    // Three bytes each in UTF-8, one unit each in a string.
    for (let at = 0; at < 9; at++)
      pushed.push(await push(door, `wide ${at}`, { big: '層'.repeat(500_000), at: `${at}` }))
    const { digests, sizes } = await pages(door)
    expect(digests).toEqual(pushed.toSorted())
    expect(Math.max(...sizes)).toBeLessThanOrEqual(4 * 1024 * 1024)
  })

  it('never read more from the store at once than memory can take, however large they are', async () => {
    const limits: number[] = []
    const metadata = await sqliteMetadata({ path: ':memory:' })
    const watched: MetadataStore = {
      ...metadata,
      listReferrers: async (page) => {
        limits.push(page.limit)
        return metadata.listReferrers(page)
      },
    }
    await using door = await open({
      storage: { metadata: watched, blobs: memoryBlobs() },
      manifests: { allowMissingBlobs: true },
    })
    const pushed: string[] = []
    for (let at = 0; at < 70; at++)
      pushed.push(await push(door, `small ${at}`, { at: `${at}` }, at % 2 ? 'a/odd' : 'a/even'))
    expect((await pages(door)).digests).toEqual(pushed.toSorted())
    expect((await pages(door, '?artifactType=a/odd')).digests).toHaveLength(35)
    // Each may have annotations of as many bytes as a manifest may have.
    expect(Math.max(...limits)).toBeLessThanOrEqual(16)
  })

  it('pages by number too', async () => {
    await using door = await open({ manifests: { allowMissingBlobs: true } })
    const pushed = new Set<string>()
    for (let at = 0; at < 1003; at++) pushed.add(await push(door, `many ${at}`, {}))
    const { digests, sizes } = await pages(door)
    expect(sizes).toHaveLength(2)
    expect(digests).toEqual([...pushed].toSorted())
  })

  it('are found by a type whose plus sign was not encoded', async () => {
    await using door = await open({ manifests: { allowMissingBlobs: true } })
    const digest = await push(door, 'plus', {}, 'application/vnd.example.sbom.v1+json')
    for (const sign of ['+', '%2B', '%2b']) {
      const answer = await door.send(
        'GET',
        `/v2/a/referrers/${subject}?artifactType=application/vnd.example.sbom.v1${sign}json`,
      )
      expect([answer.status, answer.header('oci-filters-applied')]).toEqual([200, 'artifactType'])
      expect((answer.json() as Index).manifests.map((found) => found.digest)).toEqual([digest])
    }
  })

  it.each([
    ['artifactType=a/b&artifactType=c/d', 400],
    ['last=a&last=b', 400],
    ['last=%00', 400],
    ['last=a%0Ab', 400],
    ['artifactType=x', 400],
    ['artifactType=', 200],
    ['last=', 200],
    ['last=zzzz', 200],
    ['last=%F0%9F%90%B3', 200],
    ['n=5', 200],
  ])('answer to ?%s with %i', async (query, status) => {
    await using door = await open()
    expect((await door.send('GET', `/v2/a/referrers/${subject}?${query}`)).status).toBe(status)
  })

  it.each(['_catalog', 'a/tags/list'])('%s refuses a last that no database would take', async (path) => {
    await using door = await open()
    await sample.pushBlob(door, 'a', Buffer.from('x'))
    for (const last of ['%00', 'a%00', '%0d%0a', '%7f']) {
      expect((await door.send('GET', `/v2/${path}?last=${last}`)).status).toBe(400)
    }
    for (const last of ['', 'a', '%C3%A9', '%FF', '%', '~', 'a'.repeat(5000)]) {
      expect((await door.send('GET', `/v2/${path}?last=${last}`)).status).toBe(200)
    }
  })
})
