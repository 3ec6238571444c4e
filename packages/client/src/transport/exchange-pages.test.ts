/** What browsers answer otherwise than servers' runtimes; `test/runtimes/browser.ts` asks a real one. */
import { afterEach, expect, it, vi } from 'vitest'
import { blobContent, bytesContent } from '../content/content.ts'
import { exchange, type ExchangeRequest } from './exchange.ts'
import type { Fetch, FetchAnswer } from './fetch.ts'

afterEach(() => vi.unstubAllGlobals())

const answer = (more: Partial<FetchAnswer> = {}): FetchAnswer => ({
  status: 201,
  headers: new Headers(),
  body: null,
  ...more,
})
const opaque = answer({ status: 0, type: 'opaqueredirect' })

const ask = (fetch: Fetch, more: Partial<ExchangeRequest> = {}) =>
  exchange(
    { fetch, sendsStreams: false },
    {
      method: 'GET',
      url: 'https://registry.example/v2/',
      headers: new Headers(),
      signal: new AbortController().signal,
      idleTimeout: 1000,
      answerTimeout: 1000,
      ...more,
    },
  )

it.each(['GET', 'HEAD'])(
  'lets a browser follow the redirect of %s, of which it does not say where to',
  async (method) => {
    const modes: string[] = []
    const fetch: Fetch = async (_, { redirect }) => {
      modes.push(redirect)
      return redirect === 'manual' ? opaque : answer({ status: 200, url: 'https://blobs.example/one' })
    }
    const { status, url } = await ask(fetch, { method })
    expect([status, url]).toEqual([200, 'https://blobs.example/one'])
    expect(modes).toEqual(['manual', 'follow'])
  },
)

it('lets a browser carry nothing there but what is harmless, and what it takes off by itself', async () => {
  const sent: [string, string[]][] = []
  const fetch: Fetch = async (_, { redirect, headers }) => {
    sent.push([redirect, [...headers.keys()]])
    return redirect === 'manual' ? opaque : answer({ status: 200 })
  }
  const harmless = { accept: 'a/b', 'accept-encoding': 'identity', authorization: 'Bearer t', range: 'bytes=1-' }
  await ask(fetch, { headers: new Headers({ ...harmless, 'x-api-key': 'secret', cookie: 'a=b' }) })
  expect(sent).toEqual([
    ['manual', [...Object.keys(harmless), 'cookie', 'x-api-key'].toSorted()],
    ['follow', Object.keys(harmless)],
  ])
})

it.each(['POST', 'PUT', 'PATCH', 'DELETE'])('follows no redirect of %s', async (method) => {
  const fetch = vi.fn<Fetch>(async () => opaque)
  await expect(ask(fetch, { method })).rejects.toMatchObject({ code: 'refused' })
  expect(fetch).toHaveBeenCalledOnce()
})

it.each([
  ['a Blob', blobContent(new Blob(['0123456789']))],
  ['bytes', bytesContent(new TextEncoder().encode('0123456789'))],
])('tells that the part of %s was sent once it is answered', async (_, content) => {
  const events: unknown[] = []
  const fetch: Fetch = async (__, { body }) => {
    events.push(await new Response(body).text())
    return answer()
  }
  await ask(fetch, { method: 'PUT', content, offset: 2, length: 5, onProgress: (sent) => void events.push(sent) })
  expect(events).toEqual(['23456', 5])
})

it('gives what goes in one piece time by its length, and no more', async () => {
  vi.useFakeTimers()
  try {
    const fetch: Fetch = async (_, { signal }) =>
      new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)))
    const content = blobContent(new Blob([new Uint8Array(3 * 2 ** 20)]))
    let failure: unknown
    const asked = ask(fetch, { method: 'PUT', content }).catch((error: unknown) => (failure = error))
    await vi.advanceTimersByTimeAsync(3900)
    expect(failure).toBeUndefined()
    await vi.advanceTimersByTimeAsync(200)
    await asked
    expect(failure).toMatchObject({ code: 'timeout' })
  } finally {
    vi.useRealTimers()
  }
})

it('gives nothing more of what has come already after it was stopped', async () => {
  const stop = new AbortController()
  async function* body(): AsyncIterable<Uint8Array> {
    yield new Uint8Array(1)
    yield new Uint8Array(1)
  }
  const { body: chunks } = await ask(async () => answer({ status: 200, body: body() }), { signal: stop.signal })
  const reading = (async () => {
    for await (const _ of chunks) stop.abort()
  })()
  await expect(reading).rejects.toMatchObject({ code: 'aborted' })
})

it('says what a page may lack where the browser gives no reason', async () => {
  const fetch = async (): Promise<never> => {
    throw new TypeError('Failed to fetch')
  }
  const hintOn = async (origin: string | undefined): Promise<string | undefined> => {
    if (origin !== undefined) vi.stubGlobal('location', { origin })
    const failure = await ask(fetch).catch((error: unknown) => error as { code: string; hint?: string })
    expect(failure).toMatchObject({ code: 'network' })
    return 'hint' in failure ? failure.hint : undefined
  }
  expect(await hintOn(undefined)).toBeUndefined()
  expect(await hintOn('https://registry.example')).toBeUndefined()
  expect(await hintOn('https://app.example')).toContain('CORS settings name that origin')
})
