import { createHash, randomBytes } from 'node:crypto'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Answer, doors, type OpenDoor, sample } from '@stowage/testkit'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

const { sha256 } = sample
const bytes = (text: string): Uint8Array => Buffer.from(text)
const ociManifest = 'application/vnd.oci.image.manifest.v1+json'
const ociIndex = 'application/vnd.oci.image.index.v1+json'
const dockerManifest = 'application/vnd.docker.distribution.manifest.v2+json'
const dockerList = 'application/vnd.docker.distribution.manifest.list.v2+json'
const noUpload = '/v2/a/blobs/uploads/00000000-0000-4000-8000-000000000000'

/** What the system that this project grew out of does wrong, each by its number in the list, each as what must hold here. */
describe.each(doors)('bugs of the seed, through $name', ({ open, name: doorName }) => {
  let door: OpenDoor
  let now: number
  const image = sample.image('seed')

  beforeEach(async () => {
    now = Date.UTC(2026, 0, 1)
    door = await open({ now: () => now })
  })
  afterEach(async () => door[Symbol.asyncDispose]())

  const start = async (query = '', name = 'a'): Promise<string> => {
    const answer = await door.send('POST', `/v2/${name}/blobs/uploads/${query}`)
    expect(answer.status).toBe(202)
    return answer.header('location') ?? ''
  }
  const patch = async (location: string, body: string | Uint8Array, range?: string): Promise<Answer> =>
    door.send('PATCH', location, { body, headers: range === undefined ? {} : { 'content-range': range } })
  const put = async (
    reference: string,
    body: string | Uint8Array,
    type: string = ociManifest,
    name = 'a',
  ): Promise<Answer> =>
    door.send('PUT', `/v2/${name}/manifests/${reference}`, { body, headers: { 'content-type': type } })
  const get = async (path: string, headers: Record<string, string> = {}): Promise<Answer> =>
    door.send('GET', `/v2/${path}`, { headers })
  const code = (answer: Answer): [number, string | undefined] => [
    answer.status,
    (answer.json() as { errors: { code: string }[] }).errors[0]?.code,
  ]

  describe('integrity', () => {
    it('B1: a chunked upload is hashed, and never stored under another digest', async () => {
      const location = await start()
      await patch(location, 'AAAAA', '0-4')
      const promised = sha256(bytes('something else'))
      expect(code(await door.send('PUT', `${location}?digest=${promised}`))).toEqual([400, 'DIGEST_INVALID'])
      expect((await get(`a/blobs/${promised}`)).status).toBe(404)
    })

    it('B2: a body of the closing PUT comes after the chunks, and the digest is of all of it', async () => {
      const location = await start()
      await patch(location, 'EVIL')
      const good = sha256(bytes('good!'))
      expect((await door.send('PUT', `${location}?digest=${good}`, { body: 'good!' })).status).toBe(400)
      expect((await get(`a/blobs/${good}`)).status).toBe(404)
      const both = sha256(bytes('EVILgood!'))
      expect((await door.send('PUT', `${location}?digest=${both}`, { body: 'good!' })).status).toBe(201)
      expect((await get(`a/blobs/${both}`)).text()).toBe('EVILgood!')
    })

    it('B3: a tag can be moved, and the answer names the new manifest', async () => {
      const other = sample.image('moved')
      await sample.pushImage(door, 'a', 'latest', image)
      await sample.pushBlob(door, 'a', other.config.bytes)
      await sample.pushBlob(door, 'a', other.layer.bytes)
      expect((await put('latest', other.manifest)).header('docker-content-digest')).toBe(other.digest)
      expect(sha256((await get('a/manifests/latest')).bytes)).toBe(other.digest)
    })

    it('B4: a manifest has the digest it is pushed by, and stays what it was', async () => {
      await sample.pushImage(door, 'a', 'latest', image)
      const other = sha256(bytes('other'))
      expect(code(await put(other, image.manifest))).toEqual([400, 'DIGEST_INVALID'])
      expect((await get(`a/manifests/${other}`)).status).toBe(404)
      expect(code(await put(image.digest, Buffer.concat([image.manifest, bytes(' ')])))).toEqual([
        400,
        'DIGEST_INVALID',
      ])
      expect(sha256((await get(`a/manifests/${image.digest}`)).bytes)).toBe(image.digest)
    })

    it('B5: what is no manifest is refused, however often it comes, and nothing of it is stored', async () => {
      for (let attempt = 0; attempt < 2; attempt++) {
        expect(code(await put('latest', 'notjson'))).toEqual([400, 'MANIFEST_INVALID'])
        expect(code(await put('latest', image.manifest))).toEqual([400, 'MANIFEST_BLOB_UNKNOWN'])
        expect((await put('latest', Buffer.alloc(4 * 1024 * 1024 + 1, ' '))).status).toBe(413)
      }
      expect((await get('a/manifests/latest')).status).toBe(404)
      expect(await door.registry.status()).toMatchObject({ manifests: 0, tags: 0, repositories: 0 })
    })

    it('B6: the algorithm of a digest is the one that is computed', async () => {
      const hex = sha256(bytes('x')).slice('sha256:'.length)
      for (const bad of [`md5:${hex}`, hex, `sha512:${hex}`]) {
        expect(code(await door.send('PUT', `${await start()}?digest=${bad}`, { body: 'x' }))).toEqual([
          400,
          'DIGEST_INVALID',
        ])
        expect((await door.send('POST', `/v2/a/blobs/uploads/?digest=${bad}`, { body: 'x' })).status).toBe(400)
      }
      const sha512 = `sha512:${createHash('sha512').update('x').digest('hex')}`
      expect((await door.send('PUT', `${await start()}?digest=${sha512}`, { body: 'x' })).status).toBe(201)
      expect((await get(`a/blobs/${sha512}`)).text()).toBe('x')
    })

    it('B7: a blob that is pushed again stays part of the images that have it', async () => {
      await sample.pushImage(door, 'a', 'latest', image)
      await sample.pushBlob(door, 'a', image.layer.bytes)
      const location = await start()
      await patch(location, image.layer.bytes)
      expect((await door.send('PUT', `${location}?digest=${image.layer.digest}`)).status).toBe(201)
      expect((await door.send('DELETE', `/v2/a/blobs/${image.layer.digest}`)).status).toBe(405)
      expect((await get(`a/blobs/${image.layer.digest}`)).text()).toBe('layer of seed')
    })

    it('B8: requests to one upload at the same time do not mix', async () => {
      const location = await start()
      const chunk = randomBytes(300_000)
      const answers = await Promise.all([1, 2, 3].map(async () => patch(location, chunk, '0-299999')))
      expect(answers.map(({ status }) => status).toSorted()).toEqual([202, 416, 416])
      const closings = await Promise.all(
        [1, 2].map(async () => door.send('PUT', `${location}?digest=${sha256(chunk)}`)),
      )
      expect(closings.map(({ status }) => status).toSorted()).toEqual([201, 404])
      expect(sha256((await get(`a/blobs/${sha256(chunk)}`)).bytes)).toBe(sha256(chunk))
    })
  })

  describe('security', () => {
    it('B9: no digest is ever a path', async () => {
      const directory = await mkdtemp(join(tmpdir(), 'stowage-b9-'))
      try {
        await using onDisk = await open({ storage: join(directory, 'data') })
        const target = join(directory, 'outside')
        for (const digest of [target, `../../${target}`, `sha256:../../../${target}`, `sha256:${target}`]) {
          const query = `?digest=${encodeURIComponent(digest)}`
          const begun = await onDisk.send('POST', '/v2/a/blobs/uploads/')
          const location = begun.header('location') ?? ''
          expect((await onDisk.send('PUT', location + query, { body: 'x' })).status).toBe(400)
          expect((await onDisk.send('POST', `/v2/a/blobs/uploads/${query}`, { body: 'x' })).status).toBe(400)
        }
        expect(await readdir(directory)).toEqual(['data'])
        expect(await readdir(join(directory, 'data', 'uploads'))).toEqual([])
      } finally {
        await rm(directory, { recursive: true })
      }
    })

    it('B10: a blob is there only in repositories that have it', async () => {
      const digest = await sample.pushBlob(door, 'theirs', bytes('private'))
      for (const name of ['mine', 'does/not/exist']) {
        for (const method of ['GET', 'HEAD']) {
          expect((await door.send(method, `/v2/${name}/blobs/${digest}`)).status).toBe(404)
        }
      }
      await sample.pushBlob(door, 'mine', bytes('something'))
      expect((await get(`mine/blobs/${digest}`)).status).toBe(404)
    })

    it('B11: a mount wants the right to pull from its source', async () => {
      await using guarded = await open({
        access: { authorize: (_, action, { repository }) => ({ allow: action !== 'pull' || repository !== 'theirs' }) },
      })
      const digest = await sample.pushBlob(guarded, 'theirs', bytes('private'))
      for (const query of [`mount=${digest}&from=theirs`, `mount=${digest}`]) {
        expect((await guarded.send('POST', `/v2/mine/blobs/uploads/?${query}`)).status).toBe(202)
        expect((await guarded.send('GET', `/v2/mine/blobs/${digest}`)).status).toBe(404)
      }
    })

    it('B14: what is half uploaded can be read by nobody', async () => {
      const location = await start()
      await patch(location, 'half')
      const id = location.slice(location.lastIndexOf('/') + 1)
      for (const path of [`a/blobs/${id}`, `a/blobs/session-${id}`, `a/blobs/${sha256(bytes('half'))}`]) {
        const answer = await get(path)
        expect([400, 404]).toContain(answer.status)
        expect(answer.text()).not.toContain('half')
      }
      const status = await door.send('GET', location)
      expect([status.status, status.bytes.byteLength]).toEqual([204, 0])
    })
  })

  describe('space', () => {
    it('B15: what was deleted, given up or expired leaves the disk', async () => {
      const directory = await mkdtemp(join(tmpdir(), 'stowage-b15-'))
      const files = async (folder: string): Promise<number> =>
        (await readdir(join(directory, folder), { recursive: true, withFileTypes: true })).filter((entry) =>
          entry.isFile(),
        ).length
      try {
        await using onDisk = await open({ storage: directory, now: () => now })
        await sample.pushImage(onDisk, 'a', 'latest', image)
        const answer = await onDisk.send('POST', '/v2/a/blobs/uploads/')
        await onDisk.send('PATCH', answer.header('location') ?? '', { body: 'abandoned' })
        const cancelled = await onDisk.send('POST', '/v2/a/blobs/uploads/')
        await onDisk.send('PATCH', cancelled.header('location') ?? '', { body: 'cancelled' })
        await onDisk.send('DELETE', cancelled.header('location') ?? '')
        expect([await files('blobs'), await files('uploads')]).toEqual([2, 1])
        await onDisk.send('DELETE', `/v2/a/manifests/${image.digest}`)
        await onDisk.send('DELETE', `/v2/a/blobs/${image.layer.digest}`)
        await onDisk.send('DELETE', `/v2/a/blobs/${image.config.digest}`)
        now += 3_600_000
        await onDisk.registry.sweep()
        expect([await files('blobs'), await files('uploads')]).toEqual([0, 0])
      } finally {
        await rm(directory, { recursive: true })
      }
    })

    it('B16: after a DELETE, GET and HEAD agree that it is gone, whoever else has it', async () => {
      const digest = await sample.pushBlob(door, 'a', bytes('shared'))
      await sample.pushBlob(door, 'b', bytes('shared'))
      expect((await door.send('DELETE', `/v2/a/blobs/${digest}`)).status).toBe(202)
      for (const method of ['GET', 'HEAD', 'DELETE']) {
        expect((await door.send(method, `/v2/a/blobs/${digest}`)).status).toBe(404)
      }
      expect((await get(`b/blobs/${digest}`)).text()).toBe('shared')
    })
  })

  describe('protocol', () => {
    it('B22: docker push works: a PATCH in chunked transfer encoding, without a length or a type', async () => {
      const location = await start()
      const stream = async function* (): AsyncGenerator<Uint8Array> {
        yield bytes('streamed ')
        yield bytes('layer')
      }
      const answer = await door.send('PATCH', location, { body: stream() })
      expect([answer.status, answer.header('range')]).toEqual([202, '0-13'])
      expect((await door.send('PUT', `${location}?digest=${sha256(bytes('streamed layer'))}`)).status).toBe(201)
    })

    it('B23: a body of more than 2.5 MiB is nothing special, by POST, PATCH or PUT', async () => {
      const large = randomBytes(3 * 1024 * 1024)
      const digest = sha256(large)
      expect((await door.send('POST', `/v2/post/blobs/uploads/?digest=${digest}`, { body: large })).status).toBe(201)
      const patched = await start('', 'patch')
      expect((await patch(patched, large)).status).toBe(202)
      expect((await door.send('PUT', `${patched}?digest=${digest}`)).status).toBe(201)
      expect((await door.send('PUT', `${await start('', 'put')}?digest=${digest}`, { body: large })).status).toBe(201)
      for (const name of ['post', 'patch', 'put'])
        expect(sha256((await get(`${name}/blobs/${digest}`)).bytes)).toBe(digest)
    })

    it('B24: a PATCH says how far the upload is', async () => {
      const location = await start()
      const answer = await patch(location, 'hello', '0-4')
      expect([answer.status, answer.header('range'), answer.header('location')]).toEqual([202, '0-4', location])
    })

    it('B25: an upload can be asked about and cancelled', async () => {
      const location = await start()
      await patch(location, 'hello')
      const status = await door.send('GET', location)
      expect([status.status, status.header('range'), status.header('location')]).toEqual([204, '0-4', location])
      expect((await door.send('DELETE', location)).status).toBe(204)
      expect(code(await door.send('GET', location))).toEqual([404, 'BLOB_UPLOAD_UNKNOWN'])
    })

    it('B26, B27: GET and HEAD name the digest and the right length', async () => {
      await sample.pushImage(door, 'a', 'latest', image)
      for (const [path, digest, length] of [
        ['manifests/latest', image.digest, image.manifest.byteLength],
        [`manifests/${image.digest}`, image.digest, image.manifest.byteLength],
        [`blobs/${image.layer.digest}`, image.layer.digest, image.layer.bytes.byteLength],
      ] as const) {
        for (const method of ['GET', 'HEAD']) {
          const answer = await door.send(method, `/v2/a/${path}`)
          expect([answer.status, answer.header('docker-content-digest'), answer.header('content-length')]).toEqual([
            200,
            digest,
            String(length),
          ])
        }
      }
      expect((await put('again', image.manifest)).header('docker-content-digest')).toBe(image.digest)
      const posted = await door.send('POST', `/v2/a/blobs/uploads/?digest=${image.layer.digest}`, {
        body: image.layer.bytes,
      })
      expect(posted.header('docker-content-digest')).toBe(image.layer.digest)
    })

    it('B28: every kind of manifest keeps its media type and its bytes, whatever Accept says', async () => {
      await sample.pushBlob(door, 'a', image.config.bytes)
      await sample.pushBlob(door, 'a', image.layer.bytes)
      const config = { mediaType: 'application/json', digest: image.config.digest, size: image.config.bytes.byteLength }
      const child = { mediaType: ociManifest, digest: image.digest, size: image.manifest.byteLength }
      const all: [string, string, string][] = [
        ['image', ociManifest, JSON.stringify({ schemaVersion: 2, config, layers: [] })],
        [
          'docker',
          dockerManifest,
          JSON.stringify({ schemaVersion: 2, mediaType: dockerManifest, config, layers: [] }, null, 3),
        ],
        ['index', ociIndex, JSON.stringify({ schemaVersion: 2, mediaType: ociIndex, manifests: [child] })],
        ['list', dockerList, JSON.stringify({ schemaVersion: 2, mediaType: dockerList, manifests: [child] })],
      ]
      for (const [tag, type, body] of all) {
        expect((await put(tag, body, type)).status).toBe(201)
        for (const accept of [type, ociIndex, 'application/json', '*/*', 'text/html;q=0.1']) {
          const answer = await get(`a/manifests/${tag}`, { accept })
          expect([answer.status, answer.header('content-type'), answer.text()]).toEqual([200, type, body])
        }
      }
    })

    it('B29: tags come in order, after `last`, `n` of them, with a Link to the rest', async () => {
      await sample.pushImage(door, 'a', 'a', image)
      for (const tag of ['b', 'c', 'd']) await put(tag, image.manifest)
      const list = async (query: string): Promise<unknown> => {
        const answer = await get(`a/tags/list${query}`)
        return answer.status === 200
          ? [(answer.json() as { tags: string[] }).tags, answer.header('link')]
          : answer.status
      }
      expect(await list('?n=2&last=b')).toEqual([['c', 'd'], null])
      expect(await list('?n=1&last=b')).toEqual([['c'], '</v2/a/tags/list?n=1&last=c>; rel="next"'])
      expect(await list('?n=2&last=d')).toEqual([[], null])
      expect(await list('?last=b')).toEqual([['c', 'd'], null])
      expect(await list('?last=bb')).toEqual([['c', 'd'], null])
      expect(await list('?n=0')).toEqual([[], null])
      expect(await list('?n=2')).toEqual([['a', 'b'], '</v2/a/tags/list?n=2&last=b>; rel="next"'])
      for (const bad of ['-1', 'x', '', '1.0', '0x10', '%201']) expect(await list(`?n=${bad}`)).toBe(400)
    })

    it('B30: the names of the specification, and no others', async () => {
      for (const name of ['my-org/repo', 'my.org/repo', 'a--b', 'a__b-c/d', 'a.b.c/d_e/f---g']) {
        await sample.pushImage(door, name, 'x', image)
        expect((await get(`${name}/tags/list`)).status).toBe(200)
      }
      for (const name of ['UPPER/repo', 'a/B', 'a:b', 'a;b', 'a=b', '-a', 'a-', 'a..b', 'a._b']) {
        expect(code(await door.send('POST', `/v2/${name}/blobs/uploads/`))).toEqual([400, 'NAME_INVALID'])
      }
      if (doorName === 'socket') expect((await get('/x/tags/list')).status).toBe(400)
    })

    it('B31: a mount may be repeated, and one that fails begins an upload', async () => {
      const digest = await sample.pushBlob(door, 'source', bytes('mounted'))
      for (let time = 0; time < 3; time++) {
        expect((await door.send('POST', `/v2/target/blobs/uploads/?mount=${digest}&from=source`)).status).toBe(201)
      }
      expect((await door.send('POST', `/v2/source/blobs/uploads/?mount=${digest}&from=source`)).status).toBe(201)
      const failed = await door.send('POST', `/v2/target/blobs/uploads/?mount=${digest}&from=no/such/one`)
      expect([failed.status, failed.header('location')]).toEqual([
        202,
        expect.stringContaining('/v2/target/blobs/uploads/'),
      ])
    })

    it('B32: a repository may begin with a manifest', async () => {
      const index = JSON.stringify({ schemaVersion: 2, mediaType: ociIndex, manifests: [] })
      expect((await put('first', index, ociIndex, 'brand/new')).status).toBe(201)
      expect((await get('brand/new/tags/list')).json()).toEqual({ name: 'brand/new', tags: ['first'] })
    })

    it('B33: a blob of no bytes is a blob', async () => {
      const digest = sha256(bytes(''))
      expect((await door.send('PUT', `${await start()}?digest=${digest}`, { body: '' })).status).toBe(201)
      const answer = await get(`a/blobs/${digest}`)
      expect([answer.status, answer.bytes.byteLength, answer.header('content-length')]).toEqual([200, 0, '0'])
    })

    it('B34: an unknown upload is a 404, a wrong digest costs nothing, and every byte renews an upload', async () => {
      for (const [method, query] of [
        ['PATCH', ''],
        ['PUT', `?digest=${sha256(bytes('x'))}`],
        ['GET', ''],
        ['DELETE', ''],
      ] as const) {
        expect(code(await door.send(method, noUpload + query))).toEqual([404, 'BLOB_UPLOAD_UNKNOWN'])
      }
      const location = await start()
      for (let minute = 0; minute < 30; minute++) {
        await patch(location, 'x')
        now += 60_000
        await door.registry.sweep()
      }
      const digest = sha256(bytes('x'.repeat(30)))
      for (let attempt = 0; attempt < 3; attempt++) {
        const wrong = await door.send('PUT', `${location}?digest=${sha256(bytes('wrong'))}`)
        expect(code(wrong)).toEqual([400, 'DIGEST_INVALID'])
      }
      expect((await door.send('PUT', `${location}?digest=${digest}`)).status).toBe(201)
    })

    it('B35: an error is always in the format of the specification', async () => {
      const location = await start()
      const errors = [
        await get('nothing'),
        await get('A/tags/list'),
        await get('a/tags/list'),
        await get('a/manifests/x'),
        await get(`a/blobs/${sha256(bytes(''))}`),
        await get('a/blobs/x'),
        await door.send('POST', '/v2/'),
        await patch(location, 'x', '5-5'),
        await patch(location, 'x', 'bytes 0-0/1'),
        await door.send('PUT', location),
        await put('x', '{'),
        await get('_catalog?n=x'),
      ]
      for (const answer of errors) {
        expect(answer.status).toBeGreaterThanOrEqual(400)
        expect(answer.status).toBeLessThan(500)
        expect(answer.header('content-type')).toBe('application/json')
        expect(answer.json()).toEqual({
          errors: [
            expect.objectContaining({
              code: expect.stringMatching(/^[A-Z_]+$/),
              message: expect.stringMatching(/.{20}/),
            }),
          ],
        })
      }
    })

    it('B36: the newer parts of the API are there', async () => {
      await sample.pushImage(door, 'a', 'latest', image)
      expect((await get('_catalog')).json()).toEqual({ repositories: ['a'] })
      const signature = sample.image('signature', {
        subject: { mediaType: ociManifest, digest: image.digest, size: image.manifest.byteLength },
      })
      await sample.pushBlob(door, 'a', signature.config.bytes)
      await sample.pushBlob(door, 'a', signature.layer.bytes)
      const pushed = await put(`${signature.digest}?tag=x&tag=y`, signature.manifest)
      expect([pushed.header('oci-subject'), pushed.header('oci-tag')]).toEqual([image.digest, 'x, y'])
      expect((await get(`a/referrers/${image.digest}`)).json()).toMatchObject({
        manifests: [{ digest: signature.digest }],
      })
      await start('?digest-algorithm=sha512')
      expect((await put('large', Buffer.alloc(5_000_000, ' '))).status).toBe(413)
      const range = await get(`a/blobs/${image.layer.digest}`, { range: 'bytes=0-4' })
      expect([range.status, range.text()]).toEqual([206, 'layer'])
      const etag = (await get(`a/blobs/${image.layer.digest}`)).header('etag') ?? ''
      expect((await get(`a/blobs/${image.layer.digest}`, { 'if-none-match': etag })).status).toBe(304)
      expect((await get(`a/manifests/latest?ns=docker.io`)).status).toBe(200)
      await using chunked = await open({ uploads: { chunkMinLength: 1024 } })
      const answer = await chunked.send('POST', '/v2/a/blobs/uploads/')
      expect(answer.header('oci-chunk-min-length')).toBe('1024')
    })
  })

  it('B37: a day of normal use is not too much', async () => {
    await sample.pushImage(door, 'a', 'latest', image)
    for (let request = 0; request < 150; request++) expect((await get('a/manifests/latest')).status).toBe(200)
  })

  it('B38: a host hears nothing of the registry that it did not ask for', async () => {
    const spies = [
      vi.spyOn(process.stdout, 'write').mockReturnValue(true),
      vi.spyOn(process.stderr, 'write').mockReturnValue(true),
    ]
    try {
      await using quiet = await open()
      await sample.pushImage(quiet, 'a', 'latest', image)
      await quiet.send('GET', '/v2/nothing')
      await quiet.send('PUT', '/v2/a/manifests/x', { body: '{' })
      expect((await quiet.send('GET', '/not/ours')).status).toBe(404)
      expect(spies.flatMap((spy) => spy.mock.calls)).toEqual([])
    } finally {
      for (const spy of spies) spy.mockRestore()
    }
  })
})
