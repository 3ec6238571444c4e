import { doors, type Answer, type OpenDoor, sample } from '@stowage/testkit'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

const image = sample.image('semantics')
const names = [
  'accept-ranges',
  'allow',
  'cache-control',
  'content-disposition',
  'content-length',
  'content-range',
  'content-security-policy',
  'content-type',
  'cross-origin-resource-policy',
  'docker-content-digest',
  'docker-distribution-api-version',
  'etag',
  'link',
  'oci-filters-applied',
  'x-content-type-options',
]
const headersOf = (answer: Answer): Record<string, string | null> =>
  Object.fromEntries(names.map((name) => [name, answer.header(name)]))

describe.each(doors)('HTTP semantics through $name', ({ open }) => {
  let door: OpenDoor

  beforeEach(async () => {
    door = await open()
    await sample.pushImage(door, 'a', 'one', image)
    await sample.pushImage(door, 'a', 'two', image)
  })
  afterEach(async () => door[Symbol.asyncDispose]())

  const targets = [
    '/v2/',
    '/v2/_catalog',
    '/v2/a/tags/list?n=1',
    '/v2/a/manifests/one',
    `/v2/a/manifests/${image.digest}`,
    `/v2/a/blobs/${image.layer.digest}`,
    `/v2/a/referrers/${image.digest}?artifactType=a/b`,
    '/v2/a/manifests/none',
    `/v2/none/blobs/${image.layer.digest}`,
    '/v2/a/blobs/uploads/00000000-0000-4000-8000-000000000000',
  ]

  // RFC 9110 section 9.3.2: "The server SHOULD send the same header fields in response to a HEAD request as it would have sent
  // if the request method had been GET."
  it.each(targets)('a HEAD of %s has the head of a GET, and no body', async (target) => {
    const [get, head] = [await door.send('GET', target), await door.send('HEAD', target)]
    expect([head.status, headersOf(head)]).toEqual([get.status, headersOf(get)])
    expect(head.bytes.byteLength).toBe(0)
    expect(get.header('content-length')).toBe(String(get.bytes.byteLength))
  })

  it.each([
    ['a/manifests/one', image.digest],
    [`a/manifests/${image.digest}`, image.digest],
    [`a/blobs/${image.layer.digest}`, image.layer.digest],
  ])('a 304 of %s has what a cache needs, and no length of a body', async (path, digest) => {
    const whole = await door.send('GET', `/v2/${path}`)
    for (const method of ['GET', 'HEAD']) {
      const answer = await door.send(method, `/v2/${path}`, { headers: { 'if-none-match': `"${digest}"` } })
      expect([answer.status, answer.bytes.byteLength, answer.header('content-length')]).toEqual([304, 0, null])
      // Section 15.4.5: "The server generating a 304 response MUST generate any of the following header fields that would have
      // been sent in a 200 (OK) response to the same request: Content-Location, Date, ETag, and Vary; Cache-Control and Expires".
      expect([answer.header('etag'), answer.header('cache-control')]).toEqual([
        `"${digest}"`,
        whole.header('cache-control'),
      ])
    }
  })

  it('no answer may be kept by a cache that was not told how long it is true', async () => {
    for (const target of targets) {
      const answer = await door.send('GET', target)
      const expected = target.includes('sha256:') && answer.status === 200 && !target.includes('referrers')
      expect([target, answer.header('cache-control')]).toEqual([
        target,
        expected ? 'private, max-age=31536000, immutable' : target === '/v2/a/manifests/one' ? 'no-cache' : 'no-store',
      ])
    }
    const started = await door.send('POST', '/v2/a/blobs/uploads/')
    expect(started.header('cache-control')).toBe('no-store')
  })

  it('content is not for pages of other origins, unless they are allowed in', async () => {
    for (const target of [`/v2/a/blobs/${image.layer.digest}`, '/v2/a/manifests/one']) {
      expect((await door.send('GET', target)).header('cross-origin-resource-policy')).toBe('same-origin')
    }
    await using shared = await open({ cors: { origins: ['https://ui.example'] } })
    await sample.pushImage(shared, 'a', 'one', image)
    for (const [origin, policy] of [
      ['https://ui.example', 'cross-origin'],
      ['https://evil.example', 'same-origin'],
    ] as const) {
      const answer = await shared.send('GET', '/v2/a/manifests/one', { headers: { origin } })
      expect(answer.header('cross-origin-resource-policy')).toBe(policy)
    }
  })

  it('a page of another origin cannot make a browser write, unless it is allowed in', async () => {
    const page = { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' }
    const post = async (to: OpenDoor, headers: Record<string, string>): Promise<number> =>
      (await to.send('POST', `/v2/a/blobs/uploads/?digest=${image.layer.digest}`, { body: image.layer.bytes, headers }))
        .status
    expect(await post(door, page)).toBe(403)
    expect((await door.send('GET', '/v2/a/tags/list', { headers: page })).status).toBe(200)
    // An old browser, which says no more than the origin.
    expect(await post(door, { origin: 'https://evil.example' })).toBe(403)
    // What is no browser, and a page of this origin.
    expect(await post(door, {})).toBe(201)
    expect(await post(door, { 'sec-fetch-site': 'same-origin' })).toBe(201)
    await using shared = await open({ cors: { origins: ['https://ui.example'] } })
    expect(await post(shared, page)).toBe(403)
    expect(await post(shared, { ...page, origin: 'https://ui.example' })).toBe(201)
  })

  it('a 405 says what the resource does allow', async () => {
    const inUse = await door.send('DELETE', `/v2/a/blobs/${image.layer.digest}`)
    expect([inUse.status, inUse.header('allow')]).toEqual([405, 'GET, HEAD'])
    for (const [method, target, allow] of [
      ['PUT', '/v2/', 'GET, HEAD'],
      ['POST', `/v2/a/blobs/${image.layer.digest}`, 'GET, HEAD, DELETE'],
      ['PATCH', '/v2/a/manifests/one', 'GET, HEAD, PUT, DELETE'],
      ['GET', '/v2/a/blobs/uploads/', 'POST'],
      ['POST', '/v2/a/blobs/uploads/00000000-0000-4000-8000-000000000000', 'GET, HEAD, PATCH, PUT, DELETE'],
    ] as const) {
      const answer = await door.send(method, target)
      expect([answer.status, answer.header('allow')]).toEqual([405, allow])
    }
  })

  it.each([
    ['bytes=0-0', 206, 'bytes 0-0/22'],
    ['bytes=21-', 206, 'bytes 21-21/22'],
    ['BYTES=0-1', 206, 'bytes 0-1/22'],
    ['bytes=0-99999999999999999999999999', 206, 'bytes 0-21/22'],
    ['bytes=-99999999999999999999999999', 206, 'bytes 0-21/22'],
    ['bytes=22-', 416, 'bytes */22'],
    ['bytes=-0', 416, 'bytes */22'],
    ['bytes=99999999999999999999999999-', 416, 'bytes */22'],
    ['bytes=', 200, null],
    ['bytes=-', 200, null],
    ['bytes=a-b', 200, null],
    ['lines=0-1', 200, null],
    ['bytes=0-0, 2-3', 200, null],
    [`bytes=${'0-0,'.repeat(1000)}1-1`, 200, null],
  ])('a Range of %s is answered %i', async (range, status, contentRange) => {
    const layer = Buffer.from('layer of the semantics')
    const digest = await sample.pushBlob(door, 'a', layer)
    const answer = await door.send('GET', `/v2/a/blobs/${digest}`, { headers: { range } })
    expect([answer.status, answer.header('content-range')]).toEqual([status, contentRange])
    // Section 14.2: "A server MUST ignore a Range header field received with a request method that is unrecognized or for which
    // range handling is not defined. For this specification, GET is the only method for which range handling is defined."
    const head = await door.send('HEAD', `/v2/a/blobs/${digest}`, { headers: { range } })
    expect([head.status, head.header('content-length'), head.header('content-range')]).toEqual([200, '22', null])
  })

  it('If-None-Match comes before Range, and If-Range wants a strong validator', async () => {
    const target = `/v2/a/blobs/${image.layer.digest}`
    const etag = `"${image.layer.digest}"`
    const status = async (headers: Record<string, string>): Promise<number> =>
      (await door.send('GET', target, { headers: { range: 'bytes=0-0', ...headers } })).status
    expect(await status({ 'if-none-match': etag })).toBe(304)
    expect(await status({ 'if-none-match': '"other"' })).toBe(206)
    expect(await status({ 'if-range': etag })).toBe(206)
    expect(await status({ 'if-range': `W/${etag}` })).toBe(200)
    expect(await status({ 'if-range': 'Mon, 01 Jan 2024 00:00:00 GMT' })).toBe(200)
  })

  it('an empty blob can be pulled, and no part of it', async () => {
    const digest = await sample.pushBlob(door, 'a', new Uint8Array())
    const whole = await door.send('GET', `/v2/a/blobs/${digest}`)
    expect([whole.status, whole.header('content-length')]).toEqual([200, '0'])
    for (const range of ['bytes=0-', 'bytes=0-0', 'bytes=-1']) {
      const answer = await door.send('GET', `/v2/a/blobs/${digest}`, { headers: { range } })
      expect([answer.status, answer.header('content-range')]).toEqual([416, 'bytes */0'])
    }
  })

  it.each(['__proto__', 'constructor', 'toString', 'PROPFIND', 'get', 'Patch'])(
    'knows no method %s',
    async (method) => {
      // Clients refuse to send some of them, Request and node:http each its own.
      const outcome = await door.send(method, '/v2/a/tags/list').then(
        ({ status }) => status,
        () => 'not sent',
      )
      expect([405, 400, 'not sent', method === 'get' ? 200 : 405]).toContain(outcome)
    },
  )
})
