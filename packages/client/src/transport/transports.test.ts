import { startMisbehavingRegistry } from '@stowage/testkit'
import { expect, it, test } from 'vitest'
import { type ClientOptions, createClient } from '../client.ts'
import type { Fetch } from './fetch.ts'

const challenge = { 'www-authenticate': 'Basic realm="r"' }

/** Asks everybody for a password. */
const asking = (): { readonly fetch: Fetch; readonly seen: { url: string; headers: Headers }[] } => {
  const seen: { url: string; headers: Headers }[] = []
  const fetch: Fetch = async (url, { headers }) => {
    seen.push({ url, headers: new Headers(headers) })
    const known = headers.has('authorization')
    return { status: known ? 200 : 401, headers: new Headers(known ? {} : challenge), body: null }
  }
  return { fetch, seen }
}

const me: ClientOptions = { credentials: () => ({ kind: 'password', username: 'me', password: 's3cret' }) }
const headers = { 'x-api-key': 'secret' }

it('shows no credentials and no headers in clear text where only a reference says http', async () => {
  for (const hosts of [{}, { 'a.example': { headers } }, { '*': { headers } }]) {
    const { fetch, seen } = asking()
    await using client = createClient({ ...me, fetch, hosts })
    await expect(client.registry('http://a.example').ping()).rejects.toMatchObject({
      code: 'refused',
      hint: expect.stringContaining('hosts["a.example"].plainHttp'),
    })
    expect(seen.map(({ url }) => url)).toEqual(['http://a.example/v2/'])
    expect(seen[0]?.headers.has('x-api-key')).toBe(false)
    await using anonymous = createClient({ fetch, hosts })
    await expect(anonymous.registry('http://a.example').ping()).rejects.toMatchObject({ code: 'unauthorized' })
  }
})

test.each<[string, string, NonNullable<ClientOptions['hosts']>]>([
  ['the hosts say so', 'a.example', { 'a.example': { plainHttp: true, headers } }],
  ['the hosts say so, for all', 'a.example', { '*': { plainHttp: true, headers } }],
  ['the hosts say so by an address', 'a.example', { 'a.example': { endpoint: 'http://b.example', headers } }],
  ['it is this machine', 'localhost:5000', { '*': { headers } }],
  ['it is this machine by number', '127.0.0.1:5000', { '127.0.0.1:5000': { headers } }],
  ['it is this machine by a long number', '[::1]:5000', { '*': { headers } }],
])('shows them in clear text where %s', async (_, name, hosts) => {
  const { fetch, seen } = asking()
  await using client = createClient({ ...me, fetch, hosts })
  await client.registry(`http://${name}`).ping()
  expect(seen.map(({ headers: sent }) => [sent.get('x-api-key'), sent.has('authorization')])).toEqual([
    ['secret', false],
    ['secret', true],
  ])
})

test.each<[string, NonNullable<ClientOptions['hosts']>]>([
  ['https', { 'a.example': { plainHttp: true } }],
  ['https', { 'a.example': { endpoint: 'http://127.0.0.1:5000' } }],
  ['http', { 'a.example': { plainHttp: false } }],
  ['http', { 'a.example': { endpoint: 'https://b.example' } }],
])('does not take %s:// where hosts says otherwise: %j', async (scheme, hosts) => {
  const { fetch, seen } = asking()
  await using client = createClient({ ...me, fetch, hosts })
  expect(() => client.registry(`${scheme}://a.example`)).toThrow(
    expect.objectContaining({ code: 'usage', message: expect.stringContaining('a.example is said to speak') }),
  )
  expect(() => client.repository(`${scheme}://a.example/b`)).toThrow(expect.objectContaining({ code: 'usage' }))
  expect(seen).toEqual([])
})

it('lets a reference say https where all others speak plain HTTP', async () => {
  const { fetch, seen } = asking()
  await using client = createClient({ ...me, fetch, hosts: { '*': { plainHttp: true } } })
  await client.registry('https://a.example').ping()
  expect(seen.map(({ url }) => url)).toEqual(['https://a.example/v2/', 'https://a.example/v2/'])
})

it('ends what is under way when the client is disposed of, and sends nothing more', async () => {
  for (const scheme of ['', 'http://']) {
    await using server = await startMisbehavingRegistry()
    const client = createClient({ hosts: scheme === '' ? { [server.host]: { plainHttp: true } } : {} })
    const arrived = Promise.withResolvers<void>()
    server.on({}, () => {
      arrived.resolve()
      return 'hang'
    })
    const ping = client.registry(`${scheme}${server.host}`).ping()
    const told = expect(ping).rejects.toMatchObject({ code: 'aborted', message: expect.stringContaining('disposed') })
    await arrived.promise
    await client[Symbol.asyncDispose]()
    await told
    const late = client.registry(`${scheme}${server.host}`).ping()
    await expect(late).rejects.toMatchObject({ code: 'aborted' })
    expect(server.requests).toHaveLength(1)
  }
})
