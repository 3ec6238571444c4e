import { createHash } from 'node:crypto'
import { doors, type OpenDoor, sample } from '@stowage/testkit'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

const ociManifest = 'application/vnd.oci.image.manifest.v1+json'
const ociIndex = 'application/vnd.oci.image.index.v1+json'

describe.each(doors)('manifests through $name', ({ open }) => {
  let door: OpenDoor
  const image = sample.image('one')

  beforeEach(async () => {
    door = await open()
  })
  afterEach(async () => door[Symbol.asyncDispose]())

  const put = async (
    reference: string,
    body: Uint8Array | string,
    type: string | undefined = ociManifest,
    name = 'a/b',
  ) =>
    door.send('PUT', `/v2/${name}/manifests/${reference}`, {
      body,
      headers: type === '' ? {} : { 'content-type': type },
    })
  const pushBlobs = async (
    ...images: { config: { bytes: Uint8Array }; layer: { bytes: Uint8Array } }[]
  ): Promise<void> => {
    for (const { config, layer } of images) {
      await sample.pushBlob(door, 'a/b', config.bytes)
      await sample.pushBlob(door, 'a/b', layer.bytes)
    }
  }
  const expectError = (answer: { status: number; json(): unknown }, status: number, code: string): void => {
    expect([answer.status, (answer.json() as { errors: { code: string }[] }).errors[0]?.code]).toEqual([status, code])
  }

  it('stores and serves by tag and by digest, byte for byte', async () => {
    await pushBlobs(image)
    const pushed = await put('latest', image.manifest)
    expect([pushed.status, pushed.header('location'), pushed.header('docker-content-digest'), pushed.text()]).toEqual([
      201,
      `/v2/a/b/manifests/${image.digest}`,
      image.digest,
      '',
    ])
    for (const reference of ['latest', 'latest/', image.digest, `${image.digest}/`]) {
      for (const method of ['GET', 'HEAD']) {
        const answer = await door.send(method, `/v2/a/b/manifests/${reference}`)
        expect([
          answer.status,
          answer.header('content-type'),
          answer.header('content-length'),
          answer.header('docker-content-digest'),
          answer.header('etag'),
        ]).toEqual([200, ociManifest, String(image.manifest.byteLength), image.digest, `"${image.digest}"`])
        expect(answer.text()).toBe(method === 'HEAD' ? '' : new TextDecoder().decode(image.manifest))
      }
    }
  })

  it('keeps odd spacing, unknown fields and no mediaType as they were', async () => {
    await pushBlobs(image)
    const text = `{ "layers":[],\n\t"x-unknown": {"é": [1.0]}, "config": {"digest":"${image.config.digest}","size":${image.config.bytes.byteLength},"mediaType":"application/vnd.oci.image.config.v1+json"}, "schemaVersion": 2 }\n`
    expect((await put('odd', text)).status).toBe(201)
    expect((await door.send('GET', '/v2/a/b/manifests/odd')).text()).toBe(text)
  })

  it('moves a tag', async () => {
    const other = sample.image('two')
    await pushBlobs(image, other)
    await put('latest', image.manifest)
    await put('latest', other.manifest)
    expect((await door.send('HEAD', '/v2/a/b/manifests/latest')).header('docker-content-digest')).toBe(other.digest)
    expect((await door.send('HEAD', `/v2/a/b/manifests/${image.digest}`)).status).toBe(200)
  })

  it('verifies the digest of the path, in its algorithm', async () => {
    await pushBlobs(image)
    const wrong = sample.sha256(Buffer.from('another'))
    expectError(await put(wrong, image.manifest), 400, 'DIGEST_INVALID')
    expect((await door.send('GET', `/v2/a/b/manifests/${wrong}`)).status).toBe(404)
    const sha512 = `sha512:${createHash('sha512').update(image.manifest).digest('hex')}`
    expect((await put(sha512, image.manifest)).header('docker-content-digest')).toBe(sha512)
    expect((await door.send('GET', `/v2/a/b/manifests/${sha512}`)).status).toBe(200)
    expectError(await put('sha256:baddigeststring', image.manifest), 400, 'DIGEST_INVALID')
  })

  it('sets every tag of a push by digest and names them', async () => {
    await pushBlobs(image)
    const tags = Array.from({ length: 12 }, (_, index) => `t${index}`)
    const query = tags.map((tag) => `tag=${tag}`).join('&')
    const answer = await put(`${image.digest}?${query}&tag=t0`, image.manifest)
    expect([answer.status, answer.header('oci-tag')]).toEqual([201, tags.join(', ')])
    expect((await door.send('GET', '/v2/a/b/tags/list')).json()).toEqual({ name: 'a/b', tags: tags.toSorted() })
    expectError(await put(`${image.digest}?tag=.bad`, image.manifest), 400, 'MANIFEST_INVALID')
    expect((await put('latest?tag=more', image.manifest)).status).toBe(400)
    const many = Array.from({ length: 101 }, (_, index) => `tag=x${index}`).join('&')
    expect((await put(`${image.digest}?${many}`, image.manifest)).status).toBe(414)
  })

  it('wants every config and layer in the repository, and writes nothing without', async () => {
    await sample.pushBlob(door, 'a/b', image.config.bytes)
    await sample.pushBlob(door, 'other', image.layer.bytes)
    const answer = await put('latest', image.manifest)
    expectError(answer, 400, 'MANIFEST_BLOB_UNKNOWN')
    expect(answer.json()).toMatchObject({ errors: [{ detail: { blobs: [image.layer.digest] } }] })
    expectError(await door.send('GET', '/v2/a/b/manifests/latest'), 404, 'MANIFEST_UNKNOWN')
    expectError(await door.send('GET', `/v2/a/b/manifests/${image.digest}`), 404, 'MANIFEST_UNKNOWN')
    await using lenient = await open({ manifests: { allowMissingBlobs: true } })
    const accepted = await lenient.send('PUT', '/v2/a/b/manifests/latest', {
      body: image.manifest,
      headers: { 'content-type': ociManifest },
    })
    expect(accepted.status).toBe(201)
  })

  it('does not want layers that may not be distributed', async () => {
    const foreign = sample.image('foreign', {
      layers: [
        {
          mediaType: 'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip',
          digest: sample.sha256(Buffer.from('elsewhere')),
          size: 9,
          urls: ['https://layers.example/elsewhere'],
        },
      ],
    })
    await sample.pushBlob(door, 'a/b', foreign.config.bytes)
    expect((await put('foreign', foreign.manifest)).status).toBe(201)
  })

  it('accepts an index before its manifests, unless told not to', async () => {
    const index = JSON.stringify({
      schemaVersion: 2,
      mediaType: ociIndex,
      manifests: [{ mediaType: ociManifest, digest: image.digest, size: image.manifest.byteLength }],
    })
    expect((await put('multi', index, ociIndex)).status).toBe(201)
    expect((await door.send('GET', '/v2/a/b/manifests/multi')).header('content-type')).toBe(ociIndex)
    await using strict = await open({ manifests: { allowMissingManifests: false } })
    const refused = await strict.send('PUT', '/v2/a/b/manifests/multi', {
      body: index,
      headers: { 'content-type': ociIndex },
    })
    expectError(refused, 400, 'MANIFEST_BLOB_UNKNOWN')
  })

  it('never turns one media type into another, whatever Accept says', async () => {
    await pushBlobs(image)
    await put('latest', image.manifest)
    for (const accept of ['*/*', 'application/json', ociIndex, 'text/html']) {
      const answer = await door.send('GET', '/v2/a/b/manifests/latest', { headers: { accept } })
      expect([answer.status, answer.header('content-type')]).toEqual([200, ociManifest])
      expect(sample.sha256(answer.bytes)).toBe(image.digest)
    }
  })

  it('accepts what Docker pushes', async () => {
    await pushBlobs(image)
    const type = 'application/vnd.docker.distribution.manifest.v2+json'
    const manifest = JSON.stringify({
      schemaVersion: 2,
      mediaType: type,
      config: {
        mediaType: 'application/vnd.docker.container.image.v1+json',
        digest: image.config.digest,
        size: image.config.bytes.byteLength,
      },
      layers: [
        {
          mediaType: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
          digest: image.layer.digest,
          size: image.layer.bytes.byteLength,
        },
      ],
    })
    expect((await put('docker', manifest, type)).status).toBe(201)
    expect((await door.send('GET', '/v2/a/b/manifests/docker')).header('content-type')).toBe(type)
  })

  it('takes the media type from the body when Content-Type says nothing', async () => {
    await pushBlobs(image)
    for (const type of ['', 'application/json', 'application/octet-stream']) {
      expect((await put('latest', image.manifest, type)).status).toBe(201)
    }
    expect((await door.send('HEAD', '/v2/a/b/manifests/latest')).header('content-type')).toBe(ociManifest)
    expect((await put('latest', image.manifest, `${ociManifest}; charset=utf-8`)).status).toBe(201)
    expect((await door.send('HEAD', '/v2/a/b/manifests/latest')).header('content-type')).toBe(ociManifest)
  })

  it.each([
    ['no JSON', 'notjson'],
    ['nothing', ''],
    ['another media type than Content-Type', JSON.stringify({ schemaVersion: 2, mediaType: ociIndex, manifests: [] })],
    ['an index and an image at once', '{"schemaVersion":2,"config":{},"layers":[],"manifests":[]}'],
    ['a key twice', '{"schemaVersion":2,"schemaVersion":2,"layers":[]}'],
    ['nesting without end', '['.repeat(100_000)],
    ['a list', '[]'],
    ['null', 'null'],
    ['bytes that are not UTF-8', Buffer.from([0x22, 0xff, 0x22])],
  ])('refuses %s', async (_, body) => {
    expectError(await put('bad', body), 400, 'MANIFEST_INVALID')
    expect((await door.send('GET', '/v2/a/b/tags/list')).status).toBe(404)
  })

  it('refuses a manifest above the limit, announced or not, and takes one at the limit', async () => {
    await using small = await open({ manifests: { maxSize: 2000, allowMissingBlobs: true } })
    const padded = (size: number): Uint8Array => {
      const base = new TextDecoder().decode(image.manifest).slice(0, -1)
      return Buffer.from(`${base}${' '.repeat(size - base.length - 1)}}`)
    }
    const send = async (body: Uint8Array | AsyncIterable<Uint8Array>) =>
      small.send('PUT', '/v2/a/manifests/x', { body, headers: { 'content-type': ociManifest } })
    expect((await send(padded(2000))).status).toBe(201)
    expect((await send(padded(2001))).status).toBe(413)
    const chunked = async function* (): AsyncGenerator<Uint8Array> {
      for (let at = 0; at < 100; at++) yield padded(2000)
    }
    expect((await send(chunked())).status).toBe(413)
  })

  it('deletes a tag alone, and a manifest with its tags', async () => {
    await pushBlobs(image)
    await put('one', image.manifest)
    await put('two', image.manifest)
    await put('three', image.manifest)
    expect((await door.send('DELETE', '/v2/a/b/manifests/one')).status).toBe(202)
    expect((await door.send('GET', '/v2/a/b/manifests/one')).status).toBe(404)
    expect((await door.send('GET', '/v2/a/b/manifests/two')).status).toBe(200)
    expectError(await door.send('DELETE', '/v2/a/b/manifests/one'), 404, 'MANIFEST_UNKNOWN')
    expect((await door.send('DELETE', `/v2/a/b/manifests/${image.digest}`)).status).toBe(202)
    expectError(await door.send('GET', '/v2/a/b/manifests/two'), 404, 'MANIFEST_UNKNOWN')
    expect((await door.send('GET', '/v2/a/b/tags/list')).json()).toEqual({ name: 'a/b', tags: [] })
    expectError(await door.send('DELETE', `/v2/a/b/manifests/${image.digest}`), 404, 'MANIFEST_UNKNOWN')
    expectError(await door.send('DELETE', '/v2/no/such/manifests/x'), 404, 'NAME_UNKNOWN')
  })

  it('lists tags in byte order, page by page', async () => {
    await pushBlobs(image)
    const names = ['1.0', '1.0-rc', '1.0.1', 'A', 'Z', '_x', 'a', 'a-b', 'a.b', 'latest']
    for (const name of names.toReversed()) {
      await put(name, image.manifest)
    }
    const sorted = names.toSorted((a, b) => (a < b ? -1 : 1))
    const list = async (query: string) => door.send('GET', `/v2/a/b/tags/list${query}`)
    expect((await list('')).json()).toEqual({ name: 'a/b', tags: sorted })
    expect((await list('/')).json()).toEqual({ name: 'a/b', tags: sorted })
    const seen: string[] = []
    let target = '/v2/a/b/tags/list?n=3'
    for (;;) {
      const answer = await door.send('GET', target)
      seen.push(...(answer.json() as { tags: string[] }).tags)
      const next = /^<([^>]+)>; rel="next"$/.exec(answer.header('link') ?? '')
      if (next?.[1] === undefined) break
      target = next[1]
    }
    expect(seen).toEqual(sorted)
    expect((await list('?n=0')).json()).toEqual({ name: 'a/b', tags: [] })
    expect((await list('?n=0')).header('link')).toBeNull()
    expect((await list('?last=1.0.05')).json()).toEqual({ name: 'a/b', tags: sorted.filter((tag) => tag > '1.0.05') })
    expect((await list('?n=99999999999999999999999')).status).toBe(200)
    for (const bad of ['?n=-1', '?n=x', '?n=1.5', '?n=1&n=2', '?n=', '?last=a&last=b', '?n=5;5', '?n=1e400']) {
      expect((await list(bad)).status).toBe(400)
    }
    expectError(await door.send('GET', '/v2/no/such/tags/list'), 404, 'NAME_UNKNOWN')
  })

  it('lists repositories, page by page', async () => {
    const names = ['a', 'a-b', 'a/b', 'a/b/c', 'b', 'b__c']
    for (const name of names) {
      await sample.pushImage(door, name, 'x', image)
    }
    const sorted = names.toSorted((a, b) => (a < b ? -1 : 1))
    expect((await door.send('GET', '/v2/_catalog')).json()).toEqual({ repositories: sorted })
    const first = await door.send('GET', '/v2/_catalog?n=4')
    expect(first.header('link')).toMatch(/^<\/v2\/_catalog\?n=4&last=[^>]+>; rel="next"$/)
    const last = (first.json() as { repositories: string[] }).repositories.at(-1) ?? ''
    const second = await door.send('GET', `/v2/_catalog?n=4&last=${encodeURIComponent(last)}`)
    expect((second.json() as { repositories: string[] }).repositories).toEqual(sorted.slice(4))
    expect(second.header('link')).toBeNull()
  })

  describe('referrers', () => {
    const artifact = (name: string, artifactType?: string, subject = image.digest, more: object = {}) =>
      sample.image(name, {
        ...(artifactType === undefined ? {} : { artifactType }),
        subject: { mediaType: ociManifest, digest: subject, size: image.manifest.byteLength },
        annotations: { name },
        ...more,
      })

    it('lists what has the subject, with the types of the specification', async () => {
      const sbom = artifact('sbom', 'application/vnd.example.sbom')
      const plain = artifact('plain')
      await pushBlobs(sbom, plain)
      const pushed = await put(sbom.digest, sbom.manifest)
      expect(pushed.header('oci-subject')).toBe(image.digest)
      await put(plain.digest, plain.manifest)
      const indexBytes = Buffer.from(
        JSON.stringify({
          schemaVersion: 2,
          mediaType: ociIndex,
          manifests: [],
          subject: { mediaType: ociManifest, digest: image.digest, size: 1 },
        }),
      )
      await put('index', indexBytes, ociIndex)

      const answer = await door.send('GET', `/v2/a/b/referrers/${image.digest}`)
      expect([answer.status, answer.header('content-type'), answer.header('oci-filters-applied')]).toEqual([
        200,
        ociIndex,
        null,
      ])
      const { manifests, ...index } = answer.json() as { manifests: { digest: string }[] }
      expect(index).toEqual({ schemaVersion: 2, mediaType: ociIndex })
      expect(manifests.toSorted((a, b) => (a.digest < b.digest ? -1 : 1))).toEqual(
        [
          {
            mediaType: ociManifest,
            digest: sbom.digest,
            size: sbom.manifest.byteLength,
            artifactType: 'application/vnd.example.sbom',
            annotations: { name: 'sbom' },
          },
          {
            mediaType: ociManifest,
            digest: plain.digest,
            size: plain.manifest.byteLength,
            artifactType: 'application/vnd.oci.image.config.v1+json',
            annotations: { name: 'plain' },
          },
          { mediaType: ociIndex, digest: sample.sha256(indexBytes), size: indexBytes.byteLength },
        ].toSorted((a, b) => (a.digest < b.digest ? -1 : 1)),
      )
      const filtered = await door.send(
        'GET',
        `/v2/a/b/referrers/${image.digest}/?artifactType=${encodeURIComponent('application/vnd.example.sbom')}`,
      )
      expect(filtered.header('oci-filters-applied')).toBe('artifactType')
      expect((filtered.json() as { manifests: object[] }).manifests).toHaveLength(1)
      await door.send('DELETE', `/v2/a/b/manifests/${sbom.digest}`)
      const after = await door.send('GET', `/v2/a/b/referrers/${image.digest}`)
      expect((after.json() as { manifests: object[] }).manifests).toHaveLength(2)
    })

    it('answers 200 with an empty index for a repository and a subject nobody has seen', async () => {
      const answer = await door.send('GET', `/v2/no/such/referrers/${image.digest}`)
      expect([answer.status, answer.json()]).toEqual([200, { schemaVersion: 2, mediaType: ociIndex, manifests: [] }])
      expectError(await door.send('GET', '/v2/a/b/referrers/sha256:abc'), 400, 'DIGEST_INVALID')
    })

    it('includes manifests that were listed under the referrers tag schema', async () => {
      const sbom = artifact('tagged', 'application/vnd.example.sbom')
      await pushBlobs(sbom)
      await put(sbom.digest, sbom.manifest)
      const index = JSON.stringify({
        schemaVersion: 2,
        mediaType: ociIndex,
        manifests: [{ mediaType: ociManifest, digest: sbom.digest, size: sbom.manifest.byteLength }],
      })
      expect((await put(image.digest.replace(':', '-'), index, ociIndex)).status).toBe(201)
      const answer = await door.send('GET', `/v2/a/b/referrers/${image.digest}`)
      expect((answer.json() as { manifests: { digest: string }[] }).manifests.map(({ digest }) => digest)).toEqual([
        sbom.digest,
      ])
    })

    it('pages when annotations are large', async () => {
      const big = 'x'.repeat(1_500_000)
      const images = ['p', 'q', 'r', 's'].map((name) =>
        artifact(name, 'application/vnd.example.big', image.digest, { annotations: { big, name } }),
      )
      await pushBlobs(...images)
      for (const pushed of images) {
        expect((await put(pushed.digest, pushed.manifest)).status).toBe(201)
      }
      const seen: string[] = []
      let target = `/v2/a/b/referrers/${image.digest}?artifactType=application/vnd.example.big`
      let pages = 0
      for (;;) {
        const answer = await door.send('GET', target)
        expect(answer.bytes.byteLength).toBeLessThan(4.5 * 1024 * 1024)
        expect(answer.header('oci-filters-applied')).toBe('artifactType')
        seen.push(...(answer.json() as { manifests: { digest: string }[] }).manifests.map(({ digest }) => digest))
        pages += 1
        const next = /^<([^>]+)>/.exec(answer.header('link') ?? '')
        if (next?.[1] === undefined) break
        target = next[1]
      }
      expect(pages).toBeGreaterThan(1)
      expect(seen).toEqual(images.map(({ digest }) => digest as string).toSorted())
    })
  })
})
