import { isRepositoryName } from '@stowage/oci'
import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { checkDigest, checkName, checkReference, checkSessionId, checkUrl, fill, type Values } from './template.ts'

const address = 'http://127.0.0.1:5000'
const digest = `sha256:${'a'.repeat(64)}`
const usage = (message: string): unknown =>
  expect.objectContaining({ name: 'ClientError', code: 'usage', message: expect.stringContaining(message) })

test.each<[string, string, Values, string]>([
  ['a name keeps its slashes', '/v2/<name>/tags/list', { name: 'my-org/my.repo' }, '/v2/my-org/my.repo/tags/list'],
  ['a path without a slash before it', 'v2/<name>/tags/list', { name: 'a' }, '/v2/a/tags/list'],
  ['a slash at the end stays', '/v2/<name>/blobs/uploads/', { name: 'a' }, '/v2/a/blobs/uploads/'],
  ['a digest keeps its colon', '/v2/a/blobs/<digest>', { digest }, `/v2/a/blobs/${digest}`],
  ['a reference that is a digest', '/v2/a/manifests/<reference>', { reference: digest }, `/v2/a/manifests/${digest}`],
  [
    'a session ID is encoded',
    '/v2/a/blobs/uploads/<session_id>',
    { session_id: 'a b?/ü#' },
    '/v2/a/blobs/uploads/a%20b%3F/%C3%BC%23',
  ],
  ['all occurrences', '/<name>/<name>/<digest>', { name: 'n', digest }, `/n/n/${digest}`],
  ['what is empty stays open', '/v2/<name>/<reference>', { name: '', reference: 'v1' }, '/v2/<name>/v1'],
])('%s', (_, path, values, expected) => {
  expect(fill(address, path, values)).toBe(`${address}${expected}`)
})

test('a path in the address is kept, and a whole URL stays as it is', () => {
  expect(fill('http://h/prefix', '/v2/<name>/x', { name: 'a' })).toBe('http://h/prefix/v2/a/x')
  expect(fill('http://h/prefix', 'http://h/v2/<name>/x?y=%2F', { name: 'a' })).toBe('http://h/v2/a/x?y=%2F')
})

test('an empty path is refused: it is the Location of an answer that had none', () => {
  expect(() => fill(address, '', {})).toThrow(usage('The path of the request is empty.'))
})

describe('a URL', () => {
  test.each([
    ['/v2/<name>/tags/list', '<name> stands for nothing', 'WithName or WithDefaultName'],
    ['/v2/a/manifests/<reference>', '<reference> stands for nothing', 'WithReference'],
    ['/v2/a/blobs/<digest>', '<digest> stands for nothing', 'WithDigest'],
    ['/v2/a/blobs/uploads/<session_id>', '<session_id> stands for nothing', 'WithSessionID'],
    ['/v2/a/manifests/<tag>', '<tag> is no placeholder', '<name>, <reference>, <digest>, <session_id>'],
    ['/v2/a/blobs/uploads/?mount=<digest>', '<digest> stands for nothing', 'WithDigest'],
  ])('%s is refused with a remedy', (path, message, hint) => {
    const thrown = expect.objectContaining({ hint: expect.stringContaining(hint) })
    expect(() => checkUrl(`${address}${path}`)).toThrow(usage(message))
    expect(() => checkUrl(`${address}${path}`)).toThrow(thrown)
  })

  test.each([
    '/v2///tags/list',
    '/v2/../x',
    '/v2/a/..',
    '/v2/%2e%2E/x',
    '/v2/./x',
    '/v2/a b',
    '/v2\\x',
    '/v2/a#b',
    '/v2/a\nb',
    '/v2/a\tb',
  ])('%j is refused: something else would be sent', (path) => {
    expect(() => checkUrl(`${address}${path}`)).toThrow(usage('The request is invalid: '))
  })

  test.each([
    '/v2/',
    '/v2//tags/list',
    '/v2/UPPER/manifests/.INVALID_MANIFEST_NAME',
    '/v2/a/blobs/sha256:totallywrong',
    '/v2/a/tags/list?last=a...b',
    '/v2/a..b/x',
    '/v2/a/blobs/uploads/x?_state=a/../b%3D%3D',
  ])('%s is sent as it is written', (path) => {
    expect(checkUrl(`${address}${path}`).href).toBe(`${address}${path}`)
  })
})

describe('values', () => {
  test.each([
    [checkName, 'UPPER', 'Invalid repository name: has "U" at position 0'],
    [checkName, 'a/../b', 'Invalid repository name'],
    [checkName, '/a', 'Invalid repository name'],
    [checkReference, '.INVALID', 'Invalid tag: begins with "."'],
    [checkReference, 'a/b', 'Invalid tag'],
    [checkReference, 'sha256:abc', 'Invalid digest: sha256 needs 64 hex digits'],
    [checkDigest, 'latest', 'Invalid digest'],
    [checkDigest, `sha256:${'A'.repeat(64)}`, 'Invalid digest'],
    [checkSessionId, '..', 'cannot be a session ID'],
    [checkSessionId, 'a//b', 'cannot be a session ID'],
    [checkSessionId, '/a', 'cannot be a session ID'],
    [checkSessionId, 'a/./b', 'cannot be a session ID'],
  ])('%o refuses %j', (check, value, message) => {
    expect(() => check(value)).toThrow(usage(message))
  })

  it('may be empty, which fills nothing', () => {
    expect([checkName(''), checkReference(''), checkDigest(''), checkSessionId('')]).toEqual(['', '', '', ''])
  })

  it('arrive as they are, whatever is in them', () => {
    const name = fc
      .stringMatching(/^[a-z0-9]+([._-][a-z0-9]+)*(\/[a-z0-9]+)*$/)
      .filter((text) => isRepositoryName(text))
    const session = fc.string({ unit: 'grapheme', minLength: 1 }).filter((text) => {
      try {
        return checkSessionId(text) === text && text.isWellFormed()
      } catch {
        return false
      }
    })
    fc.assert(
      fc.property(name, session, (repository, id) => {
        const values = { name: repository, session_id: id }
        const { pathname } = checkUrl(fill(address, '/v2/<name>/blobs/uploads/<session_id>', values))
        expect(decodeURIComponent(pathname)).toBe(`/v2/${repository}/blobs/uploads/${id}`)
        expect(pathname.startsWith(`/v2/${repository}/blobs/uploads/`)).toBe(true)
      }),
    )
  })
})
