import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RegistryError } from '../errors.ts'
import { isRegistryPath, matchRoute, splitTarget } from './route.ts'

const digest = `sha256:${'a'.repeat(64)}`
const id = '00000000-0000-4000-8000-000000000000'

describe('matchRoute', () => {
  it.each([
    ['/v2', 'ping', '', ''],
    ['/v2/', 'ping', '', ''],
    ['/v2/_catalog', 'catalog', '', ''],
    ['/v2/_catalog/', 'catalog', '', ''],
    ['/v2/a/tags/list', 'tags', 'a', ''],
    ['/v2/a/b/c/tags/list/', 'tags', 'a/b/c', ''],
    ['/v2/a/manifests/latest', 'manifest', 'a', 'latest'],
    [`/v2/a/b/manifests/${digest}/`, 'manifest', 'a/b', digest],
    [`/v2/a/blobs/${digest}`, 'blob', 'a', digest],
    [`/v2/a/blobs/sha256%3A${'a'.repeat(64)}`, 'blob', 'a', digest],
    ['/v2/a/blobs/uploads', 'uploads', 'a', ''],
    ['/v2/a/blobs/uploads/', 'uploads', 'a', ''],
    [`/v2/a/blobs/uploads/${id}`, 'upload', 'a', id],
    [`/v2/a/blobs/uploads/${id}/`, 'upload', 'a', id],
    [`/v2/a/referrers/${digest}`, 'referrers', 'a', digest],
    // Every fixed word may be a component of a repository's name.
    ['/v2/manifests/manifests/tags', 'manifest', 'manifests', 'tags'],
    ['/v2/a/blobs/uploads/manifests/x', 'manifest', 'a/blobs/uploads', 'x'],
    ['/v2/tags/list/tags/list', 'tags', 'tags/list', ''],
    ['/v2/blobs/uploads/blobs/uploads/', 'uploads', 'blobs/uploads', ''],
    ['/v2/_catalog/tags/list', 'tags', '_catalog', ''],
    ['/v2/uploads/blobs/x', 'blob', 'uploads', 'x'],
    ['/v2/blobs/blobs/uploads/x', 'upload', 'blobs', 'x'],
    ['/auth/token', 'token', '', ''],
    ['/auth/token/', 'token', '', ''],
  ])('%s is %s of %s', (path, route, name, last) => {
    expect(matchRoute(path)).toEqual({ route, name, last })
  })

  it.each([
    '/',
    '/v1/',
    '/v2x',
    '/v2/a',
    '/v2/a/b',
    '/v2/tags/list',
    '/v2/manifests/latest',
    '/v2/blobs/uploads',
    '/v2/blobs/uploads/x',
    '/v2/a/tags/other',
    '/v2/a/uploads/x',
    '/v2/_catalog/x',
    '/auth',
    '/auth/tokens',
    '/auth/token/x',
    '/v2/auth/token',
  ])('%s is no route', (path) => {
    expect(matchRoute(path)).toBeUndefined()
  })

  it('finds again what a path was built from', () => {
    const word = fc.constantFrom('a', 'blobs', 'uploads', 'manifests', 'tags', 'list', 'referrers', '_catalog', 'v2')
    const name = fc.array(word, { minLength: 1, maxLength: 6 }).map((words) => words.join('/'))
    const build = {
      tags: (n: string) => `/v2/${n}/tags/list`,
      manifest: (n: string) => `/v2/${n}/manifests/${digest}`,
      blob: (n: string) => `/v2/${n}/blobs/${digest}`,
      uploads: (n: string) => `/v2/${n}/blobs/uploads`,
      upload: (n: string) => `/v2/${n}/blobs/uploads/${id}`,
      referrers: (n: string) => `/v2/${n}/referrers/${digest}`,
    }
    fc.assert(
      fc.property(name, fc.constantFrom(...Object.keys(build)), fc.boolean(), (repository, route, slash) => {
        const path = build[route as keyof typeof build](repository) + (slash ? '/' : '')
        expect(matchRoute(path)).toMatchObject({ route, name: repository })
      }),
      { numRuns: 2000 },
    )
  })
})

describe('isRegistryPath', () => {
  it('is everything under /v2, and the token endpoint where there is one', () => {
    for (const givesTokens of [true, false]) {
      for (const path of ['/v2', '/v2/', '/v2/a/b']) expect(isRegistryPath(path, givesTokens)).toBe(true)
      for (const path of ['/auth/token', '/auth/token/']) expect(isRegistryPath(path, givesTokens)).toBe(givesTokens)
      for (const path of ['/', '/v2x', '/v1/', '/auth', '/auth/', '/auth/token/x', '/auth/tokens', '']) {
        expect(isRegistryPath(path, givesTokens)).toBe(false)
      }
    }
  })
})

describe('splitTarget', () => {
  it('takes path and query apart', () => {
    expect(splitTarget('/v2/a/tags/list?n=1&last=%2e')).toEqual({ path: '/v2/a/tags/list', query: 'n=1&last=%2e' })
  })

  it('takes absolute-form, as RFC 9112 section 3.2.2 requires', () => {
    expect(splitTarget('http://example.test:5000/v2/?x')).toEqual({ path: '/v2/', query: 'x' })
    expect(splitTarget('http://example.test')).toEqual({ path: '/', query: '' })
  })

  it.each([
    '/v2/a/../b/tags/list',
    '/v2/./a/tags/list',
    '/v2/a/%2e%2e/b/tags/list',
    '/v2/a/..%2fb/tags/list',
    '/v2/a%2fb/tags/list',
    '/v2//a/tags/list',
    '//v2/a/tags/list',
    '/v2/a\\b/tags/list',
    '/v2/a%5cb/tags/list',
    '/v2/a%00/tags/list',
    '/v2/é/tags/list',
    '/v2/a b/tags/list',
    '/v2/a#b/tags/list',
    '*',
    'example.test:443',
    'http://user@/../v2/',
    'ftp://example.test/v2/',
  ])('refuses %s', (target) => {
    expect(() => splitTarget(target)).toThrow(RegistryError)
  })

  it('never lets through a path that a URL parser would change', () => {
    const piece = fc.constantFrom('a', '/', '.', '..', '%', '2', 'e', 'E', 'f', '\\', '3', 'A', '?', '#', ' ', 'é', ':')
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const target = `/v2/${pieces.join('')}`
        let path: string
        try {
          ;({ path } = splitTarget(target))
        } catch {
          return
        }
        expect(new URL(`http://example.test${path}`).pathname).toBe(path)
      }),
      { numRuns: 20_000 },
    )
  })
})
