import { createTestRegistry, sample, type TestRegistry } from '@stowage/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readAll } from '../content/verify.ts'
import type { Fetch } from '../transport/fetch.ts'
import {
  type Client,
  type ClientOption,
  DefaultUserAgent,
  isClientError,
  NewClient,
  WithDefaultName,
  WithDigest,
  WithFetch,
  WithReference,
  WithSessionID,
  WithTimeouts,
  WithTokenServers,
  WithUserAgent,
} from './index.ts'

const usage = (message: string): unknown =>
  expect.objectContaining({ name: 'ClientError', code: 'usage', message: expect.stringContaining(message) })

/** `registry.fetch` as it is, and over a socket. */
const ways: readonly [string, (registry: TestRegistry, ...options: readonly ClientOption[]) => Client][] = [
  [
    'in process',
    ({ registry }, ...options) =>
      NewClient(
        'http://registry.test',
        WithFetch(async (url, init) => registry.fetch(new Request(url, init))),
        ...options,
      ),
  ],
  ['over a socket', ({ url }, ...options) => NewClient(url, ...options)],
]

describe.each(ways)('%s', (_, clientOf) => {
  let registry: TestRegistry
  let client: Client
  beforeAll(async () => {
    registry = await createTestRegistry()
    client = clientOf(registry, WithDefaultName('myorg/myrepo'))
  })
  afterAll(async () => registry[Symbol.asyncDispose]())

  it('pushes in two chunks and pulls, as the page of the Go client does', async () => {
    const blob = new TextEncoder().encode('{}')
    const digest = sample.sha256(blob)
    let answer = await client.Do(client.NewRequest('POST', '/v2/<name>/blobs/uploads/'))
    expect(answer.StatusCode()).toBe(202)
    answer = await client.Do(
      client
        .NewRequest('PATCH', answer.GetRelativeLocation())
        .SetHeader('Content-Length', '1')
        .SetHeader('Content-Range', '0-0')
        .SetHeader('Content-Type', 'application/octet-stream')
        .SetBody(blob.subarray(0, 1)),
    )
    expect([answer.StatusCode(), answer.Header().get('range')]).toEqual([202, '0-0'])
    answer = await client.Do(
      client
        .NewRequest('PUT', answer.GetAbsoluteLocation())
        .SetHeader('Content-Length', '1')
        .SetHeader('Content-Range', '1-1')
        .SetHeader('Content-Type', 'application/octet-stream')
        .SetQueryParam('digest', digest)
        .SetBody(blob.subarray(1)),
    )
    expect([answer.StatusCode(), answer.Errors()]).toEqual([201, []])

    const manifest = {
      schemaVersion: 2,
      config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest, size: 2 },
      layers: [],
    }
    answer = await client.Do(
      client
        .NewRequest('PUT', '/v2/<name>/manifests/<reference>', WithReference('mytag'))
        .SetHeader('Content-Type', 'application/vnd.oci.image.manifest.v1+json')
        .SetBody(manifest),
    )
    expect([answer.StatusCode(), answer.Errors()]).toEqual([201, []])
    const pulled = await client.Do(client.NewRequest('GET', '/v2/<name>/blobs/<digest>', WithDigest(digest)))
    expect([pulled.status, pulled.text()]).toEqual([200, '{}'])
  })

  it('gets 416 for a chunk that does not follow', async () => {
    const begun = await client.Do(client.NewRequest('POST', '/v2/<name>/blobs/uploads/'))
    const chunk = client.NewRequest('PATCH', begun.GetRelativeLocation()).SetBody('}').SetHeader('Content-Range', '1-1')
    expect((await client.Do(chunk)).status).toBe(416)
    const id = begun.headers.get('docker-upload-uuid') ?? ''
    const asked = await client.Do(client.NewRequest('GET', '/v2/<name>/blobs/uploads/<session_id>', WithSessionID(id)))
    expect(asked.status).toBe(204)
  })

  it('sends a body of every kind', async () => {
    const text = 'hello'
    const bytes = new TextEncoder().encode(text)
    const bodies = [
      text,
      bytes,
      new Blob([text]),
      bytes.buffer,
      () => new Blob([text]).stream(),
      {
        open: async function* () {
          yield bytes
        },
        size: 5,
      },
    ]
    for (const body of bodies) {
      const request = client
        .NewRequest('POST', '/v2/<name>/blobs/uploads/')
        .SetQueryParam('digest', sample.sha256(bytes))
        .SetBody(body)
      expect((await client.Do(request)).status).toBe(201)
    }
    const empty = client.NewRequest('POST', '/v2/<name>/blobs/uploads/').SetBody('')
    expect((await client.Do(empty.SetQueryParam('digest', sample.sha256(new Uint8Array())))).status).toBe(201)
  })

  it('takes every status for an answer', async () => {
    const statuses = async (method: 'GET' | 'PUT' | 'DELETE' | 'HEAD' | 'OPTIONS', path: string): Promise<unknown> => {
      const response = await client.Do(client.NewRequest(method, path))
      return [response.status, response.Errors()[0]?.code]
    }
    expect(await statuses('GET', '/v2/none/tags/list')).toEqual([404, 'NAME_UNKNOWN'])
    expect(await statuses('HEAD', '/v2/none/manifests/x')).toEqual([404, undefined])
    expect(await statuses('GET', '/v2/UPPER/tags/list')).toEqual([400, 'NAME_INVALID'])
    expect(await statuses('PUT', '/v2/<name>/manifests/x')).toEqual([400, 'MANIFEST_INVALID'])
    expect(await statuses('DELETE', '/v2/<name>/tags/list')).toEqual([405, 'UNSUPPORTED'])
  })

  it('executes a request by itself, with another method if there is one', async () => {
    const request = client.NewRequest('GET', '/v2/none')
    expect((await request.Execute('HEAD', '/v2/')).status).toBe(200)
    expect(String(request)).toContain('[HEAD] ')
    expect((await request.Execute()).status).toBe(200)
  })

  it('streams an answer', async () => {
    const bytes = new Uint8Array(300_000).fill(7)
    const push = client
      .NewRequest('POST', '/v2/<name>/blobs/uploads/')
      .SetQueryParam('digest', sample.sha256(bytes))
      .SetBody(bytes)
    const pushed = await client.Do(push)
    const pull = client.NewRequest('GET', pushed.GetRelativeLocation())
    await using response = await client.DoStream(pull)
    expect(await readAll(response.body, bytes.length, 'blob')).toEqual(bytes)
    await expect(client.Do(pull, { limit: 1000 })).rejects.toThrow(expect.objectContaining({ code: 'too-large' }))
  })
})

describe('in a server that looks closely', () => {
  /** Writes down what it is sent, and answers as it is told. */
  const record = (answer: () => { status: number; headers?: Record<string, string>; body?: string }) => {
    const seen: { url: string; headers: Headers }[] = []
    const fetch: Fetch = async (url, init) => {
      seen.push({ url, headers: init.headers })
      const { status, headers = {}, body = '' } = answer()
      return { status, headers: new Headers(headers), body: new Blob([body]).stream() }
    }
    return { seen, fetch }
  }

  it('nothing is sent of a request that is invalid', async () => {
    const { seen, fetch } = record(() => ({ status: 200 }))
    const client = NewClient('http://h', WithFetch(fetch))
    await expect(client.Do(client.NewRequest('GET', '/v2/<name>/tags/list'))).rejects.toThrow(usage('<name>'))
    await expect(client.Do(client.NewRequest('GET', '///'))).rejects.toThrow(usage('slashes'))
    await expect(client.Do(client.NewRequest('GET', 'http://other/v2/'))).rejects.toThrow(
      expect.objectContaining({ code: 'refused' }),
    )
    expect(seen).toEqual([])
  })

  it.each([429, 500, 503])('a %d is an answer, and not asked for again', async (status) => {
    const { seen, fetch } = record(() => ({ status, headers: { 'retry-after': '0' } }))
    const client = NewClient('http://h', WithFetch(fetch))
    expect((await client.Do(client.NewRequest('GET', '/v2/'))).status).toBe(status)
    expect(seen).toHaveLength(1)
  })

  it('neither is a broken connection', async () => {
    let sent = 0
    const fetch: Fetch = async () => {
      sent += 1
      throw new TypeError('fetch failed')
    }
    const client = NewClient('http://h', WithFetch(fetch))
    await expect(client.Do(client.NewRequest('GET', '/v2/?secret=hunter2'))).rejects.toThrow(
      expect.objectContaining({ code: 'network', subject: 'GET http://h/v2/' }),
    )
    expect(sent).toBe(1)
  })

  it('the redirect of a write is an answer', async () => {
    const { seen, fetch } = record(() => ({ status: 307, headers: { location: 'http://elsewhere/x' } }))
    const client = NewClient('http://h', WithFetch(fetch))
    const response = await client.Do(client.NewRequest('PUT', '/v2/').SetBody('x'))
    expect([response.status, response.GetAbsoluteLocation()]).toEqual([307, 'http://elsewhere/x'])
    expect(seen).toHaveLength(1)
  })

  it('a path in the address goes before every path, and comes back with a Location', async () => {
    const { seen, fetch } = record(() => ({ status: 202, headers: { location: '/prefix/v2/u/1?s=a%3D' } }))
    const client = NewClient('http://h/prefix/', WithDefaultName('a'), WithFetch(fetch))
    const begun = await client.Do(client.NewRequest('POST', '/v2/<name>/blobs/uploads/'))
    await client.Do(client.NewRequest('PATCH', begun.GetRelativeLocation()))
    await client.Do(client.NewRequest('PATCH', begun.GetAbsoluteLocation()))
    expect(seen.map(({ url }) => url)).toEqual([
      'http://h/prefix/v2/a/blobs/uploads/',
      'http://h/prefix/v2/u/1?s=a%3D',
      'http://h/prefix/v2/u/1?s=a%3D',
    ])
  })

  it('the user agent is the one that was given', async () => {
    const { seen, fetch } = record(() => ({ status: 200 }))
    for (const options of [[], [WithUserAgent('mine/1')]]) {
      const client = NewClient('http://h', WithFetch(fetch), ...options)
      await client.Do(client.NewRequest('GET', '/v2/'))
    }
    expect(seen.map(({ headers }) => headers.get('user-agent'))).toEqual([DefaultUserAgent, 'mine/1'])
  })

  it('more than a few requests are under way at once', async () => {
    const gate = Promise.withResolvers<void>()
    let open = 0
    const fetch: Fetch = async () => {
      open += 1
      if (open === 40) gate.resolve()
      await gate.promise
      return { status: 200, headers: new Headers(), body: null }
    }
    const client = NewClient('http://h', WithFetch(fetch))
    await Promise.all(Array.from({ length: 40 }, async () => client.Do(client.NewRequest('GET', '/v2/'))))
    expect(open).toBe(40)
  })

  it('a request that hangs ends with its signal, or with a timeout', async () => {
    const fetch: Fetch = async (_, { signal }) =>
      new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)))
    const client = NewClient('http://h', WithFetch(fetch), WithTimeouts({ answer: 5 }), WithTokenServers())
    const request = client.NewRequest('GET', '/v2/')
    await expect(client.Do(request)).rejects.toThrow(expect.objectContaining({ code: 'timeout' }))
    const patient = NewClient('http://h', WithFetch(fetch))
    const stop = new AbortController()
    const pending = patient.Do(patient.NewRequest('GET', '/v2/'), { signal: stop.signal })
    stop.abort()
    const error = await pending.catch((caught: unknown) => caught)
    expect(isClientError(error, 'aborted')).toBe(true)
    await expect(patient.DoStream(request, { signal: stop.signal })).rejects.toThrow(
      expect.objectContaining({ code: 'aborted' }),
    )
  })
})
