import { createHash } from 'node:crypto'
import { createRegistry, type Registry } from '@stowage/registry'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Logger } from '../logger.ts'

/** What only a host program can do to the registry: its `Request` is whatever it made. */
describe('a request that a host program made', () => {
  let registry: Registry
  let errors: string[]
  let now: number

  beforeEach(async () => {
    errors = []
    now = Date.now()
    const silent = (): void => {}
    const logger: Logger = { debug: silent, info: silent, warn: silent, error: (_, message) => errors.push(message) }
    registry = await createRegistry({ storage: ':memory:', logger, now: () => now })
  })
  afterEach(async () => registry[Symbol.asyncDispose]())

  const push = async (text: string, body: ReadableStream, signal?: AbortSignal): Promise<Response> => {
    const digest = `sha256:${createHash('sha256').update(text).digest('hex')}`
    const url = `http://registry.test/v2/a/blobs/uploads/?digest=${digest}`
    return registry.fetch(
      new Request(url, { method: 'POST', body, duplex: 'half', ...(signal === undefined ? {} : { signal }) }),
    )
  }
  const pull = async (location: string | null): Promise<string> =>
    (await registry.fetch(new Request(`http://registry.test${location ?? ''}`))).text()

  it.each([
    ['text', ['hé', 'llo']],
    ['views that are not Uint8Arrays', [new DataView(new TextEncoder().encode('xhéllo').buffer, 1)]],
    ['Buffers', [Buffer.from('hé'), Buffer.from('llo')]],
  ])('may have a body that streams %s', async (_, pieces) => {
    const answer = await push('héllo', ReadableStream.from<unknown>(pieces))
    expect(answer.status).toBe(201)
    expect(await pull(answer.headers.get('location'))).toBe('héllo')
  })

  it('may not have a body that streams objects', async () => {
    expect((await push('', ReadableStream.from<unknown>([{ byteLength: 0 }]))).status).toBe(500)
    expect(errors).toEqual(['a request failed unexpectedly'])
    expect((await registry.status()).blobs).toBe(0)
  })

  it.each([
    ['fails', async () => Promise.reject(Object.assign(new Error('gone'), { code: 'ECONNRESET' }))],
    ['fails with nothing in particular', async () => Promise.reject(new Error('what?'))],
  ])("is the sender's affair when its body %s", async (_, pull1) => {
    const answer = await push('x', new ReadableStream({ pull: pull1 }))
    expect(answer.status).toBe(400)
    expect(await answer.json()).toMatchObject({ errors: [{ code: 'BLOB_UPLOAD_INVALID' }] })
    expect(errors).toEqual([])
  })

  it('is given up when its signal aborts while the body is awaited', async () => {
    const abort = new AbortController()
    const pending = push('x', new ReadableStream({ pull: async () => new Promise(() => {}) }), abort.signal)
    setTimeout(() => abort.abort(), 20)
    expect((await pending).status).toBe(400)
    expect(errors).toEqual([])
    expect((await registry.status()).blobs).toBe(0)
  })

  it('that stalls learns from a 4xx that another one took over its upload', async () => {
    const started = await registry.fetch(new Request('http://registry.test/v2/a/blobs/uploads/', { method: 'POST' }))
    const location = `http://registry.test${started.headers.get('location') ?? ''}`
    const patch = async (body: ReadableStream | string): Promise<Response> =>
      registry.fetch(new Request(location, { method: 'PATCH', body, duplex: 'half' }))
    let first = true
    const stalled = patch(
      new ReadableStream({
        pull: async (controller) => {
          if (!first) return new Promise(() => {})
          first = false
          controller.enqueue(Buffer.from('hello'))
        },
      }),
    )
    await new Promise((resolve) => setTimeout(resolve, 20))
    now += 6000
    const taken = await patch(' world')
    expect([taken.status, taken.headers.get('range')]).toEqual([202, '0-10'])
    expect((await stalled).status).toBe(400)
    expect(errors).toEqual([])
  })
})
