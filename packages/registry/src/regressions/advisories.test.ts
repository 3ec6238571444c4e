import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import type { AccessControl, Principal } from '@stowage/registry'
import { type Answer, createTestRegistry, doors, type OpenDoor, sample } from '@stowage/testkit'
import { describe, expect, it, vi } from 'vitest'

const { sha256 } = sample
const bytes = (text: string): Uint8Array => Buffer.from(text)
const ociManifest = 'application/vnd.oci.image.manifest.v1+json'
const ociIndex = 'application/vnd.oci.image.index.v1+json'
const image = sample.image('advised')

const errorOf = (answer: Answer): [number, string | undefined] => [
  answer.status,
  (answer.json() as { errors: { code: string }[] }).errors[0]?.code,
]

/** Numbers between 0 and 1, the same for the same seed. */
const random = (seed: number) => (): number => {
  seed = (seed + 0x6d2b79f5) | 0
  let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed)
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
}

/** Says who sends a request by a header, and lets each do what the table says: `name: { repository: actions }`. */
const byTable = (table: Record<string, Record<string, string>>): AccessControl => ({
  authenticate: ({ header }): Principal => ({ kind: 'user', name: header('x-user') ?? 'nobody' }),
  authorize: ({ name }, action, { repository }) => {
    const allowed = repository === undefined || (table[name]?.[repository]?.split(' ').includes(action) ?? false)
    return allowed ? { allow: true } : { allow: false, challenge: 'Basic realm="registry"' }
  },
  visible: ({ name }) => ({ kind: 'any-of', globs: Object.keys(table[name] ?? {}) }),
})

const as = (door: OpenDoor, user: string): Pick<OpenDoor, 'send'> => ({
  send: async (method, target, options = {}) =>
    door.send(method, target, { ...options, headers: { ...options.headers, 'x-user': user } }),
})

/** What another registry was caught at, each as what must hold here. */
describe.each(doors)('advisories of other registries, through $name', ({ open, name: doorName }) => {
  const putManifest = async (
    door: Pick<OpenDoor, 'send'>,
    target: string,
    body: string | Uint8Array,
    type = ociManifest,
  ) => door.send('PUT', target, { body, headers: { 'content-type': type } })

  describe('T1, CVE-2017-11468: a manifest cannot fill the memory', () => {
    const limit = 100_000

    it('is refused by its announced length', async () => {
      await using door = await open({ manifests: { maxSize: limit, allowMissingBlobs: true } })
      const answer = await putManifest(door, '/v2/a/manifests/x', Buffer.alloc(limit + 1, ' '))
      expect(errorOf(answer)).toEqual([413, 'MANIFEST_INVALID'])
    })

    it('is refused when it is larger than the limit without having said so, and not read to its end', async () => {
      let sent = 0
      const piece = Buffer.alloc(64 * 1024, ' ')
      if (doorName === 'fetch') {
        await using door = await open({ manifests: { maxSize: limit } })
        const endless = async function* (): AsyncGenerator<Uint8Array> {
          for (; sent < 500_000_000; sent += piece.length) yield piece
        }
        const headers = { 'content-type': ociManifest }
        expect((await door.send('PUT', '/v2/a/manifests/x', { body: endless(), headers })).status).toBe(413)
        expect(sent).toBeLessThan(2 * limit)
        return
      }
      await using server = await createTestRegistry({ manifests: { maxSize: limit } })
      const socket = connect(Number(new URL(server.url).port), '127.0.0.1')
      let answer = ''
      socket.on('data', (chunk) => {
        answer += chunk.toString('latin1')
      })
      socket.on('error', () => {})
      const closed = new Promise((resolve) => socket.once('close', resolve))
      socket.write('PUT /v2/a/manifests/x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n')
      const more = (): void => {
        if (sent >= 500_000_000 || socket.destroyed) return
        sent += piece.length
        socket.write(`10000\r\n${piece.toString()}\r\n`, more)
      }
      more()
      await closed
      // The client had its answer, and was then cut off.
      expect(answer).toMatch(/^HTTP\/1\.1 413 /)
      expect(sent).toBeLessThan(20_000_000)
    })

    it.each(['gzip', 'br', 'deflate, gzip', 'GZIP'])('is never inflated from %s', async (encoding) => {
      await using door = await open()
      const headers = { 'content-type': ociManifest, 'content-encoding': encoding }
      for (const [method, target] of [
        ['PUT', '/v2/a/manifests/x'],
        ['POST', `/v2/a/blobs/uploads/?digest=${sha256(bytes('x'))}`],
      ] as const) {
        expect((await door.send(method, target, { body: 'x', headers })).status).toBe(415)
      }
    })
  })

  describe('T2, CVE-2021-41190: a manifest is one thing to every reader', () => {
    const digest = sha256(bytes('x'))
    const descriptor = `{"mediaType":"a/b","digest":"${digest}","size":1}`
    const manifest = (more = '', config = descriptor): string =>
      `{"schemaVersion":2,"mediaType":"${ociManifest}","config":${config},"layers":[]${more}}`
    const sized = (size: string): string => manifest('', `{"mediaType":"a/b","digest":"${digest}","size":${size}}`)

    it.each([
      ['an index that is an image too', manifest(',"manifests":[]')],
      [
        'an image that is an index too',
        `{"schemaVersion":2,"mediaType":"${ociIndex}","manifests":[],"layers":[]}`,
        ociIndex,
      ],
      ['an index with a config', `{"schemaVersion":2,"manifests":[],"config":${descriptor}}`, ociIndex],
      [
        'an index that calls itself an image',
        `{"schemaVersion":2,"mediaType":"${ociManifest}","manifests":[]}`,
        ociIndex,
      ],
      ['an image that calls itself an index', manifest().replace(ociManifest, ociIndex)],
      ['a key twice', manifest(',"layers":[]')],
      ['a key twice, once escaped', manifest(String.raw`,"l\u0061yers":[]`)],
      ['a key twice below', manifest('', `{"mediaType":"a/b","digest":"${digest}","size":1,"size":2}`)],
      ['a key in other letters', manifest(',"Layers":[]')],
      ['__proto__', manifest(',"annotations":{"__proto__":"x"}')],
      ['a byte order mark', `\u{feff}${manifest()}`],
      ['bytes behind its end', `${manifest()}{}`],
      ['another encoding', Buffer.from(manifest(), 'utf16le')],
      ['bytes that are not UTF-8', Buffer.concat([bytes('{"a":"'), Buffer.from([0xff]), bytes('"}')])],
      ['a size above 2^53', sized('9007199254740993')],
      ['a negative size', sized('-1')],
      ['half a byte', sized('1.5')],
      ['a size with an exponent', sized('1e3')],
      ['a size that is text', sized('"1"')],
      ['no size', manifest('', `{"mediaType":"a/b","digest":"${digest}"}`)],
      ['text/html for a type', manifest(), 'text/html'],
    ])('not %s', async (_, body, type: string = ociManifest) => {
      await using door = await open({ manifests: { allowMissingBlobs: true } })
      expect(errorOf(await putManifest(door, '/v2/a/manifests/x', body, type))).toEqual([400, 'MANIFEST_INVALID'])
      expect((await door.send('GET', '/v2/a/manifests/x')).status).toBe(404)
    })

    it.each([
      ['unknown members', manifest(',"x-new":{"deep":[1.5,-2e3,{"size":"any"}]}')],
      ['odd spacing and no end of line', ` ${manifest()}\n\n`],
      [
        'parameters and capitals of its Content-Type',
        manifest(),
        'Application/vnd.OCI.image.manifest.v1+JSON; charset=utf-8',
      ],
    ])('but with %s, served as it came', async (_, body, type: string = ociManifest) => {
      await using door = await open({ manifests: { allowMissingBlobs: true } })
      expect((await putManifest(door, '/v2/a/manifests/x', body, type)).status).toBe(201)
      const answer = await door.send('GET', '/v2/a/manifests/x')
      expect([answer.text(), answer.header('content-type')]).toEqual([body, ociManifest])
    })
  })

  it('T3, CVE-2023-2253: no `n` and no `last` costs more than a page', async () => {
    await using door = await open()
    await sample.pushImage(door, 'a', 'x', image)
    const numbers = [
      '0',
      '-1',
      '1',
      '1000000000',
      '2147483648',
      '9007199254740992',
      '1e400',
      'abc',
      '5;5',
      '%00',
      '９',
      'NaN',
    ]
    const queries = [
      ...numbers.map((n) => `n=${encodeURIComponent(n).replaceAll('%25', '%')}`),
      'n=1&n=2',
      `n=${'9'.repeat(10_000)}`,
      'n',
      'n[]=1',
      `last=${'z'.repeat(10_000)}`,
      'last=%F0%9F%92%A9&n=5',
      "last=' or 1=1 --",
    ]
    for (const path of ['_catalog', 'a/tags/list', `a/referrers/${image.digest}`]) {
      for (const query of queries) {
        const answer = await door.send('GET', `/v2/${path}?${query.replaceAll(' ', '%20')}`)
        expect([200, 400]).toContain(answer.status)
        expect(answer.bytes.byteLength).toBeLessThan(1000)
      }
    }
  })

  it('T6, CVE-2026-35172: what was deleted in a repository stays so, whatever others do with it (random histories)', async () => {
    // A mount that finds nothing begins an upload, and nobody here ends one.
    await using door = await open({ limits: { openUploads: 100_000, allOpenUploads: 100_000 } })
    const histories = doorName === 'fetch' ? 300 : 40
    for (let seed = 1; seed <= histories; seed++) await history(door, seed)
    await door.registry.sweep()
  })

  it('T8, CVE-2024-39897: no blob comes out of a repository that may not be pulled', async () => {
    const table = { owner: { theirs: 'pull push' }, user: { mine: 'pull push delete' } }
    await using door = await open({ access: byTable(table) })
    const [owner, user] = [as(door, 'owner'), as(door, 'user')]
    const hidden = await sample.pushBlob(owner, 'theirs', image.layer.bytes)
    await sample.pushBlob(user, 'mine', image.config.bytes)
    const nowhere = sha256(bytes('nowhere at all'))
    const attempts = async (digest: string): Promise<unknown[]> => {
      const answers = [
        await user.send('HEAD', `/v2/mine/blobs/${digest}`),
        await user.send('GET', `/v2/mine/blobs/${digest}`),
        await user.send('GET', `/v2/mine/blobs/${digest}`, { headers: { range: 'bytes=0-0' } }),
        await user.send('GET', `/v2/mine/blobs/${digest}`, { headers: { 'if-none-match': `"${digest}"` } }),
        await user.send('DELETE', `/v2/mine/blobs/${digest}`),
        await user.send('POST', `/v2/mine/blobs/uploads/?mount=${digest}&from=theirs`),
        await user.send('POST', `/v2/mine/blobs/uploads/?mount=${digest}&from=mine`),
        await user.send('POST', `/v2/mine/blobs/uploads/?mount=${digest}&from=unknown`),
        await user.send('POST', `/v2/mine/blobs/uploads/?mount=${digest}`),
      ]
      // All that may differ is what the client said itself, and the ids of uploads.
      return answers.map((answer) => [
        answer.status,
        answer.text().replaceAll(digest, ''),
        answer.header('content-length')?.length,
        answer.header('docker-content-digest'),
      ])
    }
    const seen = await attempts(hidden)
    expect(seen.map((each) => (each as number[])[0])).toEqual([404, 404, 404, 404, 404, 202, 202, 202, 202])
    expect(await attempts(nowhere)).toEqual(seen)
    const answer = await putManifest(user, '/v2/mine/manifests/x', image.manifest)
    expect(errorOf(answer)).toEqual([400, 'MANIFEST_BLOB_UNKNOWN'])
    expect((await user.send('GET', `/v2/mine/blobs/${hidden}`)).status).toBe(404)
    expect((await user.send('GET', `/v2/theirs/blobs/${hidden}`)).status).toBe(401)
  })

  it('T11, CVE-2026-31801: who may only create tags moves none, by no way and in no race', async () => {
    await using door = await open({
      manifests: { allowMissingBlobs: true },
      access: { authorize: () => ({ allow: true, overwriteTags: false }) },
    })
    const [first, second] = [sample.image('first'), sample.image('second')]
    for (const tag of ['latest', 'v1', 'LATEST']) {
      expect((await putManifest(door, `/v2/a/manifests/${tag}`, first.manifest)).status).toBe(201)
      expect(errorOf(await putManifest(door, `/v2/a/manifests/${tag}`, second.manifest))).toEqual([403, 'DENIED'])
      const byDigest = `/v2/a/manifests/${second.digest}?tag=new&tag=${tag}`
      expect(errorOf(await putManifest(door, byDigest, second.manifest))).toEqual([403, 'DENIED'])
      // The same again moves nothing.
      expect((await putManifest(door, `/v2/a/manifests/${tag}`, first.manifest)).status).toBe(201)
    }
    // Nothing of the refused pushes is there.
    expect((await door.send('GET', '/v2/a/tags/list')).json()).toEqual({ name: 'a', tags: ['LATEST', 'latest', 'v1'] })
    expect((await door.send('GET', `/v2/a/manifests/${second.digest}`)).status).toBe(404)
    for (let round = 0; round < 15; round++) {
      const rivals = [first, second, sample.image('third')].map(async ({ manifest, digest }, at) => {
        const target = at === 1 ? `/v2/a/manifests/${digest}?tag=race${round}` : `/v2/a/manifests/race${round}`
        return { digest, status: (await putManifest(door, target, manifest)).status }
      })
      const results = await Promise.all(rivals)
      expect(results.map(({ status }) => status).toSorted()).toEqual([201, 403, 403])
      const tagged = await door.send('HEAD', `/v2/a/manifests/race${round}`)
      expect(tagged.header('docker-content-digest')).toBe(results.find(({ status }) => status === 201)?.digest)
    }
  })

  it('T12, CVE-2026-27771: what is private is private on every route, and looks like what does not exist', async () => {
    await using door = await open({ access: byTable({ owner: { private: 'pull push delete' } }) })
    const owner = as(door, 'owner')
    await sample.pushImage(owner, 'private', 'latest', image)
    const upload = (await owner.send('POST', '/v2/private/blobs/uploads/')).header('location') ?? ''
    const id = upload.slice(upload.lastIndexOf('/') + 1)
    const routes = (name: string): [string, string][] => [
      ['GET', `/v2/${name}/tags/list`],
      ['GET', `/v2/${name}/tags/list?n=0`],
      ...['latest', 'none', image.digest].flatMap((reference): [string, string][] =>
        ['GET', 'HEAD', 'PUT', 'DELETE'].map((method) => [method, `/v2/${name}/manifests/${reference}`]),
      ),
      ...['GET', 'HEAD', 'DELETE'].map((method): [string, string] => [
        method,
        `/v2/${name}/blobs/${image.layer.digest}`,
      ]),
      ['GET', `/v2/${name}/referrers/${image.digest}`],
      ['POST', `/v2/${name}/blobs/uploads/`],
      ['POST', `/v2/${name}/blobs/uploads/?digest=${image.layer.digest}`],
      ['POST', `/v2/${name}/blobs/uploads/?mount=${image.layer.digest}&from=${name}`],
      ...['GET', 'PATCH', 'PUT', 'DELETE'].map((method): [string, string] => [
        method,
        `/v2/${name}/blobs/uploads/${id}`,
      ]),
    ]
    const ask = async (name: string): Promise<unknown[]> => {
      const verdicts: unknown[] = []
      for (const [method, target] of routes(name)) {
        const answer = await as(door, 'stranger').send(method, target)
        expect(answer.header('www-authenticate')).toBe('Basic realm="registry"')
        expect(answer.text()).not.toMatch(/private|absent|sha256|latest|[0-9a-f]{8}-/)
        verdicts.push([
          method,
          answer.status,
          answer.text(),
          answer.header('content-length'),
          answer.header('docker-content-digest'),
        ])
      }
      return verdicts
    }
    const verdicts = await ask('private')
    expect(new Set(verdicts.map((verdict) => (verdict as unknown[])[1]))).toEqual(new Set([401]))
    expect(await ask('absent')).toEqual(verdicts)
    expect((await as(door, 'stranger').send('GET', '/v2/_catalog')).json()).toEqual({ repositories: [] })
    expect((await owner.send('GET', '/v2/private/manifests/latest')).status).toBe(200)
  })

  it('T14, CVE-2026-20896: headers that a proxy would set mean nothing', async () => {
    const addresses: (string | undefined)[] = []
    await using door = await open({
      access: {
        authenticate: ({ remoteAddress }) => {
          addresses.push(remoteAddress)
          return { kind: 'anonymous', name: 'anonymous' }
        },
      },
    })
    const answer = await door.send('POST', '/v2/a/blobs/uploads/', {
      headers: {
        'x-forwarded-for': '10.0.0.1',
        'x-forwarded-host': 'evil.example',
        'x-forwarded-proto': 'https',
        'x-forwarded-prefix': '/evil',
        'x-forwarded-port': '666',
        'x-original-url': '/v2/other/blobs/uploads/',
        'x-rewrite-url': '/v2/other/blobs/uploads/',
        'x-http-method-override': 'DELETE',
        'x-real-ip': '10.0.0.1',
        'x-remote-user': 'admin',
        forwarded: 'for=10.0.0.1;host=evil.example;proto=https',
        ...(doorName === 'socket' ? { host: 'evil.example' } : {}),
      },
    })
    expect([answer.status, answer.header('location')]).toEqual([
      202,
      expect.stringMatching(/^\/v2\/a\/blobs\/uploads\/[0-9a-f-]{36}$/),
    ])
    expect(addresses).toEqual([doorName === 'socket' ? expect.stringMatching(/127\.0\.0\.1$/) : undefined])
  })

  it('T15, CVE-2026-32589: the id of an upload opens nothing', async () => {
    const table = { ann: { a: 'pull push' }, bob: { b: 'pull push' }, cy: { a: 'pull push', b: 'pull push' } }
    await using door = await open({ access: byTable(table) })
    const location = (await as(door, 'ann').send('POST', '/v2/a/blobs/uploads/')).header('location') ?? ''
    await as(door, 'ann').send('PATCH', location, { body: 'mine' })
    const elsewhere = location.replace('/v2/a/', '/v2/b/')
    for (const [user, path, status] of [
      ['bob', elsewhere, 404],
      ['bob', location, 401],
      ['cy', elsewhere, 404],
      // Another who may push here: it is not his upload either.
      ['cy', location, 404],
      ['ann', elsewhere, 401],
    ] as const) {
      for (const method of ['GET', 'HEAD', 'PATCH', 'PUT', 'DELETE']) {
        const query = method === 'PUT' ? `?digest=${sha256(bytes('mine'))}` : ''
        const answer = await as(door, user).send(method, path + query)
        expect([user, method, answer.status, answer.header('range')]).toEqual([user, method, status, null])
      }
    }
    const closed = await as(door, 'ann').send('PUT', `${location}?digest=${sha256(bytes('mine'))}`)
    expect(closed.status).toBe(201)
    const ids = new Set<string>()
    for (let at = 0; at < 200; at++)
      ids.add((await as(door, 'ann').send('POST', '/v2/a/blobs/uploads/')).header('location') ?? '')
    expect(ids.size).toBe(200)
  })

  it('T16, CVE-2026-2376, CVE-2026-10517: nothing that a manifest names is ever fetched', async () => {
    const visits: string[] = []
    const server = createServer((request, response) => {
      visits.push(request.url ?? '')
      response.end('x')
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const fetched = vi.spyOn(globalThis, 'fetch')
    try {
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
      await using door = await open({ manifests: { allowMissingBlobs: true } })
      const foreign = 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip'
      const there = { digest: sha256(bytes('x')), size: 1, urls: [`${url}/layer`, 'file:///etc/passwd'] }
      const config = { ...there, mediaType: 'application/vnd.oci.image.config.v1+json', urls: [`${url}/config`] }
      const manifest = JSON.stringify({
        schemaVersion: 2,
        config,
        layers: [
          { ...there, mediaType: foreign },
          { ...there, mediaType: 'application/vnd.oci.image.layer.v1.tar' },
        ],
        subject: { ...there, mediaType: ociManifest, urls: [`${url}/subject`] },
        annotations: { 'org.opencontainers.image.url': `${url}/annotation` },
      })
      expect((await putManifest(door, '/v2/a/manifests/x', manifest)).status).toBe(201)
      const index = { schemaVersion: 2, manifests: [{ ...there, mediaType: ociManifest }] }
      expect((await putManifest(door, '/v2/a/manifests/index', JSON.stringify(index), ociIndex)).status).toBe(201)
      for (const path of ['manifests/x', `referrers/${there.digest}`, `blobs/${there.digest}`, 'tags/list']) {
        await door.send('GET', `/v2/a/${path}`)
      }
      await door.send('POST', `/v2/a/blobs/uploads/?mount=${there.digest}&from=127.0.0.1/x`)
      await door.registry.sweep()
      expect(visits).toEqual([])
      expect(fetched).not.toHaveBeenCalled()
    } finally {
      fetched.mockRestore()
      await new Promise((resolve) => server.close(resolve))
    }
  })

  it('T18, CVE-2019-19023, CVE-2022-31666: nothing of one repository is reached through another', async () => {
    await using door = await open()
    await sample.pushImage(door, 'child', 'latest', image)
    await sample.pushBlob(door, 'parent', bytes('something'))
    const upload = (await door.send('POST', '/v2/child/blobs/uploads/')).header('location') ?? ''
    const mismatch = upload.replace('/v2/child/', '/v2/parent/')
    for (const [method, target] of [
      ['GET', '/v2/parent/manifests/latest'],
      ['HEAD', `/v2/parent/manifests/${image.digest}`],
      ['GET', `/v2/parent/manifests/${image.digest}`],
      ['DELETE', '/v2/parent/manifests/latest'],
      ['DELETE', `/v2/parent/manifests/${image.digest}`],
      ['GET', `/v2/parent/blobs/${image.layer.digest}`],
      ['HEAD', `/v2/parent/blobs/${image.layer.digest}`],
      ['DELETE', `/v2/parent/blobs/${image.layer.digest}`],
      ['GET', mismatch],
      ['PATCH', mismatch],
      ['PUT', `${mismatch}?digest=${sha256(bytes(''))}`],
      ['DELETE', mismatch],
    ] as const) {
      expect([method, target, (await door.send(method, target)).status]).toEqual([method, target, 404])
    }
    expect((await door.send('GET', `/v2/parent/referrers/${image.digest}`)).json()).toMatchObject({ manifests: [] })
    expect((await door.send('GET', '/v2/child/manifests/latest')).status).toBe(200)
    expect((await door.send('GET', upload)).status).toBe(204)
  })

  describe('T26, CVE-2025-32019, CVE-2019-14772: content is never a page of this origin', () => {
    const harmless = {
      'content-type': 'application/octet-stream',
      'x-content-type-options': 'nosniff',
      'content-security-policy': "default-src 'none'; sandbox",
      'content-disposition': 'attachment',
      'cross-origin-resource-policy': 'same-origin',
    }

    it.each(['text/html', 'image/svg+xml', 'application/xhtml+xml', 'text/javascript'])(
      'though a manifest says that a blob is %s',
      async (mediaType) => {
        await using door = await open()
        const page = bytes('<script>alert(document.domain)</script>')
        const digest = await sample.pushBlob(door, 'a', page)
        const descriptor = { mediaType, digest, size: page.byteLength }
        const manifest = {
          schemaVersion: 2,
          artifactType: mediaType,
          config: descriptor,
          layers: [descriptor],
          subject: { ...descriptor, mediaType: ociManifest },
          annotations: { x: '<img src=x onerror=alert(1)>' },
        }
        expect((await putManifest(door, '/v2/a/manifests/x', JSON.stringify(manifest))).status).toBe(201)
        for (const headers of [{}, { range: 'bytes=0-7' }, { accept: mediaType }]) {
          for (const method of ['GET', 'HEAD']) {
            const answer = await door.send(method, `/v2/a/blobs/${digest}`, { headers })
            const found = Object.fromEntries(Object.keys(harmless).map((name) => [name, answer.header(name)]))
            expect(found).toEqual(harmless)
          }
        }
        const served = await door.send('GET', '/v2/a/manifests/x', { headers: { accept: mediaType } })
        expect([served.header('content-type'), served.header('x-content-type-options')]).toEqual([
          ociManifest,
          'nosniff',
        ])
        expect((await door.send('GET', `/v2/a/referrers/${digest}`)).header('content-type')).toBe(ociIndex)
      },
    )

    it('and an error that repeats what was asked is JSON', async () => {
      await using door = await open()
      const evil = encodeURIComponent('<script>alert(1)</script>')
      for (const target of [
        `/v2/a/tags/list?n=${evil}`,
        `/v2/a/blobs/uploads/?digest=${evil}`,
        `/v2/a/referrers/x?artifactType=${evil}`,
      ]) {
        const answer = await door.send(target.includes('uploads') ? 'POST' : 'GET', target)
        expect([answer.status, answer.header('content-type')]).toEqual([400, 'application/json'])
      }
    })
  })

  it('T5, CVE-2020-15157, CVE-2026-50151: every Location and Link stays on this origin', async () => {
    await using door = await open()
    await sample.pushImage(door, 'a', 'one', image)
    await sample.pushImage(door, 'a', 'two', image)
    const upload = await door.send('POST', '/v2/a/blobs/uploads/')
    const answers = [
      upload,
      await door.send('PATCH', upload.header('location') ?? '', { body: 'x' }),
      await door.send('GET', upload.header('location') ?? ''),
      await door.send('PATCH', upload.header('location') ?? '', { body: 'x', headers: { 'content-range': '9-9' } }),
      await door.send('POST', `/v2/b/blobs/uploads/?mount=${image.layer.digest}&from=a`),
      await putManifest(door, '/v2/a/manifests/three', image.manifest),
    ]
    for (const answer of answers)
      expect(answer.header('location')).toMatch(/^\/v2\/[ab]\/(blobs|manifests)\/[a-z0-9:/-]+$/)
    for (const target of ['/v2/a/tags/list?n=1', '/v2/_catalog?n=1']) {
      expect((await door.send('GET', target)).header('link')).toMatch(/^<\/v2\/[a-z_/?=&0-9]+>; rel="next"$/)
    }
  })
})

describe('T23, CVE-2020-29662: one verdict for every way to write a path, over raw TCP', () => {
  const ask = async (port: number, head: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const socket = connect(port, '127.0.0.1')
      let answer = ''
      socket.on('data', (chunk) => {
        answer += chunk.toString('latin1')
      })
      socket.on('error', reject)
      socket.on('close', () => resolve(answer))
      socket.end(`${head}\r\nHost: registry.test\r\nConnection: close\r\n\r\n`)
    })

  it('reaches a private repository by none of them', async () => {
    const authorised: (string | undefined)[] = []
    let filling = true
    await using server = await createTestRegistry({
      access: {
        authorize: (_, action, { repository }) => {
          authorised.push(repository)
          return { allow: filling || (repository !== 'secret/app' && action !== 'list') }
        },
      },
    })
    const port = Number(new URL(server.url).port)
    const fill = {
      send: async (method: string, target: string, options: Parameters<OpenDoor['send']>[2] = {}) => {
        const response = await fetch(server.url + target, { method, ...options })
        return { status: response.status, text: () => '' } as Answer
      },
    }
    await sample.pushImage(fill, 'secret/app', 'latest', image)
    filling = false
    const ways = [
      '/v2/secret/app/manifests/latest',
      '/v2/secret/app/manifests/latest/',
      '/v2/secret/app/manifests/latest//',
      '//v2/secret/app/manifests/latest',
      '/v2//secret/app/manifests/latest',
      '/v2/secret//app/manifests/latest',
      '/v2/./secret/app/manifests/latest',
      '/v2/secret/./app/manifests/latest',
      '/v2/open/../secret/app/manifests/latest',
      '/v2/open/%2e%2e/secret/app/manifests/latest',
      '/v2/open%2f..%2fsecret/app/manifests/latest',
      '/v2/secret%2fapp/manifests/latest',
      '/v2/secret%2Fapp/manifests/latest',
      '/v2/secret%252fapp/manifests/latest',
      '/v2/%73ecret/app/manifests/latest',
      '/v2/secret/app%00/manifests/latest',
      '/v2/secret/app%20/manifests/latest',
      '/v2/secret/app;x=y/manifests/latest',
      '/v2/secret\\app/manifests/latest',
      '/v2/secret/app/manifests\\latest',
      '/v2/SECRET/app/manifests/latest',
      '/V2/secret/app/manifests/latest',
      '/v2/secret/app/Manifests/latest',
      '/v2/secret/app/manifests/latest?x=/../../open',
      '/v2/secret/app/manifests/latest#fragment',
      '/v2/secret/app/manifests/lat%65st',
      '/v2/%c0%ae%c0%ae/secret/app/manifests/latest',
      '/v2/secret/app/manifests/latest%0d%0aX: y',
      'http://other.example/v2/secret/app/manifests/latest',
      'HTTP://user:pass@other.example:99/v2/secret/app/manifests/latest',
      'http://other.example/v2/open/../secret/app/manifests/latest',
      'http://other.example\\@x/v2/secret/app/manifests/latest',
      'https:/v2/secret/app/manifests/latest',
      'v2/secret/app/manifests/latest',
      '*/v2/secret/app/manifests/latest',
      '?/v2/secret/app/manifests/latest',
      '/v2/_catalog',
      '/v2/_catalog/',
      '/v2/_CATALOG',
      '/v2/%5fcatalog',
      '/v2/./_catalog',
      '/v2//_catalog',
    ]
    for (const way of ways) {
      for (const method of ['GET', 'HEAD', 'DELETE']) {
        const answer = await ask(port, `${method} ${way} HTTP/1.1`)
        expect([way, answer.split(' ')[1]]).toEqual([way, expect.stringMatching(/^(400|401|403|404|405)$/)])
        expect(answer).not.toContain(image.config.digest)
        expect(answer.toLowerCase()).not.toContain('\nx: y')
      }
    }
    filling = true
    const kept = await fetch(`${server.url}/v2/secret/app/manifests/latest`)
    expect([kept.status, kept.headers.get('docker-content-digest')]).toEqual([200, image.digest])
    // Whatever was authorised is a name as it is stored: nobody was asked about a spelling.
    for (const name of new Set(authorised)) expect([undefined, 'secret/app', 'open']).toContain(name)
  })
})

/** One random life of three repositories, checked against a model after every step. */
const history = async (door: OpenDoor, seed: number): Promise<void> => {
  const next = random(seed)
  const pick = <T>(list: readonly T[]): T => list[Math.floor(next() * list.length)] as T
  const repositories = ['a', 'b', 'c/d'].map((name) => `h${seed}/${name}`)
  const images = ['x', 'y'].map((name) => sample.image(`${seed} ${name}`))
  const blobs = images.flatMap(({ config, layer }) => [config, layer])
  const linked = new Map(repositories.map((name) => [name, new Set<string>()]))
  const manifests = new Map(repositories.map((name) => [name, new Set<string>()]))
  const has = (map: Map<string, Set<string>>, name: string, digest: string): boolean =>
    map.get(name)?.has(digest) ?? false
  const usedIn = (name: string, digest: string): boolean =>
    images.some(
      (each) => has(manifests, name, each.digest) && [each.config.digest, each.layer.digest].includes(digest as never),
    )
  const log: string[] = []
  const check = async (method: string, target: string, expected: number, options = {}): Promise<void> => {
    const answer = await door.send(method, target, options)
    log.push(`${method} ${target} ${answer.status}`)
    if (answer.status !== expected) throw new Error(`seed ${seed}, expected ${expected}:\n${log.join('\n')}`)
  }
  for (let step = 0; step < 25; step++) {
    const name = pick(repositories)
    const blob = pick(blobs)
    const { digest } = blob
    const each = pick(images)
    const wanted = [each.config.digest, each.layer.digest].every((needed) => has(linked, name, needed))
    switch (Math.floor(next() * 9)) {
      case 0:
        await check('POST', `/v2/${name}/blobs/uploads/?digest=${digest}`, 201, { body: blob.bytes })
        linked.get(name)?.add(digest)
        break
      case 1: {
        const from = pick(repositories)
        const mounts = has(linked, from, digest)
        await check('POST', `/v2/${name}/blobs/uploads/?mount=${digest}&from=${from}`, mounts ? 201 : 202)
        if (mounts) linked.get(name)?.add(digest)
        break
      }
      case 2: {
        const mounts = repositories.some((from) => has(linked, from, digest))
        await check('POST', `/v2/${name}/blobs/uploads/?mount=${digest}`, mounts ? 201 : 202)
        if (mounts) linked.get(name)?.add(digest)
        break
      }
      case 3:
      case 4:
        if (usedIn(name, digest)) await check('DELETE', `/v2/${name}/blobs/${digest}`, 405)
        else {
          await check('DELETE', `/v2/${name}/blobs/${digest}`, has(linked, name, digest) ? 202 : 404)
          linked.get(name)?.delete(digest)
        }
        break
      case 5:
        await check('PUT', `/v2/${name}/manifests/${pick(['t', each.digest])}`, wanted ? 201 : 400, {
          body: each.manifest,
          headers: { 'content-type': each.mediaType },
        })
        if (wanted) manifests.get(name)?.add(each.digest)
        break
      case 6:
        await check('DELETE', `/v2/${name}/manifests/${each.digest}`, has(manifests, name, each.digest) ? 202 : 404)
        manifests.get(name)?.delete(each.digest)
        break
      default: {
        const method = pick(['GET', 'HEAD'])
        await check(method, `/v2/${name}/blobs/${digest}`, has(linked, name, digest) ? 200 : 404)
        await check(method, `/v2/${name}/manifests/${each.digest}`, has(manifests, name, each.digest) ? 200 : 404)
      }
    }
  }
  for (const name of repositories) {
    for (const { digest } of blobs)
      await check('GET', `/v2/${name}/blobs/${digest}`, has(linked, name, digest) ? 200 : 404)
    for (const { digest } of images)
      await check('GET', `/v2/${name}/manifests/${digest}`, has(manifests, name, digest) ? 200 : 404)
  }
}
