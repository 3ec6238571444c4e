import { isDigest } from '@stowage/oci'
import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { ClientError } from './errors.ts'
import { formatLocation, parseLocation, parseRegistryName } from './location.ts'

const digest = `sha256:${'a'.repeat(64)}`

describe('a place in a registry', () => {
  test.each<[string, string, string, string | undefined, boolean?]>([
    ['alpine', 'docker.io', 'library/alpine', undefined],
    ['alpine:3.20', 'docker.io', 'library/alpine', '3.20'],
    ['acme/app', 'docker.io', 'acme/app', undefined],
    ['docker://alpine:3.20', 'docker.io', 'library/alpine', '3.20'],
    ['index.docker.io/acme/app', 'docker.io', 'acme/app', undefined],
    ['registry-1.docker.io/acme/app', 'docker.io', 'acme/app', undefined],
    ['registry-1.docker.io/alpine', 'docker.io', 'library/alpine', undefined],
    ['index.docker.io/alpine:3.20', 'docker.io', 'library/alpine', '3.20'],
    ['Docker.IO/alpine', 'docker.io', 'library/alpine', undefined],
    ['REGISTRY-1.docker.io/alpine', 'docker.io', 'library/alpine', undefined],
    ['GHCR.io/acme/app', 'ghcr.io', 'acme/app', undefined],
    ['LOCALHOST/app', 'localhost', 'app', undefined],
    ['Intranet/app', 'Intranet', 'app', undefined],
    ['http://Registry.Example:5000/app', 'registry.example:5000', 'app', undefined, true],
    ['ghcr.io/acme/app:v1', 'ghcr.io', 'acme/app', 'v1'],
    [`ghcr.io/acme/app@${digest}`, 'ghcr.io', 'acme/app', digest],
    [`ghcr.io/acme/app:v1@${digest}`, 'ghcr.io', 'acme/app', digest],
    ['localhost:5000/app', 'localhost:5000', 'app', undefined],
    ['localhost/app', 'localhost', 'app', undefined],
    ['[::1]:5000/app:v1', '[::1]:5000', 'app', 'v1'],
    ['http://localhost:5000/app:v1', 'localhost:5000', 'app', 'v1', true],
    ['https://ghcr.io/acme/app', 'ghcr.io', 'acme/app', undefined, false],
    ['memory', 'docker.io', 'library/memory', undefined],
    ['tags:5000/app', 'tags:5000', 'app', undefined],
    // No schemes of this client, and nothing of an object.
    ['constructor:v1', 'docker.io', 'library/constructor', 'v1'],
  ])('%s', (text, registry, repository, reference, plainHttp) => {
    expect(parseLocation(text)).toMatchObject({ scheme: 'registry', registry, repository, reference, plainHttp })
  })

  it('keeps a tag that stands before a digest', () => {
    expect(parseLocation(`a.example/b:v1@${digest}`)).toMatchObject({ tag: 'v1', reference: digest })
  })

  test.each([
    '',
    'ghcr.io/',
    'ghcr.io/App',
    'a.example/b:',
    'a.example/b@sha256:abc',
    'a.example/../b',
    'a.example/b c',
    'ftp://a.example/b',
    'http://',
    'docker://',
    'https://u:p@a.example/b',
    'a'.repeat(64),
  ])('is not %j', (text) => {
    expect(() => parseLocation(text)).toThrow(expect.objectContaining({ name: 'ClientError', code: 'usage' }))
  })
})

describe('a place on this machine', () => {
  test.each<[string, string, string, string | undefined]>([
    ['ocidir:images', 'ocidir', 'images', undefined],
    ['ocidir:./images:v1', 'ocidir', './images', 'v1'],
    ['ocidir:///var/images:v1', 'ocidir', '/var/images', 'v1'],
    ['ocidir://images', 'ocidir', 'images', undefined],
    ['oci:images:v1', 'ocidir', 'images', 'v1'],
    [`ocidir:images@${digest}`, 'ocidir', 'images', digest],
    [`ocidir:images:v1@${digest}`, 'ocidir', 'images', digest],
    ['ocidir:a:b/c', 'ocidir', 'a:b/c', undefined],
    ['ocidir:a@b', 'ocidir', 'a@b', undefined],
    ['ocidir:a@b:v1', 'ocidir', 'a@b', 'v1'],
    [String.raw`ocidir:C:\images`, 'ocidir', String.raw`C:\images`, undefined],
    ['ocidir:C:/images:v1', 'ocidir', 'C:/images', 'v1'],
    ['memory:m:v1', 'memory', 'm', 'v1'],
    ['memory:name', 'memory', 'name', undefined],
    ['oci-archive:app.tar:v1', 'oci-archive', 'app.tar', 'v1'],
    ['docker-archive:app.tar', 'docker-archive', 'app.tar', undefined],
    ['docker-archive:app.tar:', 'docker-archive', 'app.tar', undefined],
    ['docker-archive:app.tar:acme/app:v1', 'docker-archive', 'app.tar', 'acme/app:v1'],
    ['docker-archive:app.tar:localhost:5000/app:v1', 'docker-archive', 'app.tar', 'localhost:5000/app:v1'],
    [String.raw`docker-archive:C:\app.tar:app:v1`, 'docker-archive', String.raw`C:\app.tar`, 'app:v1'],
    [`docker-archive:app.tar@${digest}`, 'docker-archive', 'app.tar', digest],
  ])('%s', (text, scheme, path, reference) => {
    expect(parseLocation(text)).toEqual({ scheme, path, reference })
  })

  test.each(['ocidir:', 'ocidir://', 'memory:', 'ocidir::v1', 'docker-archive::app:v1', `oci-archive:@${digest}`])(
    '%s has no path',
    (text) => {
      expect(() => parseLocation(text)).toThrow(/has no path/)
    },
  )
})

describe('written again', () => {
  test.each([
    'docker.io/library/alpine:3.20',
    'a.example:5000/b/c',
    `a.example/b@${digest}`,
    'ocidir:./images:v1',
    `ocidir:images@${digest}`,
    'docker-archive:app.tar:acme/app:v1',
    'memory:m:v1',
  ])('%s is the same', (text) => {
    expect(formatLocation(parseLocation(text))).toBe(text)
  })

  it('reads back as it was, whatever it is; what it is not is a usage error', () => {
    const part = fc.constantFrom('a', 'a.example', ':', '/', '@', digest, '5000', 'v1', 'ocidir:', 'oci-archive:')
    const texts = fc.oneof(
      fc.string(),
      fc.array(part, { maxLength: 8 }).map((parts) => parts.join('')),
    )
    fc.assert(
      fc.property(texts, (text) => {
        try {
          const location = parseLocation(text)
          const again = parseLocation(formatLocation(location))
          const told = { tag: undefined, plainHttp: undefined }
          // A path that ends like a tag has to be written in another way, as `./a:b/`, where a digest follows it.
          if ('path' in location && /:[^:/]*$/.test(location.path) && isDigest(location.reference)) return
          expect({ ...again, ...told }).toEqual({ ...location, ...told })
        } catch (error) {
          if (!(error instanceof ClientError)) throw error
          expect(error.code).toBe('usage')
        }
      }),
      { numRuns: 2000 },
    )
  })
})

describe('the name of a registry', () => {
  test.each<[string, string, boolean?]>([
    ['ghcr.io', 'ghcr.io'],
    ['ghcr.io/acme/app', 'ghcr.io'],
    ['localhost', 'localhost'],
    ['localhost:5000/', 'localhost:5000'],
    ['http://localhost:5000', 'localhost:5000', true],
    ['https://a.example/', 'a.example', false],
    ['docker.io', 'docker.io'],
    ['index.docker.io', 'docker.io'],
    ['[::1]:5000', '[::1]:5000'],
  ])('%s', (text, registry, plainHttp) => {
    expect(parseRegistryName(text)).toMatchObject({ registry, plainHttp })
  })

  test.each(['', 'alpine', 'registry', 'http://', '/', 'ocidir:x', 'a b.example', 'acme/app'])('is not %j', (text) => {
    expect(() => parseRegistryName(text)).toThrow(expect.objectContaining({ code: 'usage' }))
  })
})
