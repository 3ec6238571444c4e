import { describe, expect, it, test } from 'vitest'
import { openGuarded } from '../testing/guarded-registry.ts'

const statusOf = async (
  options: Parameters<typeof openGuarded>[0],
  headers: Readonly<Record<string, string>>,
  method = 'POST',
  path = '/v2/private/blobs/uploads/',
): Promise<number> => {
  await using guarded = await openGuarded(options)
  const authorization = 'Bearer push'
  return (await guarded.send(method, path, { headers: { host: 'registry.test', authorization, ...headers } })).status
}

describe('a page that makes its visitor’s browser write', () => {
  test.each<[string, Readonly<Record<string, string>>]>([
    ['another site', { 'sec-fetch-site': 'cross-site' }],
    ['a neighbour under the same domain', { 'sec-fetch-site': 'same-site', origin: 'http://other.registry.test' }],
    ['a site of a kind that is not known yet', { 'sec-fetch-site': 'elsewhere' }],
    ['another origin, in an old browser', { origin: 'http://evil.test' }],
    ['another port, in an old browser', { origin: 'http://registry.test:8080' }],
    ['a name that begins the same, in an old browser', { origin: 'http://registry.test.evil.test' }],
    ['a sandbox, in an old browser', { origin: 'null' }],
    ['something that is no origin', { origin: 'registry.test' }],
  ])('is refused when it is of %s', async (_, headers) => {
    expect(await statusOf({}, headers)).toBe(403)
    expect(await statusOf({}, headers, 'POST', '/auth/token')).toBe(403)
    expect(await statusOf({ cors: { origins: ['http://app.test'] } }, headers)).toBe(403)
    expect(await statusOf({}, headers, 'GET', '/v2/')).toBe(200)
  })

  test.each<[string, Readonly<Record<string, string>>]>([
    ['the registry’s own', { 'sec-fetch-site': 'same-origin', origin: 'http://registry.test' }],
    ['its visitor’s doing', { 'sec-fetch-site': 'none' }],
    ['the registry’s own, in an old browser', { origin: 'http://registry.test' }],
    [
      'the registry’s own, at a port that goes without saying',
      { host: 'registry.test:80', origin: 'http://registry.test' },
    ],
    ['the registry’s own, at another port', { host: 'registry.test:5000', origin: 'http://registry.test:5000' }],
    ['the registry’s own behind a proxy that ends TLS', { origin: 'https://registry.test' }],
    ['no page: clients send neither header', {}],
  ])('is served when it is %s', async (_, headers) => {
    expect(await statusOf({}, headers)).toBe(202)
  })

  it('is served when `cors` lets its origin in, or it is of `publicUrl`', async () => {
    for (const site of [{}, { 'sec-fetch-site': 'same-site' }, { 'sec-fetch-site': 'cross-site' }]) {
      expect(await statusOf({ cors: { origins: ['http://app.test'] } }, { ...site, origin: 'http://app.test' })).toBe(
        202,
      )
      expect(await statusOf({ cors: { origins: '*' } }, { ...site, origin: 'http://app.test' })).toBe(202)
    }
    expect(await statusOf({ publicUrl: 'https://r.example/x' }, { origin: 'https://r.example' })).toBe(202)
    expect(await statusOf({ publicUrl: 'https://r.example/x' }, { origin: 'http://r.example' })).toBe(403)
  })

  it('is refused without TLS where the request came with it', async () => {
    const clientAddress = () => ({ address: undefined, scheme: 'https' as const, host: 'registry.test' })
    expect(await statusOf({ clientAddress }, { origin: 'https://registry.test' })).toBe(202)
    expect(await statusOf({ clientAddress }, { origin: 'http://registry.test' })).toBe(403)
  })
})
