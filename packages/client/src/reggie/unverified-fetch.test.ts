import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { createRegistry, type Registry } from '@stowage/registry'
import { toNodeHandler } from '@stowage/registry/node'
import { sample, selfSigned } from '@stowage/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { NewClient, WithDefaultName, WithInsecureSkipTLSVerify } from './index.ts'
import { createUnverifiedFetch } from './unverified-fetch.ts'

describe('WithInsecureSkipTLSVerify', () => {
  let registry: Registry
  let server: Server
  let url: string
  beforeAll(async () => {
    registry = await createRegistry({ storage: ':memory:' })
    server = createServer(selfSigned(), toNodeHandler(registry))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`
  })
  afterAll(async () => {
    await new Promise((resolve) => server.close(resolve).closeAllConnections())
    await registry[Symbol.asyncDispose]()
  })

  it.each([[], [WithInsecureSkipTLSVerify(false)]])('is off unless said', async (...options) => {
    const client = NewClient(url, ...options)
    await expect(client.Do(client.NewRequest('GET', '/v2/'))).rejects.toThrow(
      expect.objectContaining({ code: 'network', hint: expect.stringContaining('is not trusted') }),
    )
  })

  it('pushes and pulls at a registry whose certificate nobody trusts', async () => {
    const client = NewClient(url, WithDefaultName('a/app'), WithInsecureSkipTLSVerify(true))
    expect(client.Config.InsecureSkipTLSVerify).toBe(true)
    // Larger than what a socket takes at once.
    const bytes = new Uint8Array(3_000_000).map((_, index) => index % 251)
    const digest = sample.sha256(bytes)
    const begun = await client.Do(client.NewRequest('POST', '/v2/<name>/blobs/uploads/'))
    expect(begun.status).toBe(202)
    for (const [start, end] of [
      [0, 2_000_000],
      [2_000_000, 3_000_000],
    ] as const) {
      const body = (): ReadableStream<Uint8Array> => new Blob([bytes.subarray(start, end)]).stream()
      const chunk = client
        .NewRequest('PATCH', begun.GetRelativeLocation())
        .SetHeader('Content-Range', `${start}-${end - 1}`)
        .SetBody(start === 0 ? bytes.subarray(0, end) : body)
      expect((await client.Do(chunk)).status).toBe(202)
    }
    const put = client.NewRequest('PUT', begun.GetRelativeLocation()).SetQueryParam('digest', digest)
    expect((await client.Do(put)).status).toBe(201)
    const pulled = await client.Do(client.NewRequest('GET', `/v2/<name>/blobs/${digest}`))
    expect(pulled.Body()).toEqual(bytes)
    const head = await client.Do(client.NewRequest('HEAD', `/v2/<name>/blobs/${digest}`))
    expect([head.status, head.headers.get('content-length'), head.Body().length]).toEqual([200, '3000000', 0])
    await using left = await client.DoStream(client.NewRequest('GET', `/v2/<name>/blobs/${digest}`))
    expect(left.status).toBe(200)
  })

  it('has no body where there is none', async () => {
    const request = {
      redirect: 'manual',
      credentials: 'omit',
      cache: 'no-store',
      referrerPolicy: 'no-referrer',
    } as const
    const { signal } = new AbortController()
    const fetch = createUnverifiedFetch()
    const headers = new Headers({ 'content-length': '0' })
    const head = await fetch(`${url}/v2/`, { ...request, method: 'HEAD', headers, signal })
    expect([head.status, head.headers.get('content-type'), head.body]).toEqual([200, 'application/json', null])
  })

  it('ends with the signal, and when the body cannot be read', async () => {
    const client = NewClient(url, WithDefaultName('a/app'), WithInsecureSkipTLSVerify(true))
    const stop = new AbortController()
    const request = client.NewRequest('POST', '/v2/<name>/blobs/uploads/').SetBody(async function* () {
      stop.abort()
      yield new Uint8Array(1)
      await new Promise((resolve) => setTimeout(resolve, 60_000).unref())
    })
    await expect(client.Do(request, { signal: stop.signal })).rejects.toThrow(
      expect.objectContaining({ code: 'aborted' }),
    )
    const broken = client.NewRequest('POST', '/v2/<name>/blobs/uploads/').SetBody(async function* () {
      yield new Uint8Array(1)
      throw new Error('the disk is gone')
    })
    await expect(client.Do(broken)).rejects.toThrow(
      expect.objectContaining({ name: 'ClientError', message: expect.stringContaining('the disk is gone') }),
    )
  })
})

it('says so where certificates are always verified', () => {
  expect(() => createUnverifiedFetch({ https: undefined })).toThrow(
    expect.objectContaining({ code: 'unsupported', hint: expect.stringContaining('Node, Bun or Deno') }),
  )
})
